"""Dagster, the API and the dashboard as child processes until Ctrl-C: on loopback, or behind the lock."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from finops_assets.access.binding import OpenDoorError, check_binding, is_loopback
from finops_assets.settings import ConfigError, Settings

_PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Server:
    """One server: what to start, and the port that says it is up (None for a daemon)."""

    name: str
    command: tuple[str, ...]
    host: str
    port: int | None
    path: str = ""


def servers(settings: Settings, project: Path) -> list[Server]:
    """The four processes."""
    at = settings.services
    python, workspace = sys.executable, str(project / "workspace.yaml")
    scripts = Path(python).parent
    web = (
        str(scripts / "dagster-webserver"),
        "-w",
        workspace,
        "-h",
        at.dagster_host,
        "-p",
        str(at.dagster_port),
    )
    api = ("-m", "uvicorn", "--factory", "finops_api.app:create_app", "--host", at.host)
    dashboard = (
        *(python, "-m", "streamlit", "run", str(project / "streamlit_app" / "app.py")),
        *("--server.address", at.host, "--server.headless", "true", "--browser.gatherUsageStats", "false"),
        *(("--secrets.files", str(login_secrets(settings))) if has_login(settings) else ()),
        *(() if settings.access.is_locked else _own_names(at.host)),
    )
    return [
        Server("Dagster", web, at.dagster_host, at.dagster_port),
        Server("Dagster's daemon", (str(scripts / "dagster-daemon"), "run", "-w", workspace), "", None),
        Server(
            "API",
            (python, *api, "--port", str(at.api_port), "--log-level", "warning"),
            at.host,
            at.api_port,
            "/docs",
        ),
        Server(
            "Dashboard",
            (*dashboard, "--server.port", str(at.dashboard_port)),
            at.host,
            at.dashboard_port,
        ),
    ]


def _own_names(host: str) -> tuple[str, ...]:
    """The names that an open dashboard answers to: no page of another site can make one of its own for it."""
    names = dict.fromkeys(("localhost", "127.0.0.1", "::1", host.strip("[]")))
    return tuple(text for name in names for text in ("--server.allowedHosts", name))


def has_login(settings: Settings) -> bool:
    """Whether people log in to the dashboard."""
    return settings.access.oidc is not None and settings.access.oidc.has_login


def login_secrets(settings: Settings) -> Path:
    """Where `st.login` finds the provider: a file that only its owner may read."""
    return settings.paths.data / "login.toml"


def write_login_secrets(settings: Settings) -> None:
    """Write that file, as Streamlit takes its login from a file only."""
    oidc = settings.access.oidc
    if oidc is None or oidc.client_secret is None or oidc.cookie_secret is None:
        return
    given = {
        "redirect_uri": f"{str(oidc.dashboard_url).rstrip('/')}/oauth2callback",
        "cookie_secret": oidc.cookie_secret.get_secret_value(),
        "client_id": oidc.client_id,
        "client_secret": oidc.client_secret.get_secret_value(),
        "server_metadata_url": f"{oidc.issuer.rstrip('/')}/.well-known/openid-configuration",
    }
    # A JSON text is a TOML text, with the same escapes.
    lines = ["[auth]", *(f"{name} = {json.dumps(value)}" for name, value in given.items())]
    path = login_secrets(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def check_doors(settings: Settings) -> None:
    """Raise OpenDoorError unless each server may listen where it is told to."""
    at = settings.services
    if not is_loopback(at.dagster_host):
        raise OpenDoorError(
            f"Dagster would listen on {at.dagster_host}, where others reach it, and it has no login: whoever "
            'opens it can run anything. Keep services.dagster_host = "127.0.0.1"; for others, put a proxy in '
            "front of it that asks who they are."
        )
    check_binding("API", at.host, settings.access)
    check_binding("dashboard", at.host, settings.access)


def serve(settings: Settings, project: Path, console: Console) -> None:
    """Start all, print the links, wait. Ctrl-C or SIGTERM stops all of them; one that dies stops the rest.

    Raises ConfigError when a port is taken or a server does not come up, OpenDoorError.
    """
    check_doors(settings)
    plan = servers(settings, project)
    for server in plan:
        if server.port is not None and _answers(server.host, server.port):
            raise ConfigError(
                f"Port {server.port} for {server.name} is taken by another program. Stop that, or name "
                "another port: FINOPS_SERVICES__DAGSTER_PORT, …__API_PORT or …__DASHBOARD_PORT."
            )
    write_login_secrets(settings)
    logs = settings.paths.data / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, _interrupt)
    started: list[tuple[Server, subprocess.Popen[bytes]]] = []
    try:
        with console.status("Starting Dagster, the API and the dashboard …"):
            for server in plan:
                started.append((server, _start(server, project, logs)))
            _wait_until_up(started, logs)
        for server in plan:
            if server.port is not None:
                url = f"http://{server.host}:{server.port}{server.path}"
                console.print(f"  {server.name:<10} [link={url}]{url}[/link]")
        console.print("Ctrl-C stops all of them.")
        _watch(started, logs)
    except KeyboardInterrupt:
        console.print("\nStopping …")
    finally:
        _stop([process for _, process in started])


def _start(server: Server, project: Path, logs: Path) -> subprocess.Popen[bytes]:
    name = server.name.lower().replace("'s ", "-")
    with (logs / f"{name}.log").open("wb") as log:
        # A session of its own: Ctrl-C reaches us alone, and we stop the whole group in order.
        return subprocess.Popen(  # noqa: S603 - our own commands
            server.command, cwd=project, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )


def _wait_until_up(started: Sequence[tuple[Server, subprocess.Popen[bytes]]], logs: Path) -> None:
    patience = time.monotonic() + _PATIENCE_SECONDS
    for server, process in started:
        while server.port is not None and not _answers(server.host, server.port):
            if process.poll() is not None or time.monotonic() > patience:
                raise ConfigError(f"{server.name} did not come up; its log is in {logs}.")
            time.sleep(0.2)


def _watch(started: Sequence[tuple[Server, subprocess.Popen[bytes]]], logs: Path) -> None:
    while True:
        for server, process in started:
            if process.poll() is not None:
                raise ConfigError(f"{server.name} stopped by itself; its log is in {logs}.")
        time.sleep(0.5)


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        _signal(process, signal.SIGTERM)
    for process in processes:
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    if process.poll() is None:
        os.killpg(process.pid, number)


def _answers(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
