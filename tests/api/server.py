"""The API as people meet it: the real server in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from finops_assets.settings import Settings

PROJECT = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS = 60


def environment(settings: Settings, folder: Path, port: int, *more: str) -> dict[str, str]:
    """The environment of a process with these settings, whose finops.toml is written into `folder`."""
    config = folder / "finops.toml"
    config.write_text(
        "\n".join(
            [
                f"tag_keys = {list(settings.tag_keys)}",
                f'first_month = "{settings.first_month}"',
                f'paths.data = "{settings.paths.data}"',
                f"services.api_port = {port}",
                'services.rate_limit = ""',
                *more,
                *(f'[sources.{name}]\nkind = "files"\npath = "bills/{name}"' for name in settings.sources),
            ]
        ),
        encoding="utf-8",
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FINOPS_")}
    return {**kept, "FINOPS_CONFIG": str(config), "PYTHONPATH": str(PROJECT)}


def free_port() -> int:
    """A port of loopback that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running_api(settings: Settings, folder: Path, *more: str) -> Iterator[str]:
    """The server's address on loopback, until the block ends. `more` are lines of finops.toml.

    Its log is `api.log` in `folder`. Raises RuntimeError with it when the server does not come up.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "--factory", "finops_api.app:create_app", "--port", str(port)]
    log = folder / "api.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            command,
            env=environment(settings, folder, port, *more),
            cwd=folder,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(f"{url}/healthz", server, log)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    patience = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            httpx.get(url, trust_env=False).raise_for_status()
        except httpx.HTTPError:
            if server.poll() is not None or time.monotonic() > patience:
                raise RuntimeError(f"The API did not come up:\n{log.read_text()}") from None
            time.sleep(0.1)
        else:
            return
