"""What people say of events: kept as it was said, carried into the lake once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import dagster as dg
import pytest

from finops_assets.decisions.feedback import Feedback, Verdict, newest, record, said
from finops_assets.defs.anomalies.feedback import anomaly_feedback, new_feedback
from finops_assets.defs.forecasting.assets import cost_features
from finops_assets.defs.resources import Platform
from finops_assets.marts.anomalies import ANOMALY_FEEDBACK
from finops_assets.running.staleness import is_analyzed
from finops_assets.settings import current_settings
from tests.warehouse_builder import lake_table

EVENT: dict[str, Any] = {
    "anomaly_id": "a1",
    "series_id": "service|AWS||S3|EffectiveCost|USD",
    "kind": "spike",
    "first_day": date(2026, 1, 10),
    "last_day": date(2026, 1, 12),
    "impact": Decimal("-1500.000000000000000001"),
}
MORNING, NOON = (datetime(2026, 1, 13, hour, tzinfo=UTC) for hour in (8, 12))


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("FINOPS_PATHS__DATA", str(tmp_path))
    current_settings.cache_clear()
    yield Platform()
    current_settings.cache_clear()


def test_the_newest_word_counts_and_none_is_lost(tmp_path: Path) -> None:
    store = tmp_path / "decisions.db"
    assert said(store) == []
    assert not store.exists()
    second = record(store, EVENT, "real", note=" was it? ", author="kim", said_at=NOON)
    first = record(store, EVENT, "expected", said_at=MORNING)
    other = record(store, {**EVENT, "anomaly_id": "a2"}, "planned", said_at=datetime(2026, 1, 14, tzinfo=UTC))
    assert said(store, "a1") == [first, second]
    assert newest(store) == {"a1": second, "a2": other}
    assert newest(store, until=date(2026, 1, 13)) == {"a1": second}
    assert newest(store, until=date(2026, 1, 12)) == {}
    assert second == Feedback(second.feedback_id, **EVENT, verdict="real", note="was it?", author="kim",
                              said_at=NOON)  # fmt: skip


def test_a_verdict_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match="expected a verdict of expected, planned, real, resolved, found 'bad'"
    ):
        record(tmp_path / "decisions.db", EVENT, cast("Verdict", "bad"))


def materialize(platform: Platform) -> bool:
    """Whether the asset wrote."""
    before = platform.lake.version(ANOMALY_FEEDBACK)
    dg.materialize([anomaly_feedback], resources={"platform": platform}, raise_on_error=True)
    return platform.lake.version(ANOMALY_FEEDBACK) != before


def test_the_lake_follows_the_store_once_for_each_word(platform: Platform) -> None:
    assert materialize(platform)
    assert platform.lake.rows(ANOMALY_FEEDBACK) == 0
    for n, verdict in enumerate(("planned", "real"), 1):
        word = record(platform.settings.paths.decisions, EVENT, cast("Verdict", verdict), said_at=NOON)
        with dg.build_sensor_context(resources={"platform": platform}) as context:
            asked = new_feedback(context)
        assert isinstance(asked, dg.RunRequest)
        assert materialize(platform)
        assert not materialize(platform)
        with dg.build_sensor_context(resources={"platform": platform}) as context:
            assert isinstance(new_feedback(context), dg.SkipReason)
        rows = lake_table(platform.settings, "anomaly_feedback").to_dicts()
        assert len(rows) == n
        assert vars(word) in rows


def test_what_was_said_since_is_to_be_analyzed(platform: Platform) -> None:
    dg.materialize([cost_features], resources={"platform": platform}, raise_on_error=True)
    assert not is_analyzed(platform)
    assert materialize(platform)
    assert is_analyzed(platform)
    record(platform.settings.paths.decisions, EVENT, "real")
    assert not is_analyzed(platform)
    assert materialize(platform)
    assert is_analyzed(platform)
