"""Invoices of bills written by hand, against sums made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_assets.marts.invoices import INVOICES, UNEQUAL, finality, invoices_sql
from finops_assets.normalize.formats import FORMAT_BY_NAME
from tests.marts.charges import ask, bill, table

FOCUS = FORMAT_BY_NAME["focus"]
MONEY = pa.decimal128(38, 18)


def invoices(
    costs: list[dict[str, Any]], raw: list[dict[str, Any]] | None = None
) -> dict[tuple[str | None, str], dict[str, Any]]:
    """What `invoices` says of these rows, by number and currency; delivered as they are without `raw`."""
    delivered = table(costs if raw is None else raw)
    found = ask(invoices_sql([FOCUS]), costs=table(costs), raw_focus=delivered, bills=bill())
    assert {name for row in found for name in row} == {c.name for c in INVOICES.stored_columns()}
    return {(row["InvoiceId"], row["BillingCurrency"]): row for row in found}


def test_an_invoice_is_what_its_rows_come_to_by_hand() -> None:
    found = invoices(
        [
            {"BilledCost": "10.005"},
            {"BilledCost": "20.25", "ChargePeriodStart": "2026-01-31 23:30:00+00"},
            {"BilledCost": "5.75", "ChargeCategory": "Tax", "ServiceName": "Tax"},
            {"BilledCost": "-4", "ChargeCategory": "Credit", "ChargePeriodStart": "2026-01-01 00:00:00+00"},
            {"InvoiceId": "M-9", "BilledCost": "99", "ServiceProviderName": "Datadog, Inc."},
            {
                "InvoiceId": "M-9",
                "BilledCost": "1",
                "ChargeCategory": "Tax",
                "x_PublisherName": "Datadog, Inc.",
            },
            {"InvoiceId": "", "BilledCost": "7"},
        ]
    )
    one, other, none = found["A-1", "USD"], found["M-9", "USD"], found[None, "USD"]
    assert one["BilledCost"] == one["raw_total"] == Decimal("32.005")
    assert (one["tax"], one["marketplace"], one["credits"]) == (Decimal("5.75"), 0, -4)
    assert (str(one["first_day"]), str(one["last_day"]), one["x_RowCount"]) == ("2026-01-01", "2026-01-31", 4)
    assert (other["BilledCost"], other["tax"], other["marketplace"]) == (100, 1, 100)
    assert (none["BilledCost"], none["x_RowCount"]) == (7, 1)
    assert all(row["passed"] and row["residual"] == 0 for row in found.values())
    assert {n: row["is_final"] for (n, _), row in found.items()} == {"A-1": True, "M-9": True, None: False}


def test_a_cost_that_left_its_invoice_is_seen_on_both() -> None:
    delivered: list[dict[str, Any]] = [{"BilledCost": "10"}, {"BilledCost": "2.5", "InvoiceId": "B-2"}]
    moved: list[dict[str, Any]] = [{"BilledCost": "10"}, {"BilledCost": "2.5"}]
    found = invoices(moved, delivered)
    assert {n: (row["residual"], row["passed"]) for (n, _), row in found.items()} == {
        "A-1": (Decimal("2.5"), False),
        "B-2": (Decimal("-2.5"), False),
    }
    assert found["B-2", "USD"]["x_RowCount"] == 0


@pytest.mark.parametrize(
    ("of_bill", "number", "expected"),
    [
        ({"version": None, "form": "aws_cur2"}, None, (True, True)),  # AWS will number it
        ({"version": "1.2", "form": "aws_focus"}, None, (True, True)),
        ({"version": "1.0", "form": "aws_focus"}, None, (False, True)),  # FOCUS had no numbers then
        ({"version": None, "form": "azure_actual"}, None, (False, True)),  # an enrollment
        ({"version": None, "form": "azure_actual"}, "G1", (True, True)),
        ({"version": None, "form": "gcp_standard"}, None, (False, True)),
        ({"exported": datetime(2026, 1, 31, 23, 59, tzinfo=UTC)}, None, (False, False)),
        ({"exported": datetime(2026, 2, 1, tzinfo=UTC)}, None, (False, True)),
    ],
)
def test_whether_a_number_or_a_day_is_still_to_come(
    of_bill: dict[str, Any], number: str | None, expected: tuple[bool, bool]
) -> None:
    sql = finality([FORMAT_BY_NAME[of_bill.get("form", "focus")]])
    parts = pa.table({"InvoiceId": pa.array([None, number], pa.string())})
    (found,) = ask(sql, bills=bill(**of_bill), parts=parts)
    assert (found["is_numbered"], found["month_is_over"]) == expected


@pytest.mark.parametrize(
    ("provider", "name", "is_other"),
    [
        ("AWS", "Amazon Web Services India Private Limited", False),
        ("AWS", "AWS", False),
        ("Microsoft", "Microsoft Ireland Operations Limited", False),
        ("AWS", "Awesome Metrics Ltd", True),
        ("AWS", "Microsoft Corporation", True),
        ("Acme", "Acme", False),
        ("Acme", "Acme Partners", True),
    ],
)
def test_other_sellers_are_told_from_the_providers_own_companies(
    provider: str, name: str, is_other: bool
) -> None:
    usual = {"ServiceProviderName": provider, "InvoiceIssuerName": provider, "x_PublisherName": provider}
    found = invoices([usual, usual, {**usual, "BilledCost": "3", "x_PublisherName": name}])
    assert found["A-1", "USD"]["marketplace"] == (3 if is_other else 0)


def test_what_does_not_add_up_is_named() -> None:
    held = pa.table(
        {
            "InvoiceId": ["A-1", None],
            "BillingCurrency": ["USD", "EUR"],
            "raw_total": pa.array([Decimal(10), Decimal(4)], MONEY),
            "BilledCost": pa.array([Decimal(11), Decimal(4)], MONEY),
            "passed": [False, True],
        }
    )
    cube = pa.table({"BillingCurrency": ["USD"], "BilledCost": pa.array([Decimal(11)], MONEY)})
    found = ask(UNEQUAL, invoices=held, daily_costs=cube)
    assert [tuple(row.values()) for row in found] == [
        ("all invoices", "EUR", "daily_costs", Decimal(0), Decimal(4)),
        ("invoice A-1", "USD", "the raw rows", Decimal(10), Decimal(11)),
    ]


AMOUNTS = st.decimals(-(10**6), 10**6, places=10, allow_nan=False)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from(["A", "B", None]), st.sampled_from(["USD", "JPY"]), AMOUNTS), min_size=1
    )
)
def test_invoices_hold_every_row_once(rows: list[tuple[str | None, str, Decimal]]) -> None:
    """By Python's own sums of the rows."""
    found = invoices([{"InvoiceId": i, "BillingCurrency": c, "BilledCost": f"{a:f}"} for i, c, a in rows])
    expected: dict[tuple[str | None, str], tuple[Decimal, int]] = {}
    for number, currency, amount in rows:
        total, many = expected.get((number, currency), (Decimal(0), 0))
        expected[number, currency] = (total + amount, many + 1)
    assert {key: (row["BilledCost"], row["x_RowCount"]) for key, row in found.items()} == expected
    assert all(row["residual"] == 0 for row in found.values())
