"""`finops run` to its end: three servers up, Ctrl-C, none left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.focus_bills import in_month, text
from tests.platform_process import PROJECT, Platform

PATIENCE_SECONDS = 400


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    platform = Platform(tmp_path)
    (tmp_path / "bills").mkdir()
    (tmp_path / "bills" / "focus.csv").write_text(text(in_month("2026-01", "7.25")), encoding="utf-8")
    ports = dict.fromkeys(("dagster_port", "api_port", "dashboard_port"), 0)
    listed = "\n".join(f"{name} = {free_port()}" for name in ports)
    platform.configure(f'[services]\n{listed}\n[sources.acme]\nkind = "files"\npath = "bills"\n')
    return platform


@pytest.fixture
def _ctrl_c_is_heard() -> Iterator[None]:
    """A shell that runs the tests in its background has them ignore Ctrl-C, and so what they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def wait_for(log: Path, words: str, process: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + PATIENCE_SECONDS
    while words not in (said := log.read_text(encoding="utf-8")):
        assert process.poll() is None, said
        assert time.monotonic() < until, said
        time.sleep(0.5)
    return said


def links(said: str) -> dict[str, str]:
    lines = [line.split() for line in said.splitlines() if "http://" in line]
    return {name: url for name, url in lines}


@pytest.mark.usefixtures("_ctrl_c_is_heard")
def test_three_servers_come_up_and_ctrl_c_stops_all_of_them(platform: Platform) -> None:
    assert platform.finops("ingest").returncode == 0
    log = platform.root / "run.log"
    command = [str(Path(sys.executable).parent / "finops"), "run"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=platform.environment,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        urls = links(wait_for(log, "Ctrl-C stops all of them.", process))
        assert set(urls) == {"Dagster", "API", "Dashboard"}
        for url in urls.values():
            assert httpx2.get(url, timeout=60).status_code == 200
        period = {"start_date": "2026-01-01", "end_date": "2026-01-31"}
        costs = httpx2.get(urls["API"].replace("/docs", "/api/v1/costs"), params=period, timeout=60).json()
        assert [t["cost"] for t in costs["totals"]] == ["7.25"]
    finally:
        os.kill(process.pid, signal.SIGINT)
        process.wait(timeout=120)
    for url in urls.values():
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(url)


def test_a_taken_port_is_named(platform: Platform) -> None:
    assert platform.finops("ingest").returncode == 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        toml = (platform.root / "finops.toml").read_text(encoding="utf-8")
        platform.configure(toml.replace("api_port = ", f"api_port = {port} # "))
        done = platform.finops("run")
    assert done.returncode == 1
    assert f"Port {port} for API is taken by another program" in done.stderr.replace("\n", " ")
