"""AWS bills: a real legacy report, and a CUR 2.0 bill whose every figure is worked out by hand."""

from __future__ import annotations

import csv
import json
import random
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.normalize.bills import Normalized, Row, normalize, read_csv, shared, totals

SAMPLE = "native-exports/aws-cur-legacy.csv"
PLAN = "arn:aws:savingsplans::999:savingsplan/sp-1"
RESERVATION = "arn:aws:rds:eu-west-1:999:ri:ri-1"
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
MAPS = ("product", "resource_tags")
TIMES = (
    "bill_billing_period_start_date",
    "bill_billing_period_end_date",
    "line_item_usage_start_date",
    "line_item_usage_end_date",
)

PLAIN: dict[str, Any] = {
    "bill_payer_account_id": "999",
    "bill_payer_account_name": "Payer",
    "bill_billing_entity": "AWS",
    "bill_invoicing_entity": "Amazon Web Services EMEA SARL",
    "bill_invoice_id": "",
    "bill_billing_period_start_date": JANUARY,
    "bill_billing_period_end_date": FEBRUARY,
    "line_item_usage_account_id": "111",
    "line_item_usage_account_name": "Shop",
    "line_item_line_item_type": "Usage",
    "line_item_usage_start_date": datetime(2026, 1, 5, tzinfo=UTC),
    "line_item_usage_end_date": datetime(2026, 1, 6, tzinfo=UTC),
    "line_item_product_code": "AmazonEC2",
    "line_item_usage_type": "EUW1-BoxUsage:m5.large",
    "line_item_currency_code": "USD",
    "line_item_legal_entity": "Amazon Web Services EMEA SARL",
    "line_item_unblended_cost": 0.0,
    "product": {"product_name": "Amazon Elastic Compute Cloud", "region": "eu-west-1"},
    "product_product_family": "Compute Instance",
    "product_region_code": "eu-west-1",
    "pricing_currency": "USD",
    "pricing_unit": "Hrs",
    "resource_tags": {},
}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """A CUR 2.0 Parquet file: doubles for amounts, maps for product and tags, as AWS writes it."""
    names = sorted({name for row in rows for name in {**PLAIN, **row}})
    arrays = {}
    for name in names:
        values: list[Any] = [{**PLAIN, **row}.get(name) for row in rows]
        if name in MAPS:
            arrays[name] = pa.array([list(v.items()) for v in values], pa.map_(pa.string(), pa.string()))
        elif name in TIMES:
            arrays[name] = pa.array(values, pa.timestamp("ms", "UTC"))
        elif any(isinstance(v, float) for v in values):
            arrays[name] = pa.array(values, pa.float64())
        else:
            arrays[name] = pa.array(values, pa.string())
    pq.write_table(pa.table(arrays), path)
    return path


def bill(tmp_path: Path, *rows: dict[str, Any]) -> Normalized:
    return normalize(write(tmp_path / "cur.parquet", list(rows)), tmp_path)


def costs(row: Row) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    return (row["BilledCost"], row["EffectiveCost"], row["ListCost"], row["ContractedCost"])


def dec(*values: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(v) for v in values)


def inferred(row: Row) -> set[str]:
    return set((row["x_Inferred"] or "").split(",")) - {""}


COVERED = {
    "line_item_line_item_type": "SavingsPlanCoveredUsage",
    "line_item_unblended_cost": 0.9984,
    "line_item_unblended_rate": 0.0416,
    "line_item_usage_amount": 24.0,
    "pricing_public_on_demand_cost": 0.9984,
    "pricing_public_on_demand_rate": 0.0416,
    "savings_plan_savings_plan_a_r_n": PLAN,
    "savings_plan_savings_plan_effective_cost": 0.72,
}
NEGATION = {
    "line_item_line_item_type": "SavingsPlanNegation",
    "line_item_unblended_cost": -0.9984,
    "savings_plan_savings_plan_a_r_n": PLAN,
}
PLAN_FEE = {
    "line_item_line_item_type": "SavingsPlanRecurringFee",
    "line_item_product_code": "ComputeSavingsPlans",
    "line_item_unblended_cost": 1.0,
    "savings_plan_savings_plan_a_r_n": PLAN,
    "savings_plan_total_commitment_to_date": 1.0,
    "savings_plan_used_commitment": 0.72,
}
RESERVED = {
    "line_item_line_item_type": "DiscountedUsage",
    "line_item_product_code": "AmazonRDS",
    "line_item_usage_type": "EUW1-InstanceUsage:db.m5.large",
    "line_item_usage_amount": 40.0,
    "line_item_normalized_usage_amount": 160.0,
    "line_item_unblended_cost": 0.0,
    "pricing_public_on_demand_cost": 8.0,
    "pricing_public_on_demand_rate": 0.2,
    "reservation_reservation_a_r_n": RESERVATION,
    "reservation_effective_cost": 5.0,
}
RESERVATION_FEE = {
    "line_item_line_item_type": "RIFee",
    "line_item_product_code": "AmazonRDS",
    "line_item_unblended_cost": 6.5,
    "reservation_reservation_a_r_n": RESERVATION,
    "reservation_total_reserved_normalized_units": 208.0,
    "reservation_unused_amortized_upfront_fee_for_billing_period": 0.3,
    "reservation_unused_recurring_fee": 1.2,
    "reservation_unused_normalized_unit_quantity": 48.0,
}


def test_on_demand_usage(tmp_path: Path) -> None:
    (row,) = bill(
        tmp_path,
        {
            "line_item_usage_amount": 10.0,
            "line_item_unblended_rate": 0.09,
            "line_item_unblended_cost": 0.9,
            "pricing_public_on_demand_rate": 0.096,
            "pricing_public_on_demand_cost": 0.96,
            "pricing_rate_code": "SKU.TERM.RATE",
            "product_sku": "SKU",
            "product_instance_type": "m5.large",
            "line_item_resource_id": "i-1",
            "line_item_availability_zone": "eu-west-1a",
            "line_item_line_item_description": "An hour",
            "bill_invoice_id": "77",
            "resource_tags": {"user_env": "prod", "aws_created_by": "me", "user_Owner": "", "user_a": "1"},
        },
    ).rows
    assert costs(row) == dec("0.9", "0.9", "0.96", "0.9")
    assert (row["ListUnitPrice"], row["ContractedUnitPrice"]) == dec("0.096", "0.09")
    assert (row["ChargeCategory"], row["ChargeClass"]) == ("Usage", None)
    assert (row["ChargeFrequency"], row["PricingCategory"]) == ("Usage-Based", "Standard")
    assert row["ServiceName"] == "Amazon Elastic Compute Cloud"
    assert (row["ServiceCategory"], row["ServiceSubcategory"]) == ("Compute", "Virtual Machines")
    assert (row["RegionId"], row["RegionName"]) == ("eu-west-1", "Europe (Ireland)")
    assert (row["BillingAccountId"], row["BillingAccountName"]) == ("999", "Payer")
    assert (row["SubAccountId"], row["SubAccountName"]) == ("111", "Shop")
    assert (row["ResourceId"], row["InvoiceId"]) == ("i-1", "77")
    assert (row["SkuId"], row["SkuPriceId"]) == ("SKU", "SKU.TERM.RATE")
    assert json.loads(row["SkuPriceDetails"]) == {"InstanceType": "m5.large"}
    assert (row["ConsumedQuantity"], row["ConsumedUnit"]) == (Decimal(10), "Hrs")
    assert (row["PricingQuantity"], row["PricingUnit"]) == (Decimal(10), "Hrs")
    assert row["InvoiceIssuerName"] == row["x_PublisherName"] == "Amazon Web Services EMEA SARL"
    assert (row["ServiceProviderName"], row["HostProviderName"]) == ("AWS", "AWS")
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == (JANUARY, FEBRUARY)
    assert row["Tags"] == '{"a":"1","aws_created_by":"me","env":"prod"}'
    assert row["CommitmentDiscountId"] is None
    assert inferred(row) == set()


def test_a_savings_plan_covers_usage_and_leaves_some_unused(tmp_path: Path) -> None:
    # One plan of 1.00: 0.72 of it used for what costs 0.9984 on demand, so 0.28 is unused.
    found = bill(tmp_path, COVERED, NEGATION, PLAN_FEE)
    covered, negation, fee, unused = found.rows
    assert costs(covered) == dec("0", "0.72", "0.9984", "0.9984")
    assert costs(negation) == dec("0", "0", "0", "0")
    assert costs(fee) == dec("1", "0", "1", "1")
    assert costs(unused) == dec("0", "0.28", "0", "0")
    assert found.total("BilledCost") == found.stated == {"USD": Decimal("1.0")}
    # FOCUS: what the plan cost is what its usage cost, used and unused.
    assert found.total("EffectiveCost") == {"USD": Decimal("1.0")}
    categories = [row["ChargeCategory"] for row in found.rows]
    assert categories == ["Usage", "Adjustment", "Purchase", "Usage"]
    assert [row["CommitmentDiscountStatus"] for row in found.rows] == ["Used", None, None, "Unused"]
    assert [row["PricingCategory"] for row in found.rows] == ["Committed", None, "Standard", "Committed"]
    assert [row["x_RowNumber"] for row in found.rows] == [1, 2, 3, 3]
    for row in found.rows:
        assert row["CommitmentDiscountId"] == PLAN
        assert (row["CommitmentDiscountCategory"], row["CommitmentDiscountType"]) == ("Spend", "Savings Plan")
    quantities = [row["CommitmentDiscountQuantity"] for row in found.rows]
    assert quantities == [Decimal("0.72"), None, Decimal(1), Decimal("0.28")]
    assert [row["CommitmentDiscountUnit"] for row in found.rows] == ["USD", None, "USD", "USD"]
    assert (unused["ResourceId"], fee["ResourceId"]) == (PLAN, PLAN)
    assert (unused["ConsumedQuantity"], unused["ConsumedUnit"]) == (None, None)
    assert (fee["ChargeFrequency"], unused["ChargeFrequency"]) == ("Recurring", "Usage-Based")


def test_a_plan_that_is_paid_partly_upfront_is_bought_in_two_parts(tmp_path: Path) -> None:
    # A day of 2.00 an hour, half of it upfront: the recurring fee is 24 of the day's commitment of 48.
    upfront, fee = bill(
        tmp_path,
        {
            **PLAN_FEE,
            "line_item_line_item_type": "SavingsPlanUpfrontFee",
            "line_item_unblended_cost": 8760.0,
            "savings_plan_total_commitment_to_date": None,
            "savings_plan_used_commitment": None,
        },
        {
            **PLAN_FEE,
            "line_item_unblended_cost": 24.0,
            "line_item_usage_amount": 24.0,
            "savings_plan_total_commitment_to_date": 48.0,
            "savings_plan_used_commitment": 48.0,
        },
    ).rows
    assert (upfront["CommitmentDiscountQuantity"], fee["CommitmentDiscountQuantity"]) == dec("8760", "24")
    assert (upfront["CommitmentDiscountUnit"], fee["CommitmentDiscountUnit"]) == ("USD", "USD")


def test_a_fee_has_the_unit_price_that_it_bills_and_the_sku_that_its_line_is_of(tmp_path: Path) -> None:
    fee, third, free = bill(
        tmp_path,
        {
            **RESERVATION_FEE,
            "line_item_usage_type": "EUW1-HeavyUsage:db.m5.large",
            "line_item_operation": "CreateDBInstance:0014",
            "line_item_usage_amount": 52.0,
            "reservation_unused_amortized_upfront_fee_for_billing_period": 0.0,
            "reservation_unused_recurring_fee": 0.0,
        },
        {**RESERVATION_FEE, "line_item_line_item_type": "Fee", "line_item_usage_amount": 3.0},
        {**RESERVATION_FEE, "line_item_line_item_type": "Fee", "line_item_unblended_cost": 0.0},
    ).rows
    # 6.50 for 52 hours, and for 3 of what has no exact third.
    assert (fee["ListUnitPrice"], fee["ContractedUnitPrice"]) == dec("0.125", "0.125")
    assert (third["ListUnitPrice"], free["ListUnitPrice"]) == dec("2.1666666667", "0")
    assert fee["SkuId"] == "AmazonRDS:EUW1-HeavyUsage:db.m5.large:CreateDBInstance:0014"
    assert fee["SkuPriceId"] == fee["SkuId"]
    assert fee["PricingUnit"] == "Hrs"
    assert {"ContractedUnitPrice", "ListUnitPrice", "SkuId", "SkuPriceId"} <= inferred(fee)


def test_a_fully_used_plan_has_no_unused_row(tmp_path: Path) -> None:
    assert len(bill(tmp_path, {**PLAN_FEE, "savings_plan_used_commitment": 1.0}).rows) == 1


def test_what_a_plans_negation_does_not_cancel_stays_on_it(tmp_path: Path) -> None:
    found = bill(tmp_path, COVERED, {**NEGATION, "line_item_unblended_cost": -0.9983}, NEGATION, COVERED)
    assert [row["BilledCost"] for row in found.rows] == list(dec("0", "0.0001", "0", "0"))
    assert found.total("BilledCost") == found.stated == {"USD": Decimal("0.0001")}


def test_covered_usage_without_its_negation_is_billed_as_stated(tmp_path: Path) -> None:
    # The negation belongs to another account: nothing cancels.
    found = bill(tmp_path, COVERED, {**NEGATION, "line_item_usage_account_id": "222"})
    assert [row["BilledCost"] for row in found.rows] == list(dec("0.9984", "-0.9984"))


def test_a_reservation_covers_usage_and_leaves_some_unused(tmp_path: Path) -> None:
    # 6.50 a month of which 5.00 used; 0.30 upfront and 1.20 recurring unused: 6.50 in all.
    found = bill(tmp_path, RESERVED, RESERVATION_FEE)
    used, fee, unused = found.rows
    assert costs(used) == dec("0", "5", "8", "8")
    assert costs(fee) == dec("6.5", "0", "6.5", "6.5")
    assert costs(unused) == dec("0", "1.5", "0", "0")
    assert found.total("BilledCost") == found.total("EffectiveCost") == found.stated
    assert [row["ChargeCategory"] for row in found.rows] == ["Usage", "Purchase", "Usage"]
    assert [row["CommitmentDiscountStatus"] for row in found.rows] == ["Used", None, "Unused"]
    assert [row["PricingCategory"] for row in found.rows] == ["Committed", "Standard", "Committed"]
    quantities = [row["CommitmentDiscountQuantity"] for row in found.rows]
    assert quantities == [Decimal(160), Decimal(208), Decimal(48)]
    for row in found.rows:
        assert row["CommitmentDiscountId"] == RESERVATION
        assert row["CommitmentDiscountCategory"] == "Usage"
        assert row["CommitmentDiscountUnit"] == "Normalized Hours"
    assert used["ContractedUnitPrice"] == Decimal("0.2")
    assert {"ContractedCost", "ContractedUnitPrice"} <= inferred(used)


def test_an_upfront_reservation_fee_is_billed_now_and_effective_later(tmp_path: Path) -> None:
    (row,) = bill(
        tmp_path,
        {
            "line_item_line_item_type": "Fee",
            "line_item_product_code": "AmazonRDS",
            "line_item_unblended_cost": 120.0,
            "reservation_reservation_a_r_n": RESERVATION,
        },
    ).rows
    assert costs(row) == dec("120", "0", "120", "120")
    assert (row["ChargeCategory"], row["ChargeFrequency"]) == ("Purchase", "One-Time")


@pytest.mark.parametrize(
    ("kind", "cost", "category", "listed"),
    [
        ("Tax", 7.77, "Tax", "7.77"),
        ("Credit", -2.0, "Credit", "-2"),
        ("Refund", -3.21, "Adjustment", "-3.21"),
        ("EdpDiscount", -1.11, "Adjustment", "0"),
        ("BundledDiscount", -0.5, "Adjustment", "0"),
        ("SomethingNew", 0.25, "Adjustment", "0.25"),
    ],
)
def test_charges_that_are_not_usage(
    tmp_path: Path, kind: str, cost: float, category: str, listed: str
) -> None:
    (row,) = bill(tmp_path, {"line_item_line_item_type": kind, "line_item_unblended_cost": cost}).rows
    stated = str(cost)
    assert costs(row) == dec(stated, stated, listed, stated)
    assert row["ChargeCategory"] == category
    assert row["ChargeClass"] is None
    # FOCUS: no price, no pricing category, no consumption on these.
    nothing = ("PricingCategory", "PricingQuantity", "ConsumedQuantity", "ListUnitPrice", "SkuId")
    assert [row[c] for c in nothing] == [None] * 5


def test_a_refund_of_a_closed_month_is_a_correction(tmp_path: Path) -> None:
    december = {"line_item_usage_start_date": datetime(2025, 12, 3, tzinfo=UTC)}
    refund, usage = bill(
        tmp_path,
        {"line_item_line_item_type": "Refund", "line_item_unblended_cost": -3.21, **december},
        {"line_item_unblended_cost": 1.0, **december},
    ).rows
    assert (refund["ChargeClass"], usage["ChargeClass"]) == ("Correction", None)


def test_a_support_fee_recurs(tmp_path: Path) -> None:
    (row,) = bill(
        tmp_path,
        {
            "line_item_line_item_type": "Fee",
            "line_item_product_code": "AWSSupportBusiness",
            "line_item_unblended_cost": 100.0,
            "line_item_usage_end_date": datetime(2026, 1, 5, tzinfo=UTC),
            "product_region_code": "",
            "product": {},
        },
    ).rows
    assert costs(row) == dec("100", "100", "100", "100")
    assert (row["ChargeCategory"], row["ChargeFrequency"]) == ("Purchase", "Recurring")
    assert (row["ServiceName"], row["ServiceSubcategory"]) == ("AWS Support (Business)", "Support")
    assert row["ChargePeriodEnd"] == datetime(2026, 1, 5, 1, tzinfo=UTC)
    assert (row["RegionId"], row["RegionName"]) == (None, None)
    assert inferred(row) == {"ChargePeriodEnd", "SkuId", "SkuPriceId"}


def test_a_marketplace_product_is_its_sellers(tmp_path: Path) -> None:
    (row,) = bill(
        tmp_path,
        {
            "bill_billing_entity": "AWS Marketplace",
            "bill_invoicing_entity": "Amazon Web Services, Inc.",
            "line_item_legal_entity": "Red Hat, Inc.",
            "line_item_product_code": "9p2k4example",
            "line_item_unblended_cost": 0.342,
            "pricing_public_on_demand_cost": 0.0,
            "product": {"product_name": "Red Hat OpenShift", "region": "eu-west-1"},
        },
    ).rows
    assert costs(row) == dec("0.342", "0.342", "0.342", "0.342")
    assert (row["ServiceName"], row["ServiceCategory"]) == ("Red Hat OpenShift", "Other")
    assert (row["ServiceProviderName"], row["HostProviderName"]) == ("Red Hat, Inc.", "AWS")
    assert row["InvoiceIssuerName"] == "Amazon Web Services, Inc."
    assert inferred(row) == {"ListCost", "ServiceCategory", "ServiceSubcategory", "SkuId", "SkuPriceId"}


@pytest.mark.parametrize(
    ("usage_type", "family", "expected"),
    [
        ("EUW1-EBS:VolumeUsage.gp3", "Storage", ("Storage", "Block Storage")),
        ("EUW1-SpotUsage:c5.large", "Compute Instance", ("Compute", "Virtual Machines")),
        ("EUW1-NatGateway-Hours", "NAT Gateway", ("Compute", "Other (Compute)")),
    ],
)
def test_what_ec2_bills_is_not_all_machines(
    tmp_path: Path, usage_type: str, family: str, expected: tuple[str, str]
) -> None:
    (row,) = bill(tmp_path, {"line_item_usage_type": usage_type, "product_product_family": family}).rows
    assert (row["ServiceCategory"], row["ServiceSubcategory"]) == expected
    # FOCUS: a service has one category.
    named = {"Storage": "Amazon Elastic Block Store", "Compute": "Amazon Elastic Compute Cloud"}
    assert row["ServiceName"] == named[expected[0]]
    assert row["PricingCategory"] == ("Dynamic" if "Spot" in usage_type else "Standard")


def test_a_zone_tells_the_region_that_a_bill_leaves_out(tmp_path: Path) -> None:
    (row,) = bill(
        tmp_path,
        {"line_item_availability_zone": "ap-southeast-2b", "product_region_code": "", "product": {}},
    ).rows
    assert (row["RegionId"], row["RegionName"]) == ("ap-southeast-2", "Asia Pacific (Sydney)")
    assert "RegionId" in inferred(row)


def test_free_usage_keeps_its_public_cost(tmp_path: Path) -> None:
    free, unpriced, derived = bill(
        tmp_path,
        {"pricing_public_on_demand_cost": 0.0185, "pricing_public_on_demand_rate": 0.0000004},
        {"line_item_unblended_cost": 2.0},
        {
            "line_item_unblended_cost": 2.0,
            "line_item_usage_amount": 12.5,
            "pricing_public_on_demand_rate": 0.2,
        },
    ).rows
    assert costs(free) == dec("0", "0", "0.0185", "0")
    assert costs(unpriced) == dec("2", "2", "2", "2")
    assert costs(derived) == dec("2", "2", "2.5", "2")
    assert ["ListCost" in inferred(row) for row in (free, unpriced, derived)] == [False, True, True]


def test_amounts_are_exact_however_small(tmp_path: Path) -> None:
    found = bill(tmp_path, *[{"line_item_unblended_cost": 0.1} for _ in range(10)])
    assert found.total("BilledCost") == found.stated == {"USD": Decimal(1)}


@pytest.fixture(scope="module")
def legacy(tmp_path_factory: pytest.TempPathFactory) -> Normalized:
    return normalize(shared(SAMPLE), tmp_path_factory.mktemp("legacy"))


@pytest.mark.parametrize("cost", ["BilledCost", "EffectiveCost", "ContractedCost"])
def test_the_legacy_sample_adds_up_to_the_last_digit(legacy: Normalized, cost: str) -> None:
    expected = totals(read_csv(shared(SAMPLE)), "lineItem/CurrencyCode", "lineItem/UnblendedCost")
    assert legacy.stated == legacy.total(cost) == expected == {"USD": Decimal("1.6823086974")}
    assert len(legacy.rows) == 1281


def test_the_legacy_samples_list_cost_is_its_public_cost_and_its_tax(legacy: Normalized) -> None:
    delivered = read_csv(shared(SAMPLE))
    public = sum(Decimal(r["pricing/publicOnDemandCost"] or 0) for r in delivered)
    tax = sum(Decimal(r["lineItem/UnblendedCost"]) for r in delivered if r["lineItem/LineItemType"] == "Tax")
    assert legacy.total("ListCost") == {"USD": public + tax}
    assert tax == Decimal("0.08")


def test_the_legacy_sample_by_service_and_category(legacy: Normalized) -> None:
    names = {"AmazonS3": "Amazon Simple Storage Service", "awskms": "AWS Key Management Service"}
    for code, name in names.items():
        for kind in ("Usage", "Tax"):
            expected = sum(
                Decimal(r["lineItem/UnblendedCost"])
                for r in read_csv(shared(SAMPLE))
                if r["lineItem/ProductCode"] == code and r["lineItem/LineItemType"] == kind
            )
            mine = [r for r in legacy.rows if r["ServiceName"] == name and r["ChargeCategory"] == kind]
            assert sum(r["BilledCost"] for r in mine) == expected
    assert all(r["ServiceCategory"] != "Other" for r in legacy.rows)
    assert {r["InvoiceIssuerName"] for r in legacy.rows} == {"Amazon Web Services Canada, Inc."}


@pytest.mark.parametrize("slashed", [True, False], ids=["csv", "athena"])
def test_both_layouts_of_the_legacy_report_read_alike(tmp_path: Path, slashed: bool) -> None:
    names = {
        "bill/BillingPeriodStartDate": "bill_billing_period_start_date",
        "lineItem/CurrencyCode": "line_item_currency_code",
        "lineItem/LineItemType": "line_item_line_item_type",
        "lineItem/UnblendedCost": "line_item_unblended_cost",
        "lineItem/UsageStartDate": "line_item_usage_start_date",
        "lineItem/ProductCode": "line_item_product_code",
        "lineItem/UsageAccountId": "line_item_usage_account_id",
        "product/ProductName": "product_product_name",
        "product/region": "product_region",
        "resourceTags/user:Env": "resource_tags_user_env",
        "savingsPlan/SavingsPlanARN": "savings_plan_savings_plan_a_r_n",
        "savingsPlan/SavingsPlanEffectiveCost": "savings_plan_savings_plan_effective_cost",
    }
    row = {
        "bill/BillingPeriodStartDate": "2023-11-01T00:00:00.000Z",
        "lineItem/CurrencyCode": "USD",
        "lineItem/LineItemType": "SavingsPlanCoveredUsage",
        "lineItem/UnblendedCost": "2.0E-1",
        "lineItem/UsageStartDate": "2023-11-04T00:00:00.000Z",
        "lineItem/ProductCode": "SomethingNew",
        "lineItem/UsageAccountId": "111",
        "product/ProductName": "Something New",
        "product/region": "us-east-2",
        "resourceTags/user:Env": "prod",
        "savingsPlan/SavingsPlanARN": PLAN,
        "savingsPlan/SavingsPlanEffectiveCost": "0.15",
    }
    path = tmp_path / "legacy.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(list(row) if slashed else [names[name] for name in row])
        writer.writerow(row.values())
    found = normalize(path, tmp_path)
    assert found.form.name == "aws_cur_legacy"
    (charge,) = found.rows
    assert (charge["BilledCost"], charge["EffectiveCost"]) == dec("0.2", "0.15")
    assert (charge["ServiceName"], charge["RegionName"]) == ("Something New", "US East (Ohio)")
    assert charge["CommitmentDiscountId"] == PLAN
    assert json.loads(charge["Tags"]) == {("Env" if slashed else "env"): "prod"}
    assert charge["BillingPeriodEnd"] == datetime(2023, 12, 1, tzinfo=UTC)


def test_any_mix_of_lines_bills_what_it_states(tmp_path: Path) -> None:
    dice = random.Random(20260101)
    kinds = ("Usage", "DiscountedUsage", "RIFee", "Fee", "Credit", "Refund", "Tax", "EdpDiscount")
    rows: list[dict[str, Any]] = []
    for _ in range(400):
        account = {"line_item_usage_account_id": dice.choice(["111", "222", "333"])}
        cost = {"line_item_unblended_cost": round(dice.uniform(-5, 50), dice.randint(0, 10))}
        if dice.random() < 0.3:
            # Covered usage and its negation, which do not always cancel, or come without one another.
            pair = [{**COVERED, **account, **cost}, {**NEGATION, **account}]
            pair[1]["line_item_unblended_cost"] = -cost["line_item_unblended_cost"] + dice.choice([0, 1e-10])
            rows += dice.choice([pair, pair, pair[:1], pair[1:]])
        else:
            rows.append({"line_item_line_item_type": dice.choice(kinds), **account, **cost})
    found = bill(tmp_path, *rows)
    expected = sum(Decimal(repr(row["line_item_unblended_cost"])) for row in rows)
    assert found.total("BilledCost") == found.stated == {"USD": expected}
    assert len(found.rows) == len(rows)


def test_a_key_that_two_tag_schemes_share_is_kept_once(tmp_path: Path) -> None:
    (row,) = bill(tmp_path, {"resource_tags": {"user_env": "a", "user:env": "b"}}).rows
    assert json.loads(row["Tags"]) == {"env": "b"}
