"""Azure Blob storage on this machine: a real azurite, in a process of its own, on a free loopback port."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from azure.storage.blob import ContainerClient

PROGRAM = Path(__file__).resolve().parents[2] / ".services" / "node_modules" / ".bin" / "azurite"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's own, the same everywhere (its documentation, "Default storage account")."""


@dataclass(frozen=True)
class Azurite:
    """A running server."""

    port: int

    def account_url(self, port: int | None = None) -> str:
        """The account's address, here or behind a proxy's port."""
        return f"http://127.0.0.1:{port or self.port}/{ACCOUNT}"

    def connection_string(self, port: int | None = None) -> str:
        """What a client needs to know."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint={self.account_url(port)};"
        )

    def container(self, name: str) -> ContainerClient:
        """A client that may do everything, to lay out what a test needs."""
        return ContainerClient.from_connection_string(self.connection_string(), name)


@contextmanager
def running_azurite(folder: Path) -> Iterator[Azurite]:
    """A server that answers, until the end of the block. Skips where azurite is not installed."""
    if not PROGRAM.exists():
        pytest.skip("azurite is not installed: `make services` brings it, and needs npm")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(str(PROGRAM), "--silent", "--skipApiVersionCheck", "--disableTelemetry"),
        *("--location", str(folder), "--blobHost", "127.0.0.1", "--blobPort", str(port)),
        *("--queuePort", "0", "--tablePort", "0"),
    ]
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ)
    )
    try:
        _wait(port, server)
        yield Azurite(port)
    finally:
        server.terminate()
        server.wait(30)


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
