"""Cells of CSV files: exact, and never run as a formula."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_assets.queries.export import as_text

MONEY = pa.decimal128(38, 18)


@given(st.lists(st.one_of(st.none(), st.decimals(-(10**19), 10**19, places=18)), min_size=1))
def test_an_amount_keeps_every_digit(amounts: list[Decimal | None]) -> None:
    cells = as_text(pa.table({"cost": pa.array(amounts, MONEY)}))["cost"].to_pylist()
    for amount, cell in zip(amounts, cells, strict=True):
        assert (cell is None) == (amount is None)
        if amount is not None:
            assert Decimal(cell) == amount
            assert "E" not in cell.upper()
            assert not ("." in cell and cell.endswith("0"))


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t=", "\r", "\n-", "  =", "＝", "－"])
def test_a_text_that_is_a_formula_is_shown_not_run(begin: str) -> None:
    (cell,) = as_text(pa.table({"name": [f"{begin}cmd|' /C calc'!A0"]}))["name"].to_pylist()
    assert cell == f"'{begin}cmd|' /C calc'!A0"


@given(st.text())
def test_other_texts_stay(text: str) -> None:
    (cell,) = as_text(pa.table({"name": ["a" + text]}))["name"].to_pylist()
    assert cell == "a" + text


def test_other_kinds() -> None:
    table = pa.table(
        {
            "at": pa.array([datetime(2026, 1, 31, 23, 59, tzinfo=UTC)], pa.timestamp("us", "UTC")),
            "day": [date(2026, 1, 31)],
            "count": [-3],
            "share": [-0.5],
            "flag": [True],
            "nothing": pa.array([None], pa.string()),
        }
    )
    assert as_text(table).to_pylist() == [
        {
            "at": "2026-01-31T23:59:00Z",
            "day": "2026-01-31",
            "count": "-3",
            "share": "-0.5",
            "flag": "true",
            "nothing": None,
        }
    ]
