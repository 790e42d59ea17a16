"""What people said of earlier events."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from finops_assets.anomalies.events import detect_events
from finops_assets.anomalies.feedback import FEEDBACK, silenced, threshold_factors
from tests.forecasting.fleets import FIRST_DAY, cost_like, features_of

SERIES = "service|AWS||s00|EffectiveCost|USD"


def said(verdict: str, first: date = date(2026, 1, 5), impact: float = 300.0, at: int = 1) -> dict[str, Any]:
    return {
        "series_id": SERIES,
        "kind": "spike",
        "first_day": first,
        "last_day": first,
        "impact": Decimal(str(impact)),
        "verdict": verdict,
        "said_at": datetime(2026, 3, at, tzinfo=UTC),
    }


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=FEEDBACK)


@pytest.mark.parametrize(
    ("first", "impact", "quiet"),
    [
        (date(2026, 2, 5), 500.0, True),  # the same day of the month, within twice the size
        (date(2026, 2, 5), 700.0, False),
        (date(2026, 2, 2), 500.0, True),  # the first Monday, as the judged one
        (date(2026, 2, 10), 500.0, False),
        (date(2026, 2, 10), 310.0, True),  # another day, nearly the same size
        (date(2026, 2, 5), -300.0, False),
        (date(2026, 1, 5), 300.0, False),  # the judged event itself stays
    ],
)
def test_only_later_events_like_the_expected_one_are_silenced(
    first: date, impact: float, quiet: bool
) -> None:
    event = said("", first, impact)
    assert silenced([event], table(said("expected"))) == [quiet]
    assert silenced([event], table(said("planned"))) == [quiet]
    assert silenced([event], table(said("real"))) == [False]
    assert silenced([event], None) == [False]


def test_the_newest_word_counts() -> None:
    event = said("", date(2026, 2, 5))
    assert silenced([event], table(said("real", at=2), said("expected", at=1))) == [False]
    assert silenced([event], table(said("real", at=1), said("expected", at=2))) == [True]


@pytest.mark.parametrize(
    ("verdicts", "factor"),
    [
        (["expected"], 1.0),
        (["expected", "expected"], 1.125),
        (["expected"] * 20, 1.5),
        (["real"], 0.9),
        (["real"] * 9, 0.8),
        (["planned", "resolved"], 1.0),
    ],
)
def test_thresholds_adapt_within_bounds(verdicts: list[str], factor: float) -> None:
    rows = [said(v, date(2025, 1, 1) + timedelta(days=i)) for i, v in enumerate(verdicts)]
    assert threshold_factors(table(*rows)) == {SERIES: pytest.approx(factor)}


def test_the_detector_listens() -> None:
    series = {f"s{i:02}": cost_like(60 + i, 400, noise=0.03) for i in range(6)}
    at = [i for i in range(400) if (FIRST_DAY + timedelta(days=i)).day == 12]
    for position in (at[-4], at[-2]):
        series["s00"][position] += 400
    features = features_of(series)
    days = [FIRST_DAY + timedelta(days=p) for p in (at[-4], at[-2])]

    def raised(feedback: pa.Table | None) -> list[date]:
        found = detect_events(features, feedback=feedback).to_pylist()
        return [e["first_day"] for e in found if e["series_id"] == SERIES and e["first_day"] in days]

    assert raised(None) == days
    assert raised(table(said("expected", days[0], 400.0))) == days[:1]
    assert np.all([d.day == 12 for d in days])
