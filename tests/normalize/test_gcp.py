"""Google Cloud's usage cost exports and its FOCUS export. Figures are computed by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finops_assets.focus.columns import columns, service_subcategories
from finops_assets.normalize.formats import detect
from finops_assets.normalize.references import load_references
from tests.normalize.gcp_bills import (
    CORRECTED,
    COVERED,
    CREDITED,
    FEE,
    MACHINE,
    MODEL_PRICED,
    MOMENT,
    NEW_FEE,
    NUMERIC,
    PAIRS,
    PARTNER,
    PLAIN,
    ROUNDING,
    ROWS,
    SCHEMA,
    TAX,
    TEXT,
    TOTAL,
    write,
)
from tests.normalize.native import Row, normalize_month, total


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    folder = tmp_path_factory.mktemp("detailed")
    path = write(folder / "part-0.parquet", ROWS)
    rows, stated = normalize_month({"gcp_detailed": path}, folder, "2026-01")
    assert stated == {"gcp_detailed": {"USD": TOTAL}}
    return rows


def charge(rows: Sequence[Row], of: dict[str, Any]) -> Row:
    """The row of the cost itself, not of its credits."""
    number = ROWS.index(of) + 1
    found = [r for r in rows if r["x_RowNumber"] == number and r["ChargeCategory"] != "Credit"]
    assert len(found) == 1
    return found[0]


def costs(row: Row) -> tuple[Decimal, ...]:
    return tuple(row[c] for c in ("BilledCost", "EffectiveCost", "ContractedCost", "ListCost"))


def money(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(a) for a in amounts)


def test_the_bill_adds_up_to_costs_and_credits(bill: list[Row]) -> None:
    assert total(bill, "BilledCost") == total(bill, "EffectiveCost") == TOTAL
    # Ten charges, and one row for each of the two credits that are no discount.
    assert len(bill) == len(ROWS) + 2


def test_an_ordinary_row(bill: list[Row]) -> None:
    row = charge(bill, PLAIN)
    assert costs(row) == money("10.5", "10.5", "10.5", "12")
    assert row["ChargePeriodStart"] == datetime(2026, 1, 5, 1, tzinfo=UTC)
    assert row["ChargePeriodEnd"] == datetime(2026, 1, 5, 2, tzinfo=UTC)
    # Midnight in California is 8 in the morning in Greenwich, in winter.
    assert row["BillingPeriodStart"] == datetime(2026, 1, 1, 8, tzinfo=UTC)
    assert row["BillingPeriodEnd"] == datetime(2026, 2, 1, 8, tzinfo=UTC)
    assert (row["SubAccountId"], row["SubAccountName"], row["SubAccountType"]) == (
        "shop-prod",
        "Shop",
        "Project",
    )
    assert (row["RegionId"], row["RegionName"], row["AvailabilityZone"]) == (
        "us-central1",
        "Iowa",
        "us-central1-a",
    )
    assert (row["ServiceName"], row["ServiceCategory"], row["ServiceSubcategory"]) == (
        "Compute Engine",
        "Compute",
        "Virtual Machines",
    )
    assert row["ServiceProviderName"] == row["InvoiceIssuerName"] == row["HostProviderName"] == "Google Cloud"
    assert row["ResourceId"] == PLAIN["resource"]["global_name"]
    assert (row["ResourceName"], row["ResourceType"]) == ("web-1", "compute.googleapis.com/instances")
    assert (row["ConsumedQuantity"], row["ConsumedUnit"]) == (3600, "seconds")
    assert (row["PricingQuantity"], row["PricingUnit"]) == (1, "hour")
    assert (row["ListUnitPrice"], row["ContractedUnitPrice"]) == money("12", "10.5")
    assert (row["SkuId"], row["SkuPriceId"]) == ("SKU-1", "SKU-1/0")
    assert json.loads(row["SkuPriceDetails"]) == {"CoreCount": 4, "InstanceType": "n2-standard-4"}
    assert (row["ChargeCategory"], row["PricingCategory"]) == ("Usage", "Standard")
    assert row["x_Inferred"] is None


def test_tags_inherit_from_the_project_and_name_their_scheme(bill: list[Row]) -> None:
    assert json.loads(charge(bill, PLAIN)["Tags"]) == {
        "env": "prod",
        "team": "web",
        "system/compute.googleapis.com/cores": "4",
        "system/compute.googleapis.com/machine_spec": "n2-standard-4",
        "tag/1/cost-center": "42",
    }
    assert json.loads(charge(bill, FEE)["Tags"])["team"] == "platform"


def test_discounts_stay_in_their_row_and_payments_get_their_own(bill: list[Row]) -> None:
    assert costs(charge(bill, CREDITED)) == money("10.4999999", "10.4999999", "10.5", "12")
    credits = [r for r in bill if r["ChargeCategory"] == "Credit"]
    assert sorted(costs(r) for r in credits) == [money(*["-0.25"] * 4), money(*["-0.1"] * 4)]
    assert {r["x_RowNumber"] for r in credits} == {ROWS.index(CREDITED) + 1}
    promotion = min(credits, key=lambda r: r["BilledCost"])
    assert promotion["ChargeDescription"] == 'A promotion of "amount": 9'
    assert promotion["ServiceName"] == "Compute Engine"
    for name in ("SkuId", "PricingCategory", "PricingQuantity", "ConsumedQuantity", "CommitmentDiscountId"):
        assert promotion[name] is None


def test_resource_based_commitments(bill: list[Row]) -> None:
    covered = charge(bill, COVERED)
    assert costs(covered) == money("-0.125", "-0.125", "8", "12")
    assert covered["CommitmentDiscountId"] == covered["CommitmentDiscountName"]
    assert covered["CommitmentDiscountId"] == "Committed Usage Discount: CPU"
    assert (covered["CommitmentDiscountStatus"], covered["CommitmentDiscountCategory"]) == ("Used", "Usage")
    assert covered["PricingCategory"] == "Committed"
    # All of its hour is covered: the credit is the cost.
    assert (covered["CommitmentDiscountQuantity"], covered["CommitmentDiscountUnit"]) == (1, "hour")
    assert covered["x_Inferred"] == "EffectiveCost"

    fee = charge(bill, FEE)
    assert costs(fee) == money("5", "5", "5", "5")
    assert (fee["ChargeCategory"], fee["ChargeFrequency"]) == ("Purchase", "Recurring")
    assert fee["CommitmentDiscountId"] == "subscription-1"
    assert (fee["CommitmentDiscountStatus"], fee["PricingCategory"]) == (None, "Standard")
    assert (fee["ConsumedQuantity"], fee["ResourceId"]) == (None, None)
    assert fee["x_Inferred"] == "EffectiveCost"


def test_a_commitment_has_one_name_and_covers_what_its_credit_pays_for(tmp_path: Path) -> None:
    # Of an hour for 8.00 the commitment takes 6.00 off: it covers three quarters of it.
    credit = {
        "name": "CPU",
        "amount": -6.0,
        "full_name": "Committed Usage Discount: CPU",
        "id": "subscription-1",
        "type": "COMMITTED_USAGE_DISCOUNT",
    }
    path = write(tmp_path / "part-0.parquet", [COVERED | {"credits": [credit]}, FEE])
    rows, _ = normalize_month({"gcp_detailed": path}, tmp_path, "2026-01")
    covered, fee = sorted(rows, key=lambda row: row["x_RowNumber"])
    assert covered["CommitmentDiscountId"] == fee["CommitmentDiscountId"] == "subscription-1"
    name = "Commitment v1: N2 Cpu in Americas for 1 Year"
    assert covered["CommitmentDiscountName"] == fee["CommitmentDiscountName"] == name
    assert covered["CommitmentDiscountQuantity"] == Decimal("0.75")
    assert costs(covered) == money("2", "2", "8", "12")


def test_the_new_spend_based_model(bill: list[Row]) -> None:
    rest = charge(bill, NEW_FEE)
    assert costs(rest) == money("1.5", "1.5", "1.5", "1.5")
    assert (rest["ChargeCategory"], rest["CommitmentDiscountStatus"]) == ("Usage", "Unused")
    assert rest["CommitmentDiscountCategory"] == "Spend"

    used = charge(bill, MODEL_PRICED)
    assert costs(used) == money("4.5", "4.5", "6.25", "12")
    assert (used["CommitmentDiscountStatus"], used["CommitmentDiscountId"]) == ("Used", "5515-81A8")
    assert used["CommitmentDiscountName"] == "Compute Flexible CUDs - 1 Year"
    assert used["x_Inferred"] is None


def test_charges_beside_usage(bill: list[Row]) -> None:
    tax = charge(bill, TAX)
    assert costs(tax) == money("1.19", "1.19", "1.19", "1.19")
    assert (tax["ChargeCategory"], tax["x_Inferred"]) == ("Tax", "ListCost")
    for name in ("SkuId", "SkuPriceId", "PricingQuantity", "PricingUnit", "ListUnitPrice", "PricingCategory"):
        assert tax[name] is None
    assert charge(bill, ROUNDING)["ChargeCategory"] == "Adjustment"
    corrected = charge(bill, CORRECTED)
    assert (corrected["ChargeCategory"], corrected["ChargeClass"]) == ("Usage", "Correction")
    assert charge(bill, PLAIN)["ChargeClass"] is None


def test_marketplace_and_what_no_reference_knows(bill: list[Row]) -> None:
    row = charge(bill, PARTNER)
    assert row["ServiceProviderName"] == row["x_PublisherName"] == "Contoso Inc."
    assert (row["InvoiceIssuerName"], row["HostProviderName"]) == ("Google Cloud", None)
    assert row["ServiceName"] == "Contoso Cloud"
    assert (row["ServiceCategory"], row["ServiceSubcategory"]) == ("Other", "Other (Other)")
    assert (row["RegionId"], row["RegionName"]) == ("mars-north1", "mars-north1")
    # 2.50 for a thousand.
    assert row["ListUnitPrice"] == Decimal("0.0025")
    assert row["SkuPriceId"] == "P-2/1000000"
    assert row["x_Inferred"] == "ServiceCategory,ServiceSubcategory,RegionName"


def test_every_row_has_what_focus_requires(bill: list[Row]) -> None:
    for row in bill:
        for column in columns():
            if column.level == "Mandatory" and not column.nullable:
                assert row[column.name] is not None, column.name
            if column.allowed_values and row[column.name] is not None:
                assert row[column.name] in column.allowed_values


def test_the_standard_export_is_the_same_without_resources(tmp_path: Path, bill: list[Row]) -> None:
    path = write(tmp_path / "standard.parquet", ROWS, without=("resource", "subscription", "price"))
    assert detect(pq.read_schema(path).names).name == "gcp_standard"
    rows, stated = normalize_month({"gcp_standard": path}, tmp_path, "2026-01")
    assert stated == {"gcp_standard": {"USD": TOTAL}}
    assert total(rows, "BilledCost") == TOTAL
    assert len(rows) == len(bill)
    assert all(r["ResourceId"] is None for r in rows)


def test_the_detailed_export_is_told_by_its_resources() -> None:
    assert detect(SCHEMA.names).name == "gcp_detailed"


def test_numeric_credits_keep_all_their_digits(tmp_path: Path) -> None:
    numeric = pa.list_(pa.struct([("name", TEXT), ("amount", NUMERIC), ("type", TEXT)]))
    exact = Decimal("-123456789012.123456789")
    table = pa.Table.from_pylist([dict.fromkeys(SCHEMA.names) | MACHINE], SCHEMA)
    given = pa.array([[{"name": "p", "amount": exact, "type": "PROMOTION"}]], numeric)
    table = table.set_column(table.column_names.index("credits"), "credits", given)
    path = tmp_path / "numeric.parquet"
    pq.write_table(table, path)
    rows, stated = normalize_month({"gcp_detailed": path}, tmp_path, "2026-01")
    assert stated == {"gcp_detailed": {"USD": exact + Decimal("10.5")}}
    assert {r["BilledCost"] for r in rows} == {exact, Decimal("10.5")}


def test_a_bill_of_summer_begins_an_hour_earlier(tmp_path: Path) -> None:
    summer = MACHINE | {"invoice": {"month": "202607", "publisher_type": "GOOGLE"}}
    path = write(tmp_path / "summer.parquet", [summer])
    (row,), _ = normalize_month({"gcp_detailed": path}, tmp_path, "2026-07")
    assert row["BillingPeriodStart"] == datetime(2026, 7, 1, 7, tzinfo=UTC)


def test_focus_lists_become_tags_and_gaps_are_filled_and_named(tmp_path: Path) -> None:
    keyed = pa.list_(pa.struct([("Key", TEXT), ("Value", TEXT)]))
    start, end = datetime(2026, 1, 1, 8, tzinfo=UTC), datetime(2026, 2, 1, 8, tzinfo=UTC)
    tax: list[Any] = ["usage", "Tax"]
    table = pa.table(
        {
            "BilledCost": pa.array([Decimal("1.123456789"), Decimal(2)], NUMERIC),
            "EffectiveCost": pa.array([Decimal("1.1"), Decimal(2)], NUMERIC),
            "ContractedCost": pa.array([Decimal("1.5"), None], NUMERIC),
            "ListCost": pa.array([Decimal(3), None], NUMERIC),
            "BillingAccountId": ["0A", "0A"],
            "BillingAccountType": ["Billing Account"] * 2,
            "BillingCurrency": ["EUR", "EUR"],
            "BillingPeriodStart": pa.array([start, start], MOMENT),
            "BillingPeriodEnd": pa.array([end, end], MOMENT),
            "ChargePeriodStart": pa.array([start, start], MOMENT),
            "ChargePeriodEnd": pa.array([end, end], MOMENT),
            "ChargeCategory": tax,
            "ProviderName": ["Google Cloud"] * 2,
            "PublisherName": ["Google Cloud"] * 2,
            "PricingCategory": ["committed", None],
            "ServiceName": ["BigQuery", "Contoso Cloud"],
            "RegionId": ["us-central1", None],
            "SubAccountId": ["shop-prod", None],
            "x_ExportTime": pa.array([end, end], MOMENT),
            "x_Labels": pa.array([[{"Key": "team", "Value": "web"}], []], keyed),
            "x_ProjectLabels": pa.array(
                [[{"Key": "team", "Value": "platform"}, {"Key": "env", "Value": "prod"}], []], keyed
            ),
            "Tags": pa.array([[{"key": "zone", "value": "b"}], None], PAIRS),
        }
    )
    path = tmp_path / "focus.parquet"
    pq.write_table(table, path)
    assert detect(table.column_names).name == "gcp_focus"
    rows, stated = normalize_month({"gcp_focus": path}, tmp_path, "2026-01")
    usage, charged = sorted(rows, key=lambda r: r["x_RowNumber"])
    assert stated == {"gcp_focus": {"EUR": Decimal("3.123456789")}}
    assert costs(usage) == money("1.123456789", "1.1", "1.5", "3")
    assert json.loads(usage["Tags"]) == {"env": "prod", "team": "web", "zone": "b"}
    assert (usage["ChargeCategory"], usage["PricingCategory"]) == ("Usage", "Committed")
    assert (usage["ServiceCategory"], usage["ServiceSubcategory"]) == ("Databases", "Data Warehouses")
    assert (usage["RegionName"], usage["SubAccountType"]) == ("Iowa", "Project")
    assert set(usage["x_Inferred"].split(",")) == {
        "ChargeFrequency",
        "HostProviderName",
        "InvoiceIssuerName",
        "ServiceCategory",
        "ServiceProviderName",
        "ServiceSubcategory",
    }
    assert usage["InvoiceIssuerName"] == "Google Cloud"
    assert costs(charged) == money("2", "2", "2", "2")
    assert charged["Tags"] is None
    assert (charged["ServiceCategory"], charged["ServiceSubcategory"]) == ("Other", "Other (Other)")


def test_the_references_are_consistent() -> None:
    services = load_references()["ref_gcp_services"].to_pylist()
    parents = service_subcategories()
    assert len(services) > 60
    assert len({s["Service"].lower() for s in services}) == len(services)
    for service in services:
        assert parents[service["ServiceSubcategory"]] == service["ServiceCategory"]
    regions = load_references()["ref_gcp_regions"].to_pylist()
    assert len({r["RegionId"] for r in regions}) == len(regions)
