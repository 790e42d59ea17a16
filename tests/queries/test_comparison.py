"""Two periods side by side: the days that belong together, and costs against two questions of their own."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_assets.queries.access import Warehouse
from finops_assets.queries.comparison import BadComparisonError, Days, compared_costs, compared_days
from finops_assets.queries.costs import GRANULARITIES, OTHER, CostQuery, Filter, costs


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "end", "way", "then"),
    [
        ("2026-03-01", "2026-04-01", "previous_period", ("2026-02-01", "2026-03-01")),
        ("2026-01-01", "2026-04-01", "previous_period", ("2025-10-01", "2026-01-01")),
        ("2026-03-01", "2026-03-21", "previous_period", ("2026-02-09", "2026-03-01")),
        ("2026-03-01", "2026-03-21", "previous_month", ("2026-02-01", "2026-02-21")),
        ("2026-03-01", "2026-04-01", "previous_month", ("2026-02-01", "2026-03-01")),
        ("2026-02-01", "2026-03-01", "previous_month", ("2026-01-01", "2026-02-01")),
        ("2026-03-30", "2026-04-01", "previous_month", ("2026-02-28", "2026-03-01")),
        ("2024-02-29", "2024-03-01", "previous_year", ("2023-02-28", "2023-03-01")),
        ("2026-01-01", "2027-01-01", "previous_year", ("2025-01-01", "2026-01-01")),
        ("2026-03-01", "2026-04-01", "2025-12-24..2025-12-24", ("2025-12-24", "2025-12-25")),
    ],
)
def test_the_days_to_compare_with(start: str, end: str, way: str, then: tuple[str, str]) -> None:
    assert compared_days(day(start), day(end), way) == Days(day(then[0]), day(then[1]))


@pytest.mark.parametrize("way", ["", "yesterday", "2026-01-02..2026-01-01", "2026-01-32..2026-02-01"])
def test_what_names_no_period_is_said(way: str) -> None:
    with pytest.raises(BadComparisonError):
        compared_days(day("2026-01-01"), day("2026-02-01"), way)


def test_there_is_nothing_before_the_calendar() -> None:
    with pytest.raises(BadComparisonError, match="calendar"):
        compared_days(date(1, 1, 1), date(1, 2, 1), "previous_year")


def half(table: pa.Table, q: CostQuery, prefix: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """One side of a comparison, by step and group; what the other side alone has is left out."""
    return {
        (r.get(f"{prefix}period"), *(r[g] for g in q.groups), r["BillingCurrency"]): (
            *(r[prefix + m] for m in q.metrics),
            r[f"{prefix}x_RowCount"],
        )
        for r in table.to_pylist()
        if r[f"{prefix}x_RowCount"] is not None
    }


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.dates(date(2026, 1, 1), date(2026, 3, 1)),
    length=st.integers(1, 45),
    back=st.integers(1, 40),
    granularity=st.sampled_from(GRANULARITIES),
    group_by=st.sampled_from([(), ("ServiceName",), ("x_Tag_team", "RegionId")]),
)
def test_both_sides_are_what_each_alone_is(
    warehouse: Warehouse,
    start: date,
    length: int,
    back: int,
    granularity: Any,
    group_by: tuple[str, ...],
) -> None:
    q = CostQuery(
        start,
        start + timedelta(days=length),
        group_by,
        (Filter("ServiceName", ("compute",), contains=True),),
        granularity,
        also=("ListCost",),
    )
    then = q.over(start - timedelta(days=back), start - timedelta(days=back) + timedelta(days=length + 3))
    table = compared_costs(warehouse, q, Days(then.start, then.end))
    assert half(table, q, "") == half(costs(warehouse, q), q, "")
    assert half(table, then, "compared_") == half(costs(warehouse, then), then, "")


def test_months_stand_beside_months(warehouse: Warehouse) -> None:
    q = CostQuery(day("2026-02-01"), day("2026-04-01"), granularity="month", currency="USD")
    table = compared_costs(warehouse, q, compared_days(q.start, q.end, "previous_month"))
    assert [(r["period"], r["compared_period"]) for r in table.to_pylist()] == [
        (day("2026-02-01"), day("2026-01-01")),
        (day("2026-03-01"), day("2026-02-01")),
    ]


def test_a_limit_keeps_what_was_large_in_either_period(warehouse: Warehouse) -> None:
    q = CostQuery(day("2026-02-01"), day("2026-03-01"), ("ServiceName",), currency="USD", limit=2)
    other = compared_days(q.start, q.end, "previous_period")
    rows = compared_costs(warehouse, q, other).to_pylist()
    everything = {
        r["ServiceName"]: max(abs(r["EffectiveCost"] or 0), abs(r["compared_EffectiveCost"] or 0))
        for r in compared_costs(
            warehouse, CostQuery(q.start, q.end, ("ServiceName",), currency="USD"), other
        ).to_pylist()
    }
    largest = sorted(everything, key=lambda s: -everything[s])[:2]
    assert {r["ServiceName"] for r in rows} == {*largest, OTHER}
    (whole,) = compared_costs(warehouse, CostQuery(q.start, q.end, currency="USD"), other).to_pylist()
    for column in ("EffectiveCost", "compared_EffectiveCost", "x_RowCount", "compared_x_RowCount"):
        assert sum((r[column] or 0 for r in rows), Decimal(0)) == whole[column]
