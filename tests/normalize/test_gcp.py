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
from tests.normalize.native import Row, normalize_month, total

_TEXT = pa.string()
_PAIRS = pa.list_(pa.struct([("key", _TEXT), ("value", _TEXT)]))
_MOMENT = pa.timestamp("us", "UTC")
_NUMERIC = pa.decimal128(38, 9)

SCHEMA = pa.schema(
    [
        ("billing_account_id", _TEXT),
        ("service", pa.struct([("id", _TEXT), ("description", _TEXT)])),
        ("sku", pa.struct([("id", _TEXT), ("description", _TEXT)])),
        ("usage_start_time", _MOMENT),
        ("usage_end_time", _MOMENT),
        (
            "project",
            pa.struct(
                [
                    ("id", _TEXT),
                    ("number", _TEXT),
                    ("name", _TEXT),
                    ("labels", _PAIRS),
                    ("ancestry_numbers", _TEXT),
                    (
                        "ancestors",
                        pa.list_(pa.struct([("resource_name", _TEXT), ("display_name", _TEXT)])),
                    ),
                ]
            ),
        ),
        ("labels", _PAIRS),
        ("system_labels", _PAIRS),
        (
            "tags",
            pa.list_(
                pa.struct([("key", _TEXT), ("value", _TEXT), ("inherited", pa.bool_()), ("namespace", _TEXT)])
            ),
        ),
        (
            "location",
            pa.struct([("location", _TEXT), ("country", _TEXT), ("region", _TEXT), ("zone", _TEXT)]),
        ),
        ("export_time", _MOMENT),
        ("cost", pa.float64()),
        ("currency", _TEXT),
        ("currency_conversion_rate", pa.float64()),
        (
            "usage",
            pa.struct(
                [
                    ("amount", pa.float64()),
                    ("unit", _TEXT),
                    ("amount_in_pricing_units", pa.float64()),
                    ("pricing_unit", _TEXT),
                ]
            ),
        ),
        (
            "credits",
            pa.list_(
                pa.struct(
                    [
                        ("name", _TEXT),
                        ("amount", pa.float64()),
                        ("full_name", _TEXT),
                        ("id", _TEXT),
                        ("type", _TEXT),
                    ]
                )
            ),
        ),
        ("invoice", pa.struct([("month", _TEXT), ("publisher_type", _TEXT)])),
        ("cost_type", _TEXT),
        (
            "adjustment_info",
            pa.struct([("id", _TEXT), ("description", _TEXT), ("mode", _TEXT), ("type", _TEXT)]),
        ),
        ("cost_at_list", pa.float64()),
        ("cost_at_effective_price_default", _NUMERIC),
        (
            "price",
            pa.struct(
                [
                    ("list_price", _NUMERIC),
                    ("effective_price_default", _NUMERIC),
                    ("effective_price", _NUMERIC),
                    ("tier_start_amount", _NUMERIC),
                    ("unit", _TEXT),
                    ("pricing_unit_quantity", _NUMERIC),
                ]
            ),
        ),
        ("consumption_model", pa.struct([("id", _TEXT), ("description", _TEXT)])),
        ("subscription", pa.struct([("instance_id", _TEXT)])),
        ("transaction_type", _TEXT),
        ("seller_name", _TEXT),
        ("resource", pa.struct([("name", _TEXT), ("global_name", _TEXT)])),
    ]
)

MACHINE: dict[str, Any] = {
    "billing_account_id": "0A0A0A-0B0B0B-0C0C0C",
    "service": {"id": "6F81-5844-456A", "description": "Compute Engine"},
    "sku": {"id": "SKU-1", "description": "N2 Instance Core running in Americas"},
    "usage_start_time": datetime(2026, 1, 5, 1, tzinfo=UTC),
    "usage_end_time": datetime(2026, 1, 5, 2, tzinfo=UTC),
    "project": {
        "id": "shop-prod",
        "number": "77",
        "name": "Shop",
        "labels": [{"key": "env", "value": "prod"}, {"key": "team", "value": "platform"}],
        "ancestry_numbers": "/1/2/",
        "ancestors": [
            {"resource_name": "folders/2", "display_name": "retail"},
            {"resource_name": "organizations/1", "display_name": "example.com"},
        ],
    },
    "labels": [{"key": "team", "value": "web"}],
    "system_labels": [
        {"key": "compute.googleapis.com/cores", "value": "4"},
        {"key": "compute.googleapis.com/machine_spec", "value": "n2-standard-4"},
    ],
    "tags": [{"key": "cost-center", "value": "42", "inherited": False, "namespace": "1"}],
    "location": {
        "location": "us-central1-a",
        "country": "US",
        "region": "us-central1",
        "zone": "us-central1-a",
    },
    "export_time": datetime(2026, 1, 6, tzinfo=UTC),
    "cost": 10.5,
    "currency": "USD",
    "currency_conversion_rate": 1.0,
    "usage": {
        "amount": 3600.0,
        "unit": "seconds",
        "amount_in_pricing_units": 1.0,
        "pricing_unit": "hour",
    },
    "credits": [],
    "invoice": {"month": "202601", "publisher_type": "GOOGLE"},
    "cost_type": "regular",
    "cost_at_list": 12.0,
    "price": {
        "list_price": Decimal(12),
        "effective_price": Decimal("10.5"),
        "tier_start_amount": Decimal(0),
        "unit": "hour",
        "pricing_unit_quantity": Decimal(1),
    },
    "transaction_type": "GOOGLE",
    "resource": {
        "name": "web-1",
        "global_name": "//compute.googleapis.com/projects/shop-prod/zones/us-central1-a/instances/991",
    },
}


def credit(kind: str, amount: float, name: str, identifier: str = "id") -> dict[str, Any]:
    return {"name": name, "amount": amount, "full_name": name, "id": identifier, "type": kind}


PLAIN = MACHINE
CREDITED = MACHINE | {
    "credits": [
        credit("SUSTAINED_USAGE_DISCOUNT", -1e-7, "Sustained use"),
        credit("PROMOTION", -0.25, 'A promotion of "amount": 9'),
        credit("FREE_TIER", -0.1, "Free tier"),
    ]
}
COVERED = MACHINE | {
    "cost": 8.0,
    "credits": [
        credit("COMMITTED_USAGE_DISCOUNT", -8.0, "", "Committed Usage Discount: CPU"),
        credit("RESELLER_MARGIN", -0.125, "Margin"),
    ],
}
FEE = MACHINE | {
    "sku": {"id": "SKU-FEE", "description": "Commitment v1: N2 Cpu in Americas for 1 Year"},
    "cost": 5.0,
    "cost_at_list": 5.0,
    "subscription": {"instance_id": "subscription-1"},
    "resource": None,
    "labels": [],
    "tags": [],
}
NEW_FEE = FEE | {
    "sku": {"id": "SKU-FLEX", "description": "Compute flexible committed use, 1 year"},
    "cost": 6.0,
    "credits": [credit("FEE_UTILIZATION_OFFSET", -4.5, "Spend-based commitment", "offset")],
}
MODEL_PRICED = MACHINE | {
    "cost": 4.5,
    "cost_at_effective_price_default": Decimal("6.25"),
    "consumption_model": {"id": "5515-81A8", "description": "Compute Flexible CUDs - 1 Year"},
}
TAX = MACHINE | {"cost_type": "tax", "cost": 1.19, "cost_at_list": None, "usage": None, "resource": None}
ROUNDING = MACHINE | {"cost_type": "rounding_error", "cost": -0.004, "cost_at_list": None}
CORRECTED = MACHINE | {
    "cost": -3.0,
    "cost_at_list": -3.0,
    "adjustment_info": {
        "id": "adj-1",
        "description": "Overcharged",
        "mode": "PARTIAL_CORRECTION",
        "type": "USAGE_CORRECTION",
    },
}
PARTNER = MACHINE | {
    "service": {"id": "P-1", "description": "Contoso Cloud"},
    "sku": {"id": "P-2", "description": "Contoso requests"},
    "location": {"location": "mars-north1", "country": None, "region": None, "zone": None},
    "cost": 2.5,
    "cost_at_list": 2.5,
    "transaction_type": "THIRD_PARTY_AGENCY",
    "invoice": {"month": "202601", "publisher_type": "PARTNER"},
    "seller_name": "Contoso Inc.",
    "price": {
        "list_price": Decimal("2.5"),
        "effective_price": Decimal("2.5"),
        "tier_start_amount": Decimal("1000000"),
        "unit": "count",
        "pricing_unit_quantity": Decimal(1000),
    },
}
ROWS = [
    PLAIN, CREDITED, COVERED, FEE, NEW_FEE, MODEL_PRICED, TAX, ROUNDING, CORRECTED, PARTNER,
]  # fmt: skip
# Costs 10.5 + 10.5 + 8 + 5 + 6 + 4.5 + 1.19 - 0.004 - 3 + 2.5 = 45.186;
# credits -0.0000001 - 0.25 - 0.1 - 8 - 0.125 - 4.5 = -12.9750001.
TOTAL = Decimal("32.2109999")


def write(path: Path, rows: Sequence[dict[str, Any]], *, without: Sequence[str] = ()) -> Path:
    table = pa.Table.from_pylist([dict.fromkeys(SCHEMA.names) | row for row in rows], SCHEMA)
    pq.write_table(table.drop_columns(list(without)), path)
    return path


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
    assert covered["x_Inferred"] == "EffectiveCost"

    fee = charge(bill, FEE)
    assert costs(fee) == money("5", "5", "5", "5")
    assert (fee["ChargeCategory"], fee["ChargeFrequency"]) == ("Purchase", "Recurring")
    assert fee["CommitmentDiscountId"] == "subscription-1"
    assert (fee["CommitmentDiscountStatus"], fee["PricingCategory"]) == (None, "Standard")
    assert (fee["ConsumedQuantity"], fee["ResourceId"]) == (None, None)
    assert fee["x_Inferred"] == "EffectiveCost"


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
    numeric = pa.list_(pa.struct([("name", _TEXT), ("amount", _NUMERIC), ("type", _TEXT)]))
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
    keyed = pa.list_(pa.struct([("Key", _TEXT), ("Value", _TEXT)]))
    start, end = datetime(2026, 1, 1, 8, tzinfo=UTC), datetime(2026, 2, 1, 8, tzinfo=UTC)
    tax: list[Any] = ["usage", "Tax"]
    table = pa.table(
        {
            "BilledCost": pa.array([Decimal("1.123456789"), Decimal(2)], _NUMERIC),
            "EffectiveCost": pa.array([Decimal("1.1"), Decimal(2)], _NUMERIC),
            "ContractedCost": pa.array([Decimal("1.5"), None], _NUMERIC),
            "ListCost": pa.array([Decimal(3), None], _NUMERIC),
            "BillingAccountId": ["0A", "0A"],
            "BillingAccountType": ["Billing Account"] * 2,
            "BillingCurrency": ["EUR", "EUR"],
            "BillingPeriodStart": pa.array([start, start], _MOMENT),
            "BillingPeriodEnd": pa.array([end, end], _MOMENT),
            "ChargePeriodStart": pa.array([start, start], _MOMENT),
            "ChargePeriodEnd": pa.array([end, end], _MOMENT),
            "ChargeCategory": tax,
            "ProviderName": ["Google Cloud"] * 2,
            "PublisherName": ["Google Cloud"] * 2,
            "PricingCategory": ["committed", None],
            "ServiceName": ["BigQuery", "Contoso Cloud"],
            "RegionId": ["us-central1", None],
            "SubAccountId": ["shop-prod", None],
            "x_ExportTime": pa.array([end, end], _MOMENT),
            "x_Labels": pa.array([[{"Key": "team", "Value": "web"}], []], keyed),
            "x_ProjectLabels": pa.array(
                [[{"Key": "team", "Value": "platform"}, {"Key": "env", "Value": "prod"}], []], keyed
            ),
            "Tags": pa.array([[{"key": "zone", "value": "b"}], None], _PAIRS),
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
