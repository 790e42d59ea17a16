"""The page Sources with a real Dagster: a refresh is started, watched and stopped from it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from finops_assets.access.audit import entries
from tests.api.dagster_server import BROKEN, DagsterServer, dagster_server
from tests.streamlit_app.conftest import Open, open_as

PATIENCE_SECONDS = 180

SOURCES = {name: {"kind": "files", "path": "."} for name in ("aws-main", BROKEN, "gcp-prod")}


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterServer]:
    with dagster_server(tmp_path_factory.mktemp("dagster") / "home") as server:
        yield server


@pytest.fixture
def open_sources(open_page: Open, dagster: DagsterServer, monkeypatch: pytest.MonkeyPatch) -> Open:
    monkeypatch.setenv("FINOPS_SERVICES__DAGSTER_PORT", str(dagster.port))
    monkeypatch.setenv("FINOPS_SOURCES", json.dumps(SOURCES))
    monkeypatch.setenv("FINOPS_FIRST_MONTH", "2025-06")
    return open_page


def badges(app: AppTest) -> list[str]:
    """The state of each refresh that is listed, the newest first."""
    words = ("Waiting", "Running", "Done", "Failed", "Canceled")
    return [w for m in app.markdown for w in words if "badge[" in str(m.value) and w in str(m.value)]


def choose(app: AppTest, source: str, first: str, last: str) -> AppTest:
    app.multiselect(key="refresh_sources").set_value([source])
    app.selectbox(key="refresh_from").set_value(first)
    app.selectbox(key="refresh_to").set_value(last)
    next(b for b in app.button if b.label == "Start").click()
    return app.run()


def test_a_refresh_is_started_watched_and_its_failures_are_named(
    open_sources: Open, dagster: DagsterServer
) -> None:
    app = open_sources("sources")
    assert app.selectbox(key="refresh_to").value == f"{datetime.now(UTC):%Y-%m}"
    assert app.selectbox(key="refresh_from").options[-1] == "June 2025"
    choose(app, "aws-main", "2026-01", "2026-03")
    choose(app, BROKEN, "2026-02", "2026-02")
    assert badges(app) == ["Waiting", "Waiting"]
    patience = time.monotonic() + PATIENCE_SECONDS
    with dagster.daemon():
        while set(badges(app)) & {"Waiting", "Running"}:
            assert time.monotonic() < patience, badges(app)
            time.sleep(0.5)
            app.run()
    assert badges(app) == ["Failed", "Done"]
    assert {m for m in dagster.made() if m.startswith("bills")} == {
        f"bills {month}|aws-main" for month in ("2026-01", "2026-02", "2026-03")
    }


def test_a_refresh_is_canceled(open_sources: Open) -> None:
    app = choose(open_sources("sources"), "gcp-prod", "2026-01", "2026-02")
    assert badges(app)[0] == "Waiting"
    next(b for b in app.button if b.label == "Cancel").click()
    assert badges(app.run())[0] == "Canceled"


def test_who_started_and_canceled_a_refresh_is_kept(
    locked: Path, open_sources: Open, dagster: DagsterServer, use: Callable[[Path], None]
) -> None:
    use(locked)
    app = choose(open_as("sources", "admin"), "gcp-prod", "2026-01", "2026-02")
    (ingestion,) = [e.entry.place for e in entries(locked / "access.db") if e.entry.action == "start"]
    assert dagster.tags(ingestion.removeprefix("ingestion/"))["finops/author"] == "ann@example.com"
    app.button(key=f"cancel_{ingestion.removeprefix('ingestion/')}").click().run()
    kept = [e.entry for e in entries(locked / "access.db") if e.entry.action != "open"]
    assert [(e.principal, e.action, e.place, e.parameters) for e in kept] == [
        ("ann@example.com", "cancel", ingestion, ""),
        ("ann@example.com", "start", ingestion, "2026-01..2026-02 gcp-prod"),
    ]


def test_months_the_wrong_way_round_start_nothing(open_sources: Open) -> None:
    before = badges(open_sources("sources"))
    app = choose(open_sources("sources"), "gcp-prod", "2026-03", "2026-01")
    assert "March 2026 lies after January 2026" in app.error[0].value
    assert badges(app) == before


def test_without_dagster_the_page_says_how_to_start_it(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINOPS_SERVICES__DAGSTER_PORT", "9")
    app = open_page("sources")
    assert "Start Dagster with `finops run`" in app.warning[-1].value
    assert not [b for b in app.button if b.label == "Start"]
