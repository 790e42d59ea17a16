"""`alerts` in Dagster, on a published warehouse: told once, retried by the schedule, kept in the lake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from finops_assets.cli import app
from finops_assets.decisions.alerts import record, recorded
from finops_assets.defs.notify.assets import alerts, due_alerts
from finops_assets.defs.resources import Platform
from finops_assets.marts.alerts import ALERTS
from finops_assets.settings import current_settings
from tests.services.sinks import Sink, http_sink
from tests.warehouse_builder import build_warehouse, lake_table

SECRET = "hunter2-token"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse whose newest bill is of yesterday."""
    root = tmp_path_factory.mktemp("alerts")
    build_warehouse(root, last_day=datetime.now(UTC).date() - timedelta(days=1))
    return root


@pytest.fixture
def sink() -> Iterator[Sink]:
    with http_sink() as sink:
        yield sink


@pytest.fixture
def platform(built: Path, sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "warehouse").symlink_to(built / "warehouse")
    config = """
[alerts.channels.hook]
url_env = "FINOPS_TEST_HOOK"
min_impact = "100"
"""

    (tmp_path / "finops.toml").write_text(config, encoding="utf-8")
    monkeypatch.setenv("FINOPS_CONFIG", str(tmp_path / "finops.toml"))
    monkeypatch.setenv("FINOPS_TEST_HOOK", f"json://127.0.0.1:{sink.port}/{SECRET}")
    current_settings.cache_clear()
    yield Platform()
    current_settings.cache_clear()


def materialize(platform: Platform) -> dict[str, Any]:
    result = dg.materialize([alerts], resources={"platform": platform}, raise_on_error=True)
    (event,) = result.get_asset_materialization_events()
    return {k: v.value for k, v in event.materialization.metadata.items()}


def test_what_is_new_is_told_once_and_what_was_over_is_seen(platform: Platform, sink: Sink) -> None:
    first = materialize(platform)
    # The level shift goes on; the spike of the month before is over; the drop is of the other cost.
    rows = {r["subject_id"]: r for r in lake_table(platform.settings, "alerts").to_dicts()}
    assert {i: r["status"] for i, r in rows.items()} == {
        "level-shift": "delivered",
        "spike": "seen",
        "AWS year|2026-01-01": "delivered",
    }
    titles = sorted(str(b["title"]) for b in sink.bodies)
    assert [t.split(" EUR")[0].split(" since")[0] for t in titles] == [
        "[critical] Budget AWS year: over",
        "[medium] Microsoft: +160.25",
    ]
    assert (first["delivered"], first["seen"]) == (2, 1)
    version, told = platform.lake.version(ALERTS), len(sink.bodies)
    assert materialize(platform)["unchanged"] is True
    assert (platform.lake.version(ALERTS), len(sink.bodies)) == (version, told)


def asked(platform: Platform, at: datetime) -> object:
    with dg.build_schedule_context(scheduled_execution_time=at, resources={"platform": platform}) as context:
        return due_alerts(context)


def test_the_schedule_asks_for_a_run_only_when_something_is_due(platform: Platform, sink: Sink) -> None:
    now = datetime.now(UTC)
    assert isinstance(asked(platform, now), dg.SkipReason)
    sink.status = 503
    assert materialize(platform)["failed"] >= 1
    assert isinstance(asked(platform, now), dg.SkipReason)
    assert isinstance(asked(platform, now + timedelta(minutes=20)), dg.RunRequest)
    store = platform.settings.paths.decisions
    earlier = now - timedelta(hours=1)
    record(store, [replace(a, tried_at=earlier) for a in recorded(store) if a.status == "failed"])
    sink.status = 200
    assert materialize(platform)["delivered"] >= 1
    assert {a.status for a in recorded(store)} <= {"delivered", "seen"}


def test_without_channels_nothing_is_told_and_the_table_is_empty(
    platform: Platform, sink: Sink, tmp_path: Path
) -> None:
    (tmp_path / "finops.toml").write_text("", encoding="utf-8")
    current_settings.cache_clear()
    assert materialize(platform)["dagster/row_count"] == 0
    assert sink.bodies == []
    assert not platform.settings.paths.decisions.exists()


def test_the_command_line_tries_a_channel_and_lists_the_record(platform: Platform, sink: Sink) -> None:
    runner = CliRunner()
    assert "Nobody has been told anything." in runner.invoke(app, ["alerts"]).output
    done = runner.invoke(app, ["alerts", "test", "hook"])
    assert (done.exit_code, [b["title"] for b in sink.bodies]) == (0, ["FinOps platform: test"])
    sink.status = 403
    refused = runner.invoke(app, ["alerts", "test", "hook"])
    assert refused.exit_code == 1
    assert "403" in refused.output
    assert SECRET not in refused.output
    unknown = runner.invoke(app, ["alerts", "test", "other"])
    assert unknown.exit_code == 1
    assert "No channel is called other; there are hook." in unknown.output
    materialize(platform)
    listed = " ".join(runner.invoke(app, ["alerts"], env={"COLUMNS": "300"}).output.split())
    assert "Microsoft" in listed
    assert "failed" in listed
    assert SECRET not in listed
