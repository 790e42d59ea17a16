"""Costs against polars' own sums of the lake's rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_assets.queries.access import Warehouse
from finops_assets.queries.costs import (
    DIMENSIONS,
    GRANULARITIES,
    METRICS,
    OTHER,
    CostQuery,
    DateRange,
    Filter,
    UnknownDimensionError,
    costs,
    currencies,
    date_range,
    dimension_values,
    dimensions,
    totals,
)
from finops_assets.queries.movers import movers

START, END = date(2026, 1, 1), date(2026, 4, 1)
COLUMNS = [*DIMENSIONS, "x_Tag_team", "x_Tag_env"]
EC2 = "Amazon Elastic Compute Cloud"

VALUES: dict[str, list[str | None]] = {
    "ServiceProviderName": ["AWS", "Microsoft", "Google Cloud", "Nobody"],
    "x_Tag_team": ["data", "shop", None],
    "RegionId": ["us-east-1", "westeurope", None],
    "x_BillingMonth": ["2026-01", "2026-02"],
    "ChargeClass": ["Correction", None],
}

filters = st.sampled_from(list(VALUES)).flatmap(
    lambda column: st.builds(
        Filter,
        st.just(column),
        st.lists(st.sampled_from(VALUES[column]), max_size=3, unique=True).map(tuple),
        st.booleans(),
    )
)

questions = st.builds(
    CostQuery,
    start=st.dates(date(2025, 12, 25), date(2026, 2, 20)),
    end=st.dates(date(2026, 2, 10), date(2026, 4, 5)),
    group_by=st.lists(st.sampled_from(COLUMNS), max_size=3).map(tuple),
    filters=st.lists(filters, max_size=2).map(tuple),
    granularity=st.sampled_from(GRANULARITIES),
    metric=st.sampled_from(METRICS),
    currency=st.sampled_from([None, "USD", "EUR", "JPY"]),
    also=st.lists(st.sampled_from(METRICS), max_size=2).map(tuple),
)


def selected(rows: pl.DataFrame, q: CostQuery) -> pl.DataFrame:
    """The rows that a question is about, by polars; null is a value of its own."""
    found = rows.filter((pl.col("x_Day") >= q.start) & (pl.col("x_Day") < q.end))
    if q.currency is not None:
        found = found.filter(pl.col("BillingCurrency") == q.currency)
    for f in q.filters:
        chosen = pl.col(f.column).is_in(pl.Series(list(f.values), dtype=pl.String), nulls_equal=True)
        found = found.filter(~chosen if f.exclude else chosen)
    return found


def summed(rows: pl.DataFrame, q: CostQuery) -> dict[tuple[Any, ...], tuple[Decimal | None, int]]:
    """(period, groups, currency) → (sum, rows). A sum of nulls alone is null."""
    period = {
        "none": pl.lit(None, pl.Date),
        "day": pl.col("x_Day"),
        "week": pl.col("x_Day").dt.truncate("1w"),
        "month": pl.col("x_Day").dt.truncate("1mo"),
        "quarter": pl.col("x_Day").dt.truncate("1q"),
        "year": pl.col("x_Day").dt.truncate("1y"),
    }[q.granularity]
    groups = [c for c in dict.fromkeys(q.group_by) if c != "BillingCurrency"]
    grouped = (
        selected(rows, q)
        .with_columns(period=period)
        .group_by("period", *groups, "BillingCurrency")
        .agg(cost=pl.col(q.metric).sum(), known=pl.col(q.metric).count(), n=pl.len())
    )
    return {
        tuple(row[: 2 + len(groups)]): (row[-3] if row[-2] else None, row[-1]) for row in grouped.iter_rows()
    }


def answered(table: pa.Table, q: CostQuery) -> dict[tuple[Any, ...], tuple[Decimal | None, int]]:
    groups = [c for c in dict.fromkeys(q.group_by) if c != "BillingCurrency"]
    return {
        (r.get("period"), *(r[g] for g in groups), r["BillingCurrency"]): (r[q.metric], r["x_RowCount"])
        for r in table.to_pylist()
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(q=questions)
def test_costs_are_the_sums_of_the_rows(warehouse: Warehouse, bill_rows: pl.DataFrame, q: CostQuery) -> None:
    table = costs(warehouse, q)
    for metric in q.metrics:
        one = replace(q, metric=metric)
        assert answered(table, one) == summed(bill_rows, one)
        assert table.schema.field(metric).type == pa.decimal128(38, 18)


def test_order_is_period_then_cost(warehouse: Warehouse) -> None:
    q = CostQuery(START, END, ("ServiceName",), granularity="month", currency="USD")
    found = [(r["period"], -r["EffectiveCost"]) for r in costs(warehouse, q).to_pylist()]
    assert found == sorted(found)


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_the_groups_beyond_a_limit_are_added_up(
    warehouse: Warehouse, bill_rows: pl.DataFrame, limit: int
) -> None:
    q = CostQuery(START, END, ("ServiceName", "SubAccountName"), granularity="month", limit=limit)
    for currency in ("USD", "EUR"):
        own = bill_rows.filter(pl.col("BillingCurrency") == currency)
        by_group = own.group_by("ServiceName", "SubAccountName").agg(pl.col("EffectiveCost").sum())
        largest = by_group.sort(pl.col("EffectiveCost").abs(), descending=True).head(limit)
        kept = set(largest.select("ServiceName", "SubAccountName").iter_rows())
        rows = [r for r in costs(warehouse, q).to_pylist() if r["BillingCurrency"] == currency]
        shown = {(r["ServiceName"], r["SubAccountName"]) for r in rows}
        assert shown - {(OTHER, OTHER)} == kept
        assert ((OTHER, OTHER) in shown) == (by_group.height > limit)
        assert sum(r["EffectiveCost"] for r in rows) == own["EffectiveCost"].sum()
        assert sum(r["x_RowCount"] for r in rows) == own.height


def test_totals_hold_all_four_costs(warehouse: Warehouse, bill_rows: pl.DataFrame) -> None:
    table = totals(warehouse, CostQuery(START, END, ("ServiceName",), (Filter("x_Source", ("azure-ea",)),)))
    own = bill_rows.filter(pl.col("x_Source") == "azure-ea")
    (row,) = table.to_pylist()
    assert row == {
        "BillingCurrency": "EUR",
        **{str(metric): own[metric].sum() for metric in METRICS},
        "x_RowCount": own.height,
    }


def test_dimensions_are_the_cubes_and_the_tags(warehouse: Warehouse) -> None:
    found = dimensions(warehouse)
    assert list(found) == COLUMNS
    assert found["x_Tag_team"].label == "Tag: team"
    assert len({d.label for d in found.values()}) == len(found)


@pytest.mark.parametrize(
    "q",
    [
        CostQuery(START, END, group_by=("Nonsense",)),
        CostQuery(START, END, filters=(Filter("Nonsense", ("x",)),)),
        CostQuery(START, END, group_by=('ServiceName" FROM bills; DROP TABLE daily_costs; --',)),
    ],
)
def test_an_unknown_column_is_named_with_those_allowed(warehouse: Warehouse, q: CostQuery) -> None:
    with pytest.raises(UnknownDimensionError, match=r"Allowed: ServiceProviderName, .*x_Tag_env"):
        costs(warehouse, q)


def test_values_are_bound_not_pasted(warehouse: Warehouse) -> None:
    hostile = Filter("ServiceName", ("x' OR '1'='1",))
    assert costs(warehouse, CostQuery(START, END, filters=(hostile,))).num_rows == 0


def test_an_unknown_metric_never_reaches_sql(warehouse: Warehouse) -> None:
    with pytest.raises(ValueError, match="Allowed: BilledCost"):
        costs(warehouse, CostQuery(START, END, metric="1) FROM bills --"))  # type: ignore[arg-type]


def test_days_and_currencies_there_are(warehouse: Warehouse) -> None:
    assert date_range(warehouse) == DateRange(START, date(2026, 3, 20))
    assert currencies(warehouse) == ("EUR", "USD")


def test_values_of_a_dimension(warehouse: Warehouse, bill_rows: pl.DataFrame) -> None:
    found = dimension_values(warehouse, "x_Tag_team", START, END)
    expected = {
        (team, currency): cost
        for team, currency, cost in bill_rows.group_by("x_Tag_team", "BillingCurrency")
        .agg(pl.col("EffectiveCost").sum())
        .iter_rows()
    }
    assert {(v.value, c): a for v in found for c, a in v.costs.items()} == expected
    assert sum(v.rows for v in found) == bill_rows.height


def test_movers_compare_two_periods(warehouse: Warehouse, bill_rows: pl.DataFrame) -> None:
    """Of the services, Tax is in none of the days compared but the first of a month."""
    before, after = (date(2026, 1, 29), date(2026, 2, 1)), (date(2026, 1, 31), date(2026, 2, 3))
    found = movers(
        warehouse, before, after, "ServiceName", "BilledCost", (Filter("x_Source", ("aws-main",)),)
    )
    own = bill_rows.filter(pl.col("x_Source") == "aws-main")

    def spent(service: str, days: tuple[date, date]) -> Decimal:
        chosen = own.filter(
            pl.col("ServiceName") == service, pl.col("x_Day").is_between(*days, closed="left")
        )
        return Decimal(chosen["BilledCost"].sum())

    rows = found.to_pylist()
    assert {r["value"] for r in rows} == set(own["ServiceName"])
    for row in rows:
        assert (row["before"], row["after"]) == (spent(row["value"], before), spent(row["value"], after))
        assert row["change"] == row["after"] - row["before"]
    assert [abs(r["change"]) for r in rows] == sorted((abs(r["change"]) for r in rows), reverse=True)
    assert next(r for r in rows if r["value"] == "Tax")["before"] == 0


def test_the_spike_is_where_it_was_put(warehouse: Warehouse) -> None:
    """Three days of 500 more; by hand: 3 × (120.5 + 61.25 + 500 + 10) and the eighteenth digits."""
    q = CostQuery(date(2026, 2, 10), date(2026, 2, 13), filters=(Filter("ServiceName", (EC2,)),))
    digits = Decimal(2 * (10 + 11 + 12)).scaleb(-18)
    assert costs(warehouse, q)["EffectiveCost"].to_pylist() == [Decimal("2075.25") + digits]
    assert (q.end - q.start) == timedelta(days=3)
