"""The dashboard as people meet it: the real Streamlit server in a process of its own, and Chromium.

Run as a program it takes a picture of every page:
python -m tests.streamlit_app.browser <folder for pictures> [--data <data folder>] [--page <name>]
"""

from __future__ import annotations

import argparse
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
from tempfile import TemporaryFile
from urllib.error import URLError

from playwright.sync_api import Page, ViewportSize, sync_playwright

PROJECT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
_PATIENCE_SECONDS = 60

PAGES = {
    "overview": "",
    "explorer": "explorer",
    "aws": "aws",
    "azure": "azure",
    "gcp": "gcp",
    "forecast": "forecast",
    "forecast_record": "forecast_record",
    "anomalies": "anomalies",
    "budgets": "budgets",
    "sources": "sources",
    "bills": "bills",
    "conformance": "conformance",
    "invoices": "invoices",
}


@dataclass(frozen=True)
class View:
    """One way of looking: a window and an appearance."""

    name: str
    width: int
    height: int
    dark: bool = False


DESK = View("light", 1400, 900)
DARK = View("dark", 1400, 900, dark=True)
PHONE = View("phone", 390, 844)


@contextmanager
def dashboard(data: Path) -> Iterator[str]:
    """Serve the dashboard over a data folder; its address on loopback.

    Raises RuntimeError with the server's output when it does not come up.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FINOPS_", "STREAMLIT_"))}
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "streamlit_app" / "app.py")]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port), "--server.headless", "true"]
    command += ["--server.fileWatcherType", "none"]
    with TemporaryFile("w+", encoding="utf-8") as log:
        server = subprocess.Popen(
            command,
            cwd=data,
            env={**kept, "FINOPS_PATHS__DATA": str(data)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            if not _is_up(server, f"http://127.0.0.1:{port}/_stcore/health"):
                log.seek(0)
                raise RuntimeError(f"the dashboard did not come up:\n{log.read()}")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)


@contextmanager
def browser_page(view: View = DESK) -> Iterator[Page]:
    """One page of a fresh Chromium, in a window of `view`."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(_FLAGS))
        try:
            window = ViewportSize(width=view.width, height=view.height)
            context = chromium.new_context(
                viewport=window, color_scheme="dark" if view.dark else "light", locale="en-US"
            )
            yield context.new_page()
        finally:
            chromium.close()


def open_page(page: Page, address: str) -> None:
    """Open an address and wait until its script has run and its charts are drawn."""
    page.goto(address)
    page.locator("[data-testid='stApp']").wait_for()
    settle(page)


def settle(page: Page) -> None:
    """Wait until Streamlit has finished running and nothing is greyed out any more."""
    page.locator("[data-testid='stMain'] h1").first.wait_for(timeout=_PATIENCE_SECONDS * 1000)
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
        " && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]')",
        timeout=_PATIENCE_SECONDS * 1000,
    )
    page.wait_for_timeout(700)  # the charts' own drawing has no signal to wait for


def picture(page: Page, path: Path, view: View) -> None:
    """The whole page, however long: the window grows to it first, as Streamlit scrolls inside itself."""
    height = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": view.width, "height": max(view.height, min(int(height), 6000))})
    settle(page)
    page.screenshot(path=str(path))
    page.set_viewport_size({"width": view.width, "height": view.height})


def _is_up(server: subprocess.Popen[bytes], health: str) -> bool:
    patience = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < patience and server.poll() is None:
        try:
            with urllib.request.urlopen(health, timeout=1) as answer:
                if answer.status == 200:
                    return True
        except (URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    return False


def main() -> None:
    """Pictures of every page, in each view."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, default=PROJECT / "var")
    parser.add_argument("--page", choices=sorted(PAGES), action="append")
    parser.add_argument("--view", choices=[v.name for v in (DESK, DARK, PHONE)], action="append")
    parser.add_argument("--query", default="", help="address parameters, such as 'period=All'")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with dashboard(given.data.resolve()) as address:
        for view in (DESK, DARK, PHONE):
            if given.view and view.name not in given.view:
                continue
            for name in given.page or PAGES:
                with browser_page(view) as page:
                    open_page(page, f"{address}/{PAGES[name]}?{given.query}")
                    picture(page, given.folder / f"{name}-{view.name}.png", view)


if __name__ == "__main__":
    main()


def card(page: Page, label: str) -> str:
    """The value on the card with this label, as a person reads it."""
    found = page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True))
    return found.get_by_test_id("stMetricValue").inner_text().strip()
