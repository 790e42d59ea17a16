"""BigQuery on this machine: a real bqemulator, in a process and an environment of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

_HOME = Path(__file__).resolve().parents[2] / ".services" / "bqemulator"
PROGRAM = _HOME / "bin" / "bqemulator"
PROJECT = "billing-admin"


@dataclass(frozen=True)
class BigQuery:
    """A running server."""

    url: str

    def owner(self) -> bigquery.Client:
        """A client that may do everything, to lay out what a test needs."""
        anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
        return bigquery.Client(PROJECT, credentials=anonymous, client_options={"api_endpoint": self.url})

    def table(
        self,
        name: str,
        schema: Sequence[bigquery.SchemaField],
        partitioning: bigquery.TimePartitioning | None = None,
    ) -> str:
        """Create 'dataset.table'; its full name."""
        client = self.owner()
        client.create_dataset(name.split(".", maxsplit=1)[0], exists_ok=True)
        table = bigquery.Table(f"{PROJECT}.{name}", schema)
        table.time_partitioning = partitioning
        client.create_table(table)
        return f"{PROJECT}.{name}"

    def insert(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        """Add rows, written as BigQuery takes them in JSON."""
        for begin in range(0, len(rows), 500):
            problems = self.owner().insert_rows_json(table, rows[begin : begin + 500])
            assert not problems, problems


@contextmanager
def running_bqemulator() -> Iterator[BigQuery]:
    """A server that answers, until the end of the block. Skips where bqemulator is not installed."""
    if not PROGRAM.exists():
        pytest.skip("bqemulator is not installed: `make services` brings it")
    rest, grpc = _free_port(), _free_port()
    command = [str(PROGRAM), "start", "--rest-port", str(rest), "--grpc-port", str(grpc)]
    server = subprocess.Popen(
        [*command, "--log-level", "error"],
        env={**os.environ, "HOME": str(_HOME / "home")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{rest}"
        _wait(url, server)
        yield BigQuery(url)
    finally:
        server.terminate()
        server.wait(30)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(f"{url}/bigquery/v2/projects/{PROJECT}/datasets", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
