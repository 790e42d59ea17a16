"""Amounts that an invoice should come to, against bills whose sums and residuals were made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_assets.defs.quality.control_totals import configured_totals
from finops_assets.marts.control_totals import CONTROL_TOTALS, control_totals_sql
from finops_assets.normalize.formats import FORMAT_BY_NAME
from finops_assets.settings import ControlTotal
from tests.marts.charges import ask, bill, invoice_details, table

BILL: list[dict[str, Any]] = [
    {"BilledCost": "100.004"},
    {"BilledCost": "50.004", "ServiceName": "Storage"},
    {"BilledCost": "-20", "ChargeCategory": "Credit"},
    {"BilledCost": "28.5", "ChargeCategory": "Tax", "ServiceName": "Tax"},
    {"BilledCost": "30", "ServiceProviderName": "Datadog, Inc.", "x_PublisherName": "Datadog, Inc."},
    {"BilledCost": "5.7", "ServiceProviderName": "Datadog, Inc.", "ChargeCategory": "Tax"},
]
"""194.208 in all: 34.2 of it tax, 35.7 the marketplace's (5.7 of that its tax), 20 given back as credits."""


def total(amount: str, invoice: str | None = None, currency: str = "USD") -> ControlTotal:
    return ControlTotal.model_validate(
        {"source": "s", "month": "2026-01", "invoice": invoice, "amount": amount, "currency": currency}
    )


def held(
    rows: list[dict[str, Any]],
    *totals: ControlTotal,
    form: str = "focus",
    invoiced: pa.Table | None = None,
    **of_bill: Any,
) -> list[dict[str, Any]]:
    """Outcomes in the order of the amounts, each under its table's columns."""
    found = ask(
        control_totals_sql([FORMAT_BY_NAME[form]]),
        costs=table(rows),
        bills=bill(form=form, **of_bill),
        configured=configured_totals(totals),
        invoice_details=invoice_details() if invoiced is None else invoiced,
    )
    assert all(row.keys() == {c.name for c in CONTROL_TOTALS.stored_columns()} for row in found)
    place = {(t.invoice, t.currency): n for n, t in enumerate(totals)}
    return sorted(found, key=lambda row: place.get((row["InvoiceId"], row["BillingCurrency"]), len(place)))


@pytest.mark.parametrize(
    ("amount", "residual", "cause"),
    [
        ("194.21", "-0.002", None),  # the bill, to the cent
        ("194.208", "0", None),
        ("194.2", "0.008", None),
        ("194", "0.208", None),
        ("160.01", "34.198", "tax"),  # 194.208 - 34.2 = 160.008
        ("158.51", "35.698", "marketplace"),  # 194.208 - 35.7 = 158.508
        ("214.21", "-20.002", "credits"),  # 194.208 + 20 = 214.208
        ("130.01", "64.198", "tax and marketplace"),  # 194.208 - 34.2 - 30: the marketplace's tax once
        ("180.01", "14.198", "tax and credits"),
        ("178.51", "15.698", "marketplace and credits"),
        ("150.01", "44.198", "tax, marketplace and credits"),
        ("194.20", "0.008", "rounding"),  # 100.00 + 50.00 - 20.00 + 28.50 + 30.00 + 5.70, a cent each
        ("194.16", "0.048", "rounding"),  # less than a cent for each of five lines
        ("194.15", "0.058", "unexplained"),
        ("1194.21", "-1000.002", "unexplained"),
        ("160.03", "34.178", "unexplained"),  # not tax: two cents off
    ],
)
def test_a_residual_and_its_cause_by_hand(amount: str, residual: str, cause: str | None) -> None:
    (row,) = held(BILL, total(amount, "A-1"))
    assert row["found"] == Decimal("194.208")
    assert row["expected"] == Decimal(amount)
    assert row["residual"] == Decimal(residual)
    assert (row["passed"], row["cause"]) == (cause is None, cause)


def test_rows_rounded_one_by_one_are_rounding_however_many() -> None:
    """A thousand rows of 0.004 come to 4.00; an invoice that rounds each comes to nothing."""
    (row,) = held([{"BilledCost": "0.004"}] * 1000, total("0.00", "A-1"))
    assert (row["residual"], row["cause"]) == (Decimal(4), "rounding")
    (row,) = held([{"BilledCost": "0.004"}] * 1000, total("0.01", "A-1"))
    assert row["cause"] == "unexplained"


def test_an_amount_is_of_its_invoice_or_of_all_of_the_month() -> None:
    rows = [*BILL, {"BilledCost": "1.5", "InvoiceId": "B-2"}, {"BilledCost": "9", "BillingCurrency": "EUR"}]
    found = held(
        rows, total("194.21", "A-1"), total("1.50", "B-2"), total("195.71"), total("9.00", currency="EUR")
    )
    assert [(row["found"], row["passed"]) for row in found] == [
        (Decimal("194.208"), True),
        (Decimal("1.5"), True),
        (Decimal("195.708"), True),
        (Decimal(9), True),
    ]


UNNUMBERED = [{**row, "InvoiceId": None} for row in BILL]
OPEN = datetime(2026, 1, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rows", "invoice", "of_bill", "cause"),
    [
        (BILL, None, {"exported": OPEN}, "not final"),  # days are still to come
        (BILL, "A-1", {"exported": OPEN}, "unexplained"),  # a numbered invoice is final, whatever the day
        (UNNUMBERED, None, {"form": "aws_cur2", "version": None}, "not final"),  # AWS will number it
        (UNNUMBERED, "A-1", {"form": "aws_cur2", "version": None}, "not final"),
        (UNNUMBERED, None, {"form": "gcp_standard", "version": None}, "unexplained"),  # Google never does
        (UNNUMBERED, "A-1", {"form": "gcp_standard", "version": None}, "no such charges"),
        ([*BILL, UNNUMBERED[0]], None, {}, "not final"),  # some rows wait for their invoice
        (BILL, "A-2", {}, "no such charges"),
    ],
)
def test_what_is_to_come_and_what_is_not_there(
    rows: list[dict[str, Any]], invoice: str | None, of_bill: dict[str, Any], cause: str
) -> None:
    (row,) = held(rows, total("500.00", invoice), **of_bill)
    assert (row["passed"], row["cause"]) == (False, cause)


def test_a_month_without_a_bill_says_so() -> None:
    sql = control_totals_sql([])
    none = {"costs": table(BILL).slice(0, 0), "bills": bill().slice(0, 0)}
    (row,) = ask(
        sql, configured=configured_totals([total("10.00")]), invoice_details=invoice_details(), **none
    )
    assert (row["found"], row["residual"], row["cause"]) == (0, -10, "no bill")


def test_other_currencies_are_no_such_charges() -> None:
    (row,) = held(BILL, total("194.21", "A-1", "EUR"))
    assert (row["found"], row["cause"]) == (0, "no such charges")


def test_a_providers_own_invoices_are_held_too() -> None:
    """The lines of A-1 leave tax out, 194.208 - 34.2; A-2 is nowhere on the bill; A-3 and A-4 bind nobody."""
    invoiced = invoice_details(
        {"BilledCost": "160.000"},
        {"BilledCost": "0.008"},
        {"InvoiceId": "A-2", "BilledCost": "7"},
        {"InvoiceId": "A-3", "BilledCost": "9", "InvoiceIssueStatus": "Voided"},
        {"InvoiceId": "A-4", "BilledCost": "9", "InvoiceIssueStatus": "Open"},
    )
    found = {
        (row["InvoiceId"], row["given_by"]): (row["expected"], row["digits"], row["residual"], row["cause"])
        for row in held(BILL, total("194.21", "A-1"), invoiced=invoiced)
    }
    assert found == {
        ("A-1", "finops.toml"): (Decimal("194.21"), 2, Decimal("-0.002"), None),
        ("A-1", "Invoice Detail"): (Decimal("160.008"), 3, Decimal("34.2"), "tax"),
        ("A-2", "Invoice Detail"): (Decimal(7), 2, Decimal(-7), "no such charges"),
    }


def test_lines_that_were_made_of_the_bill_prove_nothing() -> None:
    assert held(BILL, invoiced=invoice_details({"BilledCost": "1"}, inferred="InvoiceDetailId")) == []


AMOUNTS = st.decimals(-(10**6), 10**6, places=8, allow_nan=False)


@settings(deadline=None, max_examples=40)
@given(st.lists(AMOUNTS, min_size=1, max_size=8), st.integers(0, 8))
def test_what_a_bill_rounds_to_passes_and_more_than_half_a_unit_off_does_not(
    amounts: list[Decimal], digits: int
) -> None:
    """Rounded by Python's decimal."""
    exact = sum(amounts, Decimal(0))
    unit = Decimal(1).scaleb(-digits)
    rounded = exact.quantize(unit, rounding=ROUND_HALF_UP)
    rows = [{"BilledCost": f"{a:f}"} for a in amounts]
    (row,) = held(rows, total(f"{rounded:f}", "A-1"))
    assert (row["passed"], row["residual"], row["digits"]) == (True, exact - rounded, digits)
    off = rounded + (unit if exact <= rounded else -unit)
    (row,) = held(rows, total(f"{off:f}", "A-1"))
    assert row["passed"] is (abs(exact - off) * 2 <= unit)


def test_amounts_travel_as_they_are_written() -> None:
    given_rows = configured_totals([total("0.000000000000000001"), total("12", "A-1")])
    assert given_rows["digits"].to_pylist() == [18, 0]
    assert given_rows.schema.field("expected").type == pa.decimal128(38, 18)
