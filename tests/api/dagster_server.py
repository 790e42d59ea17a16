"""A real Dagster with a code location of its own, partitioned as the platform's assets are."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BROKEN = "azure-ea"

LOCATION = f'''
import os
from pathlib import Path

import dagster as dg

bills = dg.MultiPartitionsDefinition(
    {{
        "month": dg.MonthlyPartitionsDefinition(start_date="2025-01", fmt="%Y-%m", end_offset=1),
        "source": dg.StaticPartitionsDefinition(["aws-main", "{BROKEN}", "gcp-prod"]),
    }}
)
made = Path(os.environ["DAGSTER_HOME"]) / "made"


def make(context):
    for key in context.partition_keys:
        if key.endswith("|{BROKEN}"):
            raise ValueError("this source is broken")
        (made / f"{{context.asset_key.to_user_string()}} {{key}}").touch()


@dg.asset(name="bills", partitions_def=bills, backfill_policy=dg.BackfillPolicy.single_run())
def first(context) -> None:
    make(context)


@dg.asset(name="costs", deps=["bills"], partitions_def=bills, backfill_policy=dg.BackfillPolicy.single_run())
def second(context) -> None:
    make(context)


@dg.asset(partitions_def=dg.MonthlyPartitionsDefinition(start_date="2025-01-01"))
def by_month_only() -> None:
    (made / "by_month_only").touch()


@dg.asset(deps=["costs"])
def whole() -> None:
    (made / "whole").touch()


defs = dg.Definitions([first, second, by_month_only, whole], executor=dg.in_process_executor)
'''

# Runs start at once: the queue would only make the test wait.
INSTANCE = """
telemetry: {enabled: false}
run_coordinator: {module: dagster._core.run_coordinator, class: DefaultRunCoordinator}
"""

_PATIENCE_SECONDS = 180


@dataclass(frozen=True)
class DagsterServer:
    """A webserver on loopback, and a home for a daemon."""

    home: Path
    port: int

    def made(self) -> set[str]:
        """What the assets wrote: 'asset month|source'."""
        return {path.name for path in (self.home / "made").iterdir()}

    def ask(self, query: str) -> Any:
        """What it answers to a query in GraphQL."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            data=json.dumps({"query": query}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["data"]

    def tags(self, backfill: str) -> dict[str, str]:
        """The tags of a backfill."""
        results = "results { id tags { key value } }"
        query = f"{{ partitionBackfillsOrError {{ ... on PartitionBackfills {{ {results} }} }} }}"
        found = self.ask(query)["partitionBackfillsOrError"]["results"]
        return {t["key"]: t["value"] for b in found if b["id"] == backfill for t in b["tags"]}

    @contextmanager
    def daemon(self) -> Iterator[None]:
        """The daemon, which turns backfills into runs."""
        with _running(self.home, "dagster-daemon", "run", "-w", "workspace.yaml"):
            yield


@contextmanager
def dagster_server(home: Path) -> Iterator[DagsterServer]:
    """Start the webserver; RuntimeError with its output when it does not come up."""
    (home / "made").mkdir(parents=True)
    (home / "location.py").write_text(LOCATION, encoding="utf-8")
    (home / "dagster.yaml").write_text(INSTANCE, encoding="utf-8")
    code, port = _free_port(), _free_port()
    # One process loads the code for both webserver and daemon.
    (home / "workspace.yaml").write_text(
        f"load_from: [grpc_server: {{host: 127.0.0.1, port: {code}}}]\n", encoding="utf-8"
    )
    serve_code = ("api", "grpc", "-h", "127.0.0.1", "-p", str(code), "-f", str(home / "location.py"))
    serve_pages = ("-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port))
    with _running(home, "dagster", *serve_code) as loader:
        _wait_for(code, loader, home / "dagster.log")
        with _running(home, "dagster-webserver", *serve_pages) as pages:
            _wait_for(port, pages, home / "dagster-webserver.log")
            yield DagsterServer(home, port)


@contextmanager
def _running(home: Path, command: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FINOPS_", "DAGSTER_"))}
    line = [str(Path(sys.executable).parent / command), *arguments]
    with (home / f"{command}.log").open("wb") as log:
        process = subprocess.Popen(
            line, cwd=home, env={**kept, "DAGSTER_HOME": str(home)}, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:  # a code server waits for what it was asked; nobody asks any more
            process.kill()
            process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    patience = time.monotonic() + _PATIENCE_SECONDS
    while not _listens(port):
        if process.poll() is not None or time.monotonic() > patience:
            raise RuntimeError(log.read_text(encoding="utf-8"))
        time.sleep(0.2)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
