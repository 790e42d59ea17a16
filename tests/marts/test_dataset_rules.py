"""The rules of FOCUS's other datasets, and of these and the bill together, on rows written by hand."""

from __future__ import annotations

from typing import TypeAlias

import pytest

from tests.marts.held import dataset_failed
from tests.marts.test_conformance import GOOD

Row: TypeAlias = dict[str, str | None]

JANUARY, FEBRUARY = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
LINE: Row = {
    "BilledCost": "10.00",
    "BillingAccountId": "1",
    "BillingCurrency": "USD",
    "BillingPeriodStart": JANUARY,
    "BillingPeriodEnd": FEBRUARY,
    "ChargeCategory": "Usage",
    "InvoiceDetailCreated": FEBRUARY,
    "InvoiceDetailGrain": '{"ChargeCategory": "Usage"}',
    "InvoiceDetailId": "A-1/1",
    "InvoiceDetailLastUpdated": FEBRUARY,
    "InvoiceId": "A-1",
    "InvoiceIssueDate": FEBRUARY,
    "InvoiceIssueStatus": "Issued",
    "InvoiceIssuerName": "Acme",
    "PaymentTerms": "30 days",
    "ReferenceInvoiceId": "A-1",
}
PERIOD: Row = {
    "BillingPeriodCreated": JANUARY,
    "BillingPeriodStart": JANUARY,
    "BillingPeriodEnd": FEBRUARY,
    "BillingPeriodLastUpdated": FEBRUARY,
    "BillingPeriodStatus": "Closed",
    "InvoiceIssuerName": "Acme",
}
COMMITMENT: Row = {
    "BillingCurrency": "USD",
    "ContractCommitmentApplicability": '{"Elements": []}',
    "ContractCommitmentBenefitCategory": "Discount",
    "ContractCommitmentCategory": "Spend",
    "ContractCommitmentCost": "8760",
    "ContractCommitmentCreated": JANUARY,
    "ContractCommitmentDiscountPercentage": "0.25",
    "ContractCommitmentDurationType": "1 Year",
    "ContractCommitmentFulfillmentInterval": "Hourly",
    "ContractCommitmentId": "plan-1",
    "ContractCommitmentLastUpdated": JANUARY,
    "ContractCommitmentLifecycleStatus": "Active",
    "ContractCommitmentModel": "Continuous",
    "ContractCommitmentOfferCategory": "Public",
    "ContractCommitmentPaymentInterval": "Monthly",
    "ContractCommitmentPaymentModel": "No Upfront",
    "ContractCommitmentPaymentUpfrontPercentage": "0",
    "ContractCommitmentPeriodStart": JANUARY,
    "ContractCommitmentPeriodEnd": "2027-01-01T00:00:00Z",
    "ContractCommitmentType": "Savings Plan",
    "ContractId": "C-1",
    "ContractPeriodStart": JANUARY,
    "ContractPeriodEnd": "2027-01-01T00:00:00Z",
    "InvoiceIssuerName": "Acme",
    "ServiceProviderName": "Acme",
}
CHARGE: Row = {
    **GOOD,
    "BilledCost": "10.00",
    "InvoiceIssuerName": "Acme",
    "InvoiceId": "A-1",
    "BillingPeriodStart": JANUARY,
    "BillingPeriodEnd": FEBRUARY,
    "ChargePeriodStart": "2026-01-05T00:00:00Z",
}
APPLIED = '{"Elements": [{"ContractCommitmentId": "plan-1", "ContractId": "C-1"}]}'
TAX: Row = {**LINE, "ChargeCategory": "Tax", "InvoiceDetailId": "A-1/2", "BilledCost": "2.10"}


def test_good_rows_keep_every_rule() -> None:
    assert dataset_failed("InvoiceDetail", [LINE, TAX], [CHARGE]) == {}
    assert dataset_failed("BillingPeriod", [PERIOD], [CHARGE]) == {}
    used = {**CHARGE, "CommitmentDiscountId": "plan-1", "ContractApplied": APPLIED}
    assert dataset_failed("ContractCommitment", [COMMITMENT], [used]) == {}


def test_a_dataset_without_a_bill_is_held_to_what_it_says_itself() -> None:
    for dataset, row in (
        ("InvoiceDetail", LINE),
        ("BillingPeriod", PERIOD),
        ("ContractCommitment", COMMITMENT),
    ):
        assert dataset_failed(dataset, [row]) == {}


@pytest.mark.parametrize(
    ("dataset", "row", "change", "rule"),
    [
        ("InvoiceDetail", LINE, {"InvoiceId": None}, "InvoiceDetail.InvoiceId-Not-Null"),
        (
            "InvoiceDetail",
            LINE,
            {"InvoiceIssueStatus": "Paid"},
            "InvoiceDetail.InvoiceIssueStatus-Allowed-Value",
        ),
        ("InvoiceDetail", LINE, {"InvoiceDetailGrain": "[]"}, "InvoiceDetail.InvoiceDetailGrain-Key-Value"),
        ("InvoiceDetail", LINE, {"BillingPeriodEnd": JANUARY}, "InvoiceDetail.BillingPeriod-Order"),
        ("InvoiceDetail", LINE, {"InvoiceDetailLastUpdated": JANUARY}, "InvoiceDetail.Updated-After-Created"),
        (
            "BillingPeriod",
            PERIOD,
            {"BillingPeriodStatus": None},
            "BillingPeriod.BillingPeriodStatus-Not-Null",
        ),
        ("BillingPeriod", PERIOD, {"BillingPeriodEnd": JANUARY}, "BillingPeriod.BillingPeriod-Order"),
        (
            "ContractCommitment",
            COMMITMENT,
            {"ContractCommitmentDiscountPercentage": "1.5"},
            "ContractCommitment.ContractCommitmentDiscountPercentage-Share",
        ),
        (
            "ContractCommitment",
            COMMITMENT,
            {"ContractCommitmentCost": None},
            "ContractCommitment.Spend-Has-Cost",
        ),
        (
            "ContractCommitment",
            {**COMMITMENT, "ContractCommitmentCategory": "Usage"},
            {"ContractCommitmentCost": None},
            "ContractCommitment.Usage-Has-Quantity",
        ),
        (
            "ContractCommitment",
            COMMITMENT,
            {"ContractCommitmentQuantity": "5"},
            "ContractCommitment.Quantity-Has-Unit",
        ),
        (
            "ContractCommitment",
            COMMITMENT,
            {"ContractCommitmentPaymentModel": "All Upfront"},
            "ContractCommitment.Upfront-Share",
        ),
        (
            "ContractCommitment",
            COMMITMENT,
            {"ContractCommitmentPeriodEnd": JANUARY},
            "ContractCommitment.Period-Order",
        ),
    ],
)
def test_a_row_breaks_its_rule(dataset: str, row: Row, change: Row, rule: str) -> None:
    assert dataset_failed(dataset, [row]) == {}
    assert dataset_failed(dataset, [{**row, **change}]).get(rule) == 1


def test_an_issued_invoice_is_its_charges_but_for_rounding() -> None:
    """FOCUS lets a hundred cents pass, or half a cent for the root of the rows: 1.00 on few rows."""
    rule = "InvoiceDetail.Invoice-Equals-Its-Charges"
    for billed, broken in (("11.00", False), ("11.01", True), ("8.99", True)):
        found = dataset_failed("InvoiceDetail", [LINE, TAX], [{**CHARGE, "BilledCost": billed}])
        assert (rule in found) is broken, billed
    assert rule in dataset_failed("InvoiceDetail", [LINE], [{**CHARGE, "InvoiceId": "A-2"}])
    still_open = {**LINE, "InvoiceIssueStatus": "Open"}
    assert dataset_failed("InvoiceDetail", [still_open], [{**CHARGE, "BilledCost": "99"}]) == {}


def test_many_rows_may_round_further_apart() -> None:
    """90,000 rows: half a cent for each of 300, 1.50."""
    rule = "InvoiceDetail.Invoice-Equals-Its-Charges"
    small = [{**CHARGE, "BilledCost": "0"}] * 89_999
    assert rule not in dataset_failed("InvoiceDetail", [LINE], [*small, {**CHARGE, "BilledCost": "11.50"}])
    assert rule in dataset_failed("InvoiceDetail", [LINE], [*small, {**CHARGE, "BilledCost": "11.51"}])


def test_a_currency_without_cents_rounds_by_whole_units() -> None:
    rule = "InvoiceDetail.Invoice-Equals-Its-Charges"
    yen = [{**LINE, "BillingCurrency": "JPY"}]
    charge = {**CHARGE, "BillingCurrency": "JPY"}
    assert rule not in dataset_failed("InvoiceDetail", yen, [{**charge, "BilledCost": "110"}])
    assert rule in dataset_failed("InvoiceDetail", yen, [{**charge, "BilledCost": "111"}])


def test_a_line_is_its_charges_where_they_name_one() -> None:
    rule = "InvoiceDetail.Line-Equals-Its-Charges"
    charges = [
        {**CHARGE, "InvoiceDetailId": "A-1/1"},
        {**CHARGE, "InvoiceDetailId": "A-1/9", "BilledCost": "5"},
    ]
    found = dataset_failed(
        "InvoiceDetail", [LINE, {**LINE, "InvoiceDetailId": "A-1/9", "BilledCost": "0"}], charges
    )
    assert found == {rule: 2, "InvoiceDetail.Invoice-Equals-Its-Charges": 4}  # lines and charges


def test_the_period_of_every_charge_is_there() -> None:
    other = {**CHARGE, "BillingPeriodStart": "2025-12-01T00:00:00Z", "BillingPeriodEnd": JANUARY}
    assert dataset_failed("BillingPeriod", [PERIOD], [CHARGE, other, other]) == {
        "BillingPeriod.Of-Every-Charge": 2
    }


def test_a_closed_period_has_no_charge_without_an_invoice() -> None:
    bill = [CHARGE, {**CHARGE, "InvoiceId": None}]
    assert dataset_failed("BillingPeriod", [PERIOD], bill) == {"BillingPeriod.Closed-Is-Invoiced": 2}
    assert dataset_failed("BillingPeriod", [{**PERIOD, "BillingPeriodStatus": "Open"}], bill) == {}


def test_commitments_of_charges_are_there_and_in_force() -> None:
    applied = {**CHARGE, "ContractApplied": APPLIED.replace("plan-1", "plan-9")}
    late = {**CHARGE, "CommitmentDiscountId": "plan-1", "ChargePeriodStart": "2027-01-01T00:00:00Z"}
    assert dataset_failed("ContractCommitment", [COMMITMENT, COMMITMENT], [applied, late]) == {
        "ContractCommitment.Of-Every-Contract-Applied": 1,
        "ContractCommitment.Holds-Its-Usage": 2,  # the list has the plan twice
        "ContractCommitment.One-Row": 2,
    }


def test_a_list_of_1_3_is_held_to_what_1_3_has() -> None:
    of_1_3 = {
        k: v for k, v in COMMITMENT.items() if k not in ("InvoiceIssuerName", "ContractCommitmentModel")
    }
    assert dataset_failed("ContractCommitment", [of_1_3], version="1.3") == {}
    assert len(dataset_failed("ContractCommitment", [of_1_3])) == 2
