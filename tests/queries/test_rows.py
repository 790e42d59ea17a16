"""The rows behind a figure: all of them, each once, and back to the delivered line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from finops_assets.queries.access import Warehouse
from finops_assets.queries.costs import CostQuery, Filter, Metric, UnknownDimensionError, costs
from finops_assets.queries.rows import (
    RowNotFoundError,
    RowPage,
    RowQuery,
    cost_rows,
    filterable_columns,
    native_row,
)

START, END = date(2026, 1, 1), date(2026, 4, 1)
GCP = Filter("x_Source", ("gcp-prod",))


def pages(warehouse: Warehouse, end: date = END, **asked: Any) -> list[RowPage]:
    found = [cost_rows(warehouse, RowQuery(START, end, **asked))]
    while (after := found[-1].next_cursor) is not None:
        found.append(cost_rows(warehouse, RowQuery(START, end, after=after, **asked)))
    return found


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_pages_hold_every_row_once(warehouse: Warehouse, bill_rows: pl.DataFrame, limit: int) -> None:
    """Google's credits are several equal rows of one delivered line, and still each is given once."""
    chosen, end = Filter("SubAccountId", ("ml-research",)), date(2026, 1, 6)
    found = pages(warehouse, end, filters=(GCP, chosen), limit=limit)
    assert all(p.rows.num_rows == limit for p in found[:-1])
    rows = [r for p in found for r in p.rows.to_pylist()]
    own = bill_rows.filter(pl.col("SubAccountId") == "ml-research", pl.col("x_Day") < end)
    key = ("x_File", "x_RowNumber", "ChargeCategory", "EffectiveCost")
    assert sorted(tuple(r[k] for k in key) for r in rows) == sorted(own.select(key).iter_rows())
    assert [r["EffectiveCost"] for r in rows] == sorted((r["EffectiveCost"] for r in rows), reverse=True)


@pytest.mark.parametrize("metric", ["BilledCost", "EffectiveCost", "ListCost", "ContractedCost"])
def test_rows_add_up_to_the_figure(warehouse: Warehouse, metric: Metric) -> None:
    """Also where a metric is null, as Microsoft Fabric's contracted cost is."""
    q = CostQuery(START, END, filters=(Filter("x_Tag_env", (None, "dev")),), metric=metric)
    figure = {r["BillingCurrency"]: r for r in costs(warehouse, q).to_pylist()}
    found = pages(warehouse, filters=q.filters, metric=metric, limit=90)
    for currency, row in figure.items():
        amounts = [
            r[metric] or Decimal(0)
            for p in found
            for r in p.rows.to_pylist()
            if r["BillingCurrency"] == currency
        ]
        expected = row[metric] or Decimal(0)
        assert sum(amounts, Decimal(0)) == expected
        assert all(p.totals[currency] == expected for p in found)
        assert len(amounts) == row["x_RowCount"] == found[0].row_counts[currency]
    assert found[0].total_rows == sum(r["x_RowCount"] for r in figure.values())


def test_rows_are_filtered_by_columns_the_cube_does_not_have(
    warehouse: Warehouse, bill_rows: pl.DataFrame
) -> None:
    resource = "res-sub-0001-azure sql da"
    page = cost_rows(warehouse, RowQuery(START, END, (Filter("ResourceId", (resource,)),), currency="EUR"))
    own = bill_rows.filter(pl.col("ResourceId") == resource)
    assert page.total_rows == own.height > 0
    assert page.totals == {"EUR": own["EffectiveCost"].sum()}
    assert {"ResourceId", "SkuId", "x_File"} <= set(filterable_columns(warehouse))


def test_only_text_columns_are_filterable(warehouse: Warehouse) -> None:
    with pytest.raises(UnknownDimensionError, match="Allowed: "):
        cost_rows(warehouse, RowQuery(START, END, (Filter("BilledCost", ("1",)),)))


def test_a_row_leads_back_to_the_delivered_line(warehouse: Warehouse) -> None:
    """The usage and both credits of one Google line come from the same native row."""
    credit = cost_rows(
        warehouse, RowQuery(START, END, (GCP, Filter("ChargeCategory", ("Credit",))), limit=1)
    ).rows.to_pylist()[0]
    native = native_row(warehouse, credit["x_BillId"], credit["x_File"], credit["x_RowNumber"])
    day = credit["ChargePeriodStart"]
    assert (native["project"], native["usage_start_time"]) == ('{"id":"ml-research"}', day)
    weekend = day.isoweekday() >= 6
    listed = Decimal("33.439" if weekend else "47.770") + Decimal(day.day).scaleb(-18)
    assert native["cost"] == listed
    assert native["credits"].count('"-1.500000000000000000"') == 2


def test_an_unknown_line_says_what_is_unknown(warehouse: Warehouse) -> None:
    row = cost_rows(warehouse, RowQuery(START, END, limit=1)).rows.to_pylist()[0]
    with pytest.raises(RowNotFoundError, match="of bill 'nothing' in force"):
        native_row(warehouse, "nothing", row["x_File"], row["x_RowNumber"])
    with pytest.raises(RowNotFoundError, match="There is no row 999999"):
        native_row(warehouse, row["x_BillId"], row["x_File"], 999_999)
