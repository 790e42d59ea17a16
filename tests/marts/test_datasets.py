"""FOCUS's other three datasets, from rows written by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from finops_assets.defs.datasets.assets import FORM_OF
from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.intake.tables import BILLS
from finops_assets.marts.datasets import DATASETS, NO_TERMS, dataset_sql
from finops_assets.normalize.formats import FORMAT_BY_NAME
from finops_assets.normalize.tables import costs_table

COSTS = costs_table(())
JANUARY, FEBRUARY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
PLAIN = {
    "InvoiceIssuerName": "Acme",
    "ServiceProviderName": "Acme",
    "BillingAccountId": "1",
    "BillingCurrency": "USD",
    "BillingPeriodStart": JANUARY,
    "BillingPeriodEnd": FEBRUARY,
    "ChargeCategory": "Usage",
    "InvoiceId": "A-1",
    "BilledCost": Decimal("1.10"),
    "x_Source": "acme",
    "x_BillingMonth": "2026-01",
}
PLAN = {
    "CommitmentDiscountId": "plan-1",
    "CommitmentDiscountCategory": "Spend",
    "CommitmentDiscountType": "Savings Plan",
    "CommitmentDiscountUnit": "USD",
}


def made(
    engine: DuckDBEngine,
    dataset: str,
    *changes: dict[str, Any],
    exported: datetime = MARCH,
    terms: str = NO_TERMS,
    delivered: list[dict[str, Any]] | None = None,
    **inputs: pa.Table,
) -> list[dict[str, Any]]:
    """The dataset of a bill of one row for each of `changes`, delivered in February and at `exported`.

    `delivered` are rows of the dataset as the source delivers it, in January unless they say otherwise.
    """
    costs = pa.Table.from_pylist([{**PLAIN, **c} for c in changes], schema=COSTS.arrow_schema())
    came = [
        {"bill_id": "1", "status": "superseded", "exported_at": FEBRUARY},
        {"bill_id": "2", "status": "accepted", "exported_at": exported},
    ]
    bills = pa.Table.from_pylist(came, schema=BILLS.arrow_schema())
    month = ""
    if delivered is not None:
        month = "2026-01"
        schema = FORM_OF[dataset].raw_table().arrow_schema()
        given = [
            {"x_BillingMonth": month, "x_File": "list.csv", "x_RowNumber": 1, **row} for row in delivered
        ]
        inputs["delivered"] = pa.Table.from_pylist(given, schema=schema)
    sql = dataset_sql(dataset, terms, delivered_for=month)
    rows: list[dict[str, Any]] = engine.fetch(sql, {"costs": costs, "bills": bills, **inputs}).to_pylist()
    assert all(row.keys() == {c.name for c in DATASETS[dataset].stored_columns()} for row in rows)
    return rows


@pytest.mark.parametrize(
    ("invoices", "exported", "status"),
    [
        (("A-1", "A-1"), MARCH, "Closed"),
        (("A-1", None), MARCH, "Open"),
        ((None, None), MARCH, None),  # a provider that does not number invoices: nobody knows
        (("A-1", "A-1"), datetime(2026, 1, 20, tzinfo=UTC), "Open"),
        ((None, None), datetime(2026, 1, 20, tzinfo=UTC), "Open"),
    ],
)
def test_a_period_is_closed_when_everything_is_invoiced(
    engine: DuckDBEngine, invoices: tuple[str | None, ...], exported: datetime, status: str | None
) -> None:
    (period,) = made(engine, "BillingPeriod", *({"InvoiceId": i} for i in invoices), exported=exported)
    assert period["BillingPeriodStatus"] == status
    assert ("BillingPeriodStatus" in (period["x_Unstated"] or "")) == (status is None)
    assert ("BillingPeriodStatus" in period["x_Inferred"]) == (status is not None)
    first = min(FEBRUARY, exported)
    assert (period["BillingPeriodCreated"], period["BillingPeriodLastUpdated"]) == (first, exported)
    assert period["x_RowCount"] == 2


def test_the_lines_of_an_invoice_add_up_to_its_charges(engine: DuckDBEngine) -> None:
    lines = made(
        engine,
        "InvoiceDetail",
        {},
        {"BilledCost": Decimal("0.000000000000000001")},
        {"ChargeCategory": "Tax", "BilledCost": Decimal("0.21")},
        {"InvoiceId": None, "BilledCost": Decimal(7)},
        {"InvoiceDetailId": "line 9", "BilledCost": Decimal(-3)},
        {"BillingCurrency": "EUR"},
    )
    found = {
        (line["InvoiceDetailId"], line["BillingCurrency"]): (line["BilledCost"], line["InvoiceIssueStatus"])
        for line in lines
    }
    assert found == {
        ("A-1/1/2026-01/Usage", "USD"): (Decimal("1.100000000000000001"), "Issued"),
        ("A-1/1/2026-01/Tax", "USD"): (Decimal("0.21"), "Issued"),
        ("1/2026-01/Usage", "USD"): (Decimal(7), None),
        ("line 9", "USD"): (Decimal(-3), "Issued"),
        ("A-1/1/2026-01/Usage", "EUR"): (Decimal("1.10"), "Issued"),
    }
    by_id = {line["InvoiceDetailId"]: line for line in lines if line["BillingCurrency"] == "USD"}
    assert "InvoiceDetailId" in by_id["A-1/1/2026-01/Tax"]["x_Inferred"]
    assert "InvoiceDetailId" not in by_id["line 9"]["x_Inferred"]
    assert by_id["line 9"]["x_Unstated"] == "PaymentTerms,ReferenceInvoiceId"
    assert by_id["1/2026-01/Usage"]["x_Unstated"].startswith("InvoiceId,")


def test_lines_that_are_delivered_stand_as_they_are(engine: DuckDBEngine) -> None:
    """Two records of one line are two amounts; nothing that we would make of the bill is beside them."""
    line = {"InvoiceIssuerName": "Acme", "InvoiceId": "A-1", "InvoiceDetailId": "9", "BillingCurrency": "USD"}
    lines = made(
        engine,
        "InvoiceDetail",
        {"InvoiceDetailId": "9"},
        {"InvoiceDetailId": "9"},
        {},
        delivered=[
            {**line, "BilledCost": Decimal("2.2"), "InvoiceIssueStatus": "Issued"},
            {**line, "BilledCost": Decimal("0.1")},
        ],
    )
    assert [(row["InvoiceDetailId"], row["BilledCost"], row["x_RowCount"]) for row in lines] == [
        ("9", Decimal("2.2"), 2),
        ("9", Decimal("0.1"), 2),
    ]
    assert all(row["x_Inferred"] is None for row in lines)
    assert "InvoiceIssueStatus" in lines[1]["x_Unstated"]
    assert "InvoiceIssueStatus" not in lines[0]["x_Unstated"]


def test_a_period_that_is_delivered_says_itself_whether_it_is_closed(engine: DuckDBEngine) -> None:
    period = {"InvoiceIssuerName": "Acme", "BillingPeriodStart": JANUARY, "BillingPeriodEnd": FEBRUARY}
    (found,) = made(engine, "BillingPeriod", {}, {}, delivered=[{**period, "BillingPeriodStatus": "Open"}])
    assert (found["BillingPeriodStatus"], found["x_RowCount"]) == ("Open", 2)
    assert found["x_Inferred"] is None


def test_a_delivered_list_tells_the_terms_of_commitments(engine: DuckDBEngine) -> None:
    """The newest list counts; what no charge names stands only in the month of its delivery."""
    plan = {"ContractCommitmentId": "plan-1", "ContractCommitmentType": "Compute plan", "ContractId": "C"}
    older = [{**plan, "ContractCommitmentType": "Old plan", "x_BillingMonth": "2025-12"}]
    named, other = made(
        engine, "ContractCommitment", PLAN, delivered=[*older, plan, {"ContractCommitmentId": "plan-2"}]
    )
    assert (named["ContractCommitmentId"], named["ContractId"], named["x_RowCount"]) == ("plan-1", "C", 1)
    assert named["ContractCommitmentType"] == "Compute plan"
    assert named["ContractCommitmentCategory"] == "Spend"  # the list says nothing: what the charges say
    assert "ContractCommitmentBenefitCategory" in named["x_Inferred"]
    assert (other["ContractCommitmentId"], other["x_RowCount"]) == ("plan-2", 0)
    stated = [{**plan, "ContractCommitmentBenefitCategory": "Discount"}]
    (known,) = made(engine, "ContractCommitment", PLAN, delivered=stated)
    assert known["x_Inferred"] is None
    later = [
        {**plan, "x_BillingMonth": "2026-02"},
        {"ContractCommitmentId": "x", "x_BillingMonth": "2026-02"},
    ]
    (only,) = made(engine, "ContractCommitment", PLAN, delivered=later)
    assert (only["ContractCommitmentId"], only["ContractId"]) == ("plan-1", "C")


def test_a_commitment_is_what_its_rows_say(engine: DuckDBEngine) -> None:
    (plan,) = made(engine, "ContractCommitment", PLAN, {**PLAN, "ChargeCategory": "Purchase"}, {})
    assert plan["ContractCommitmentId"] == "plan-1"
    assert (plan["ContractCommitmentCategory"], plan["ContractCommitmentType"]) == ("Spend", "Savings Plan")
    assert plan["x_RowCount"] == 2
    assert plan["ContractCommitmentPeriodStart"] is None
    assert {"ContractId", "ContractCommitmentPeriodStart"} <= set(plan["x_Unstated"].split(","))


def test_contracts_that_charges_name_are_there_too(engine: DuckDBEngine) -> None:
    applied = (
        '{"Elements": [{"ContractId": "EDP", "ContractCommitmentId": "edp-2026"},'
        ' {"ContractId": "C", "ContractCommitmentId": "plan-1"}]}'
    )
    found = made(
        engine, "ContractCommitment", {**PLAN, "ContractApplied": applied}, {"ContractApplied": "no"}
    )
    assert {
        r["ContractCommitmentId"]: (r["ContractId"], r["ContractCommitmentType"], r["x_RowCount"])
        for r in found
    } == {"edp-2026": ("EDP", None, 1), "plan-1": ("C", "Savings Plan", 1)}


@pytest.mark.parametrize(
    ("ends", "lifecycle"), [("2027-03-01T00:00:00Z", "Active"), ("2026-01-15T00:00:00Z", "Expired")]
)
def test_aws_tells_the_terms(engine: DuckDBEngine, ends: str, lifecycle: str) -> None:
    form = FORMAT_BY_NAME["aws_cur2"]
    assert form.commitments_sql is not None
    told = {
        "savings_plan_savings_plan_a_r_n": "plan-1",
        "savings_plan_start_time": "2025-03-01T00:00:00.000Z",
        "savings_plan_end_time": ends,
        "savings_plan_payment_option": "No Upfront",
    }
    usage = {
        "line_item_usage_type": "BoxUsage",
        "pricing_purchase_option": "",
        "reservation_reservation_a_r_n": "",
    }
    raw = pa.Table.from_pylist([told, told, usage], schema=form.raw_table().arrow_schema())
    (plan,) = made(engine, "ContractCommitment", PLAN, terms=form.commitments_sql, raw=raw)
    assert plan["ContractCommitmentPeriodStart"] == datetime(2025, 3, 1, tzinfo=UTC)
    assert (plan["ContractCommitmentPaymentModel"], plan["ContractCommitmentPaymentInterval"]) == (
        "No Upfront",
        "Monthly",
    )
    assert plan["ContractCommitmentFulfillmentInterval"] == "Hourly"
    assert plan["ContractCommitmentLifecycleStatus"] == lifecycle


def test_both_aws_reports_tell_the_same_terms(engine: DuckDBEngine) -> None:
    stated = {
        "reservation_reservation_a_r_n": "ri-1",
        "reservation_start_time": "2025-01-01T00:00:00Z",
        "reservation_end_time": "2026-01-01T00:00:00Z",
        "pricing_purchase_option": "All Upfront",
    }
    legacy = {
        "reservation/ReservationARN": "ri-1",
        "reservation/StartTime": "2025-01-01T00:00:00Z",
        "reservation/EndTime": "2026-01-01T00:00:00Z",
        "pricing/PurchaseOption": "All Upfront",
    }
    found = []
    for name, row in (("aws_cur2", stated), ("aws_cur_legacy", legacy)):
        form = FORMAT_BY_NAME[name]
        assert form.commitments_sql is not None
        raw = pa.Table.from_pylist([row], schema=form.raw_table().arrow_schema())
        found.append(engine.fetch(form.commitments_sql, {"raw": raw}).to_pylist())
    assert (
        found[0]
        == found[1]
        == [
            {
                "CommitmentDiscountId": "ri-1",
                "PeriodStart": datetime(2025, 1, 1, tzinfo=UTC),
                "PeriodEnd": datetime(2026, 1, 1, tzinfo=UTC),
                "PaymentModel": "All Upfront",
                "FulfillmentInterval": "Hourly",
            }
        ]
    )
