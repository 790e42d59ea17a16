"""The running server against its own description: no answer that is not in it, and no 5xx."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from finops_assets.settings import Settings
from tests.api.server import running_api
from tests.warehouse_builder import build_warehouse

NEEDS_DAGSTER = ("start_ingestion", "get_ingestion", "cancel_ingestion", "list_ingestions")
"""Without it they answer 503, as is documented; tests/api/test_ingestion.py asks them with a real one."""

DEPENDS_ON_DATA = "positive_data_acceptance"
"""Which services, days and budgets there are is no part of a description: they are refused with 422."""


def test_no_answer_is_undocumented(tmp_path: Path) -> None:
    """Some hundred cases; `schemathesis run <url>/openapi.json` with more examples makes thousands."""
    settings: Settings = build_warehouse(tmp_path / "data")
    with running_api(settings, tmp_path) as url:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"),
                *(
                    "--phases",
                    "examples,fuzzing",
                    "--max-examples",
                    "8",
                    "--seed",
                    "1",
                    "--generation-database",
                    "none",
                ),
                *("--checks", "all", "--exclude-checks", DEPENDS_ON_DATA, "--continue-on-failure"),
                *(
                    "--warnings",
                    "off",
                    "--no-color",
                    "--request-timeout",
                    "600",
                    "--max-response-time",
                    "600",
                ),
                *(part for name in NEEDS_DAGSTER for part in ("--exclude-operation-id", name)),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    (cases,) = re.findall(r"(\d+) generated", done.stdout)
    assert int(cases) > 200
