from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from finops_assets.notify.budgets import budget_subjects

ROW: dict[str, Any] = {
    "budget": "Data & more",
    "period": "month",
    "is_current": True,
    "level": "service",
    "ServiceProviderName": "AWS",
    "BillingAccountId": None,
    "SubAccountId": None,
    "ServiceName": "Amazon S3",
    "RegionId": None,
    "tag_key": None,
    "tag_value": None,
    "metric": "EffectiveCost",
    "amount": Decimal("1000.00"),
    "BillingCurrency": "USD",
    "first_day": date(2026, 3, 1),
    "last_day": date(2026, 3, 31),
    "data_until": date(2026, 3, 19),
    "actual": Decimal("700.5"),
    "expected": Decimal(1100),
    "lo_80": Decimal(990),
    "hi_80": Decimal(1250),
    "crossing_probability": 0.82,
    "crossed_on": None,
    "crossing_day": date(2026, 3, 28),
    "crossing_from": date(2026, 3, 25),
    "state": "will_cross",
}


def test_what_will_be_crossed_is_told_with_its_day_and_its_rows() -> None:
    (found,) = budget_subjects([ROW], "http://finops.example/")
    assert (found.subject_kind, found.subject_id) == ("budget", "Data & more|2026-03-01")
    assert (found.state, found.severity, found.impact, found.share) == (
        "will_cross",
        "high",
        Decimal(100),
        Decimal("0.1"),
    )
    assert found.title == "[high] Budget Data & more: over by 2026-03-28, 82% likely to end over"
    assert found.text.splitlines() == [
        "Budget Data & more, 2026-03-01 to 2026-03-31: over by 2026-03-28, 82% likely to end over",
        "Amount:   1,000.00 USD of effective cost, AWS / Amazon S3",
        "Spent:    700.50 USD by 2026-03-19",
        "Expected: 1,100.00 USD by 2026-03-31, 80% between 990.00 and 1,250.00",
        "Page: http://finops.example/budgets?budget=Data%20%26%20more&currency=USD&metric=Effective%20cost",
        "Bill rows: http://finops.example/rows?from=2026-03-01&to=2026-03-20&metric=Effective%20cost"
        "&currency=USD&where=0%3AServiceProviderName%3AAWS&where=1%3AServiceName%3AAmazon%20S3",
    ]


@pytest.mark.parametrize(
    ("change", "severity", "impact", "says"),
    [
        (
            {"state": "at_risk", "expected": Decimal(900), "crossing_probability": 0.2},
            "medium",
            250,
            "at risk, 20%",
        ),
        ({"state": "crossed", "crossed_on": date(2026, 3, 9)}, "critical", 100, "over since 2026-03-09"),
        (
            {"state": "crossed", "crossed_on": date(2026, 3, 9), "expected": None, "actual": Decimal(1003)},
            "critical",
            3,
            "over since 2026-03-09",
        ),
    ],
)
def test_each_state_has_its_severity_and_impact(
    change: dict[str, Any], severity: str, impact: int, says: str
) -> None:
    (found,) = budget_subjects([{**ROW, **change}], "http://x")
    assert (found.severity, found.impact) == (severity, Decimal(impact))
    assert says in found.title


def test_what_is_well_is_told_only_after_it_was_not() -> None:
    well = {**ROW, "state": "on_track", "expected": Decimal(800), "crossing_probability": 0.03}
    assert budget_subjects([well], "http://x") == []
    (found,) = budget_subjects([well], "http://x", told={"Data & more|2026-03-01"})
    assert (found.severity, found.impact) == ("low", Decimal(-200))


def test_what_is_over_or_unknown_is_nothing_to_tell() -> None:
    ended = {**ROW, "is_current": False, "state": "crossed"}
    unknown = {**ROW, "state": "no_forecast", "expected": None, "crossing_probability": None}
    assert budget_subjects([ended, unknown], "http://x", told={"Data & more|2026-03-01"}) == []
