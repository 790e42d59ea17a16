"""The resources behind a figure: all of its money, each resource once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from finops_assets.queries.access import Warehouse
from finops_assets.queries.costs import Filter
from finops_assets.queries.resources import resources
from finops_assets.queries.rows import RowQuery

START, END = date(2026, 1, 1), date(2026, 4, 1)


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_resources_add_up_to_the_rows(warehouse: Warehouse, bill_rows: pl.DataFrame, limit: int) -> None:
    own = bill_rows.filter(pl.col("BillingCurrency") == "USD", pl.col("x_Source") == "aws-main")
    asked = RowQuery(START, END, (Filter("x_Source", ("aws-main",)),), "BilledCost", "USD", limit=limit)
    found = resources(warehouse, asked)
    expected = {
        resource: (cost, rows)
        for resource, cost, rows in own.group_by("ResourceId")
        .agg(pl.col("BilledCost").fill_null(Decimal(0)).sum(), pl.len())
        .iter_rows()
    }
    shown = found.table.to_pylist()
    assert {r["ResourceId"]: (r["BilledCost"], r["x_RowCount"]) for r in shown}.items() <= expected.items()
    assert len(shown) == min(limit, len(expected))
    assert found.others == len(expected) - len(shown)
    assert sum(r["BilledCost"] for r in shown) + found.other_cost == sum(c for c, _ in expected.values())
    assert sum(r["x_RowCount"] for r in shown) + found.other_rows == own.height
    if shown:
        smallest = min(abs(r["BilledCost"]) for r in shown)
        left_out = [c for i, (c, _) in expected.items() if i not in {r["ResourceId"] for r in shown}]
        assert all(abs(c) <= smallest for c in left_out)


def test_two_currencies_are_not_ranked_together(warehouse: Warehouse) -> None:
    with pytest.raises(ValueError, match="one currency"):
        resources(warehouse, RowQuery(START, END))


def test_no_rows_have_no_resources(warehouse: Warehouse) -> None:
    found = resources(warehouse, RowQuery(date(2020, 1, 1), date(2020, 2, 1), currency="USD"))
    assert (found.table.num_rows, found.others, found.other_cost, found.other_rows) == (0, 0, Decimal(0), 0)
