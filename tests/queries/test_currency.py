"""Amounts in another currency, against the same sums made with Python's decimals."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.marts.sql import load_sql
from finops_assets.marts.tables import EXCHANGE_RATES
from finops_assets.queries.access import Warehouse
from finops_assets.queries.costs import CostQuery, MissingRateError, conversion, costs
from tests.warehouse_builder import RATES

WHOLE = CostQuery(date(2026, 1, 1), date(2026, 4, 1))


def dollars_of_a_euro(day: date) -> Decimal:
    rows = [line.split(",") for line in RATES.splitlines()[1:]]
    days = [date.fromisoformat(row[0]) for row in rows]
    return Decimal(rows[bisect_right(days, day) - 1][1])


def by_hand(rows: pl.DataFrame, to: str) -> dict[str, Decimal]:
    """Service → its effective cost in `to`."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows.select("ServiceName", "BillingCurrency", "EffectiveCost", "x_Day").to_dicts():
        dollars = dollars_of_a_euro(row["x_Day"])
        rate = Decimal(1)
        if row["BillingCurrency"] != to:
            rate = dollars if to == "USD" else (1 / dollars)
        rate = rate.quantize(Decimal("1e-12"), ROUND_HALF_UP)
        found[row["ServiceName"]] += row["EffectiveCost"] * rate
    return dict(found)


@pytest.mark.parametrize("to", ["EUR", "USD"])
def test_every_day_is_converted_at_its_own_rate(
    warehouse: Warehouse, bill_rows: pl.DataFrame, to: str
) -> None:
    question = CostQuery(WHOLE.start, WHOLE.end, group_by=("ServiceName",), convert_to=to)
    found = costs(warehouse, question).to_pylist()
    assert {r["BillingCurrency"] for r in found} == {to}
    expected = by_hand(bill_rows, to)
    assert {r["ServiceName"] for r in found} == set(expected)
    for row in found:  # each row of the cube is rounded at the 18th decimal
        assert abs(row["EffectiveCost"] - expected[row["ServiceName"]]) < Decimal("1e-15")


def test_parts_add_up_to_the_whole_to_the_last_digit(warehouse: Warehouse) -> None:
    whole = CostQuery(WHOLE.start, WHOLE.end, convert_to="EUR")
    [total] = costs(warehouse, whole).to_pylist()
    for granularity in ("day", "week", "month"):
        parts = CostQuery(
            WHOLE.start, WHOLE.end, ("SubAccountId",), granularity=granularity, limit=2, convert_to="EUR"
        )
        found = costs(warehouse, parts).to_pylist()
        assert sum(r["EffectiveCost"] for r in found) == total["EffectiveCost"]
        assert sum(r["x_RowCount"] for r in found) == total["x_RowCount"]


def test_a_currency_filter_is_of_the_bill(warehouse: Warehouse) -> None:
    own = costs(warehouse, CostQuery(WHOLE.start, WHOLE.end, currency="EUR")).to_pylist()
    same = costs(warehouse, CostQuery(WHOLE.start, WHOLE.end, currency="EUR", convert_to="EUR")).to_pylist()
    assert same == own
    assert conversion(warehouse, CostQuery(WHOLE.start, WHOLE.end, currency="EUR", convert_to="EUR")) == []


def test_the_rates_are_told_with_their_day(warehouse: Warehouse) -> None:
    question = CostQuery(date(2026, 1, 4), date(2026, 1, 5), currency="USD", convert_to="EUR")
    [rate] = conversion(warehouse, question)
    assert (rate.currency, rate.day, rate.rate_day) == ("USD", date(2026, 1, 4), date(2026, 1, 3))
    assert rate.rate == (1 / Decimal("1.0502")).quantize(Decimal("1e-12"), ROUND_HALF_UP)
    assert rate.source == "rates.csv"


def test_a_missing_rate_is_an_error(warehouse: Warehouse) -> None:
    with pytest.raises(MissingRateError, match="No rate from EUR to GBP is known for 2026-01-01"):
        costs(warehouse, CostQuery(WHOLE.start, WHOLE.end, convert_to="GBP"))
    assert costs(warehouse, CostQuery(date(2020, 1, 1), date(2020, 2, 1), convert_to="GBP")).num_rows == 0


def read(tmp_path: Path, text: str) -> list[dict[str, Any]]:
    given, to = tmp_path / "rates.csv", tmp_path / "rates.parquet"
    given.write_text(text, encoding="utf-8")
    DuckDBEngine(tmp_path / "spill").write(
        load_sql("exchange_rates"), {}, EXCHANGE_RATES, to, (str(given), "ECB")
    )
    return pl.read_parquet(to).to_dicts()


def test_rates_are_read_in_the_form_of_the_central_bank(tmp_path: Path) -> None:
    text = "Date,USD,JPY,ROL,\n2026-01-05,1.0412,163.37,N/A,\n2026-01-02,1.0321,162.5,N/A,\n"
    assert read(tmp_path, text) == [
        {"rate_day": day, "currency": currency, "rate": Decimal(rate), "rate_source": "ECB"}
        for day, currency, rate in (
            (date(2026, 1, 2), "JPY", "162.5"),
            (date(2026, 1, 5), "JPY", "163.37"),
            (date(2026, 1, 2), "USD", "1.0321"),
            (date(2026, 1, 5), "USD", "1.0412"),
        )
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "Date,USD\n2026-01-05,cheap\n",
            "2026-01-05, column USD: expected a positive decimal number, found 'cheap'",
        ),
        ("Date,USD\n2026-01-05,0\n", "2026-01-05, column USD: expected a positive decimal number, found '0'"),
        ("Date,USD\n5 Jan,1.1\n", "column Date: expected a day such as 2026-01-31, found '5 Jan'"),
    ],
)
def test_a_wrong_rate_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(duckdb.Error, match=says):
        read(tmp_path, text)
