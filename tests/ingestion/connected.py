"""A platform whose source is a real server: what its sensor asks for, and what its tables hold."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.platform_process import PROJECT, Platform

_TICK = """
import json, sys
import dagster as dg
from pathlib import Path
from finops_assets.running.home import prepare_home
from finops_assets.settings import current_settings
prepare_home(current_settings(), Path.cwd())
from finops_assets.definitions import defs
instance = dg.DagsterInstance.get()
from finops_assets.defs.resources import Platform
context = dg.build_sensor_context(instance=instance, resources={"platform": Platform()})
found = defs.get_repository_def().get_sensor_def(sys.argv[1]).evaluate_tick(context)
print(json.dumps([{"run_key": r.run_key, **r.tags} for r in found.run_requests or []]))
"""


@dataclass(frozen=True)
class Connected(Platform):
    """The platform, and what its processes find in the environment besides."""

    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """With the server's credentials."""
        return {**super().environment, **self.extra}

    def tick(self, sensor: str) -> list[dict[str, Any]]:
        """Evaluate a sensor as the daemon would; its run requests. Fails when the tick does."""
        done = subprocess.run(
            [sys.executable, "-c", _TICK, sensor],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        asked: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
        return asked

    def asked_months(self, sensor: str) -> list[tuple[str, str]]:
        """First and last partition of each run that the sensor asks for."""
        return [
            (r["dagster/asset_partition_range_start"], r["dagster/asset_partition_range_end"])
            for r in self.tick(sensor)
        ]

    def ingest(self, *arguments: str) -> str:
        """Take in what is new; what was said. Fails when the command does."""
        done = self.finops("ingest", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def billed(self) -> dict[str, Decimal]:
        """Month → BilledCost in `costs`."""
        return dict(self.query("SELECT x_BillingMonth, sum(BilledCost) FROM costs GROUP BY 1 ORDER BY 1"))

    def bills(self) -> list[tuple[Any, ...]]:
        """(month, status, problem) of every bill."""
        return self.query(
            "SELECT x_BillingMonth, status, problem FROM bills "
            "ORDER BY x_BillingMonth, ingested_at, exported_at"
        )
