"""Azure cost details in both views, and FOCUS with Microsoft columns. Figures are computed by hand."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from finops_assets.focus.columns import columns, service_subcategories
from finops_assets.normalize.formats import FORMAT_BY_NAME, detect
from finops_assets.normalize.references import load_references
from tests.normalize.azure_bills import (
    ACTUAL,
    ACTUAL_TOTAL,
    AMORTIZED,
    AMORTIZED_TOTAL,
    AT_ACCOUNT,
    MACHINE,
    PLAN,
    RESERVED,
    SUBSCRIPTION,
    VM,
    write,
)
from tests.normalize.bills import Normalized, normalize, read_csv, shared, totals
from tests.normalize.native import Row, normalize_month, total

REAL = "native-exports/azure-ea.csv"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    folder = tmp_path_factory.mktemp("pair")
    bills = {
        "azure_actual": write(folder / "actual.csv", ACTUAL),
        "azure_amortized": write(folder / "amortized.csv", AMORTIZED),
    }
    rows, stated = normalize_month(bills, folder, "2026-01")
    assert stated == {"azure_actual": {"EUR": ACTUAL_TOTAL}, "azure_amortized": {"EUR": AMORTIZED_TOTAL}}
    return rows


def one(rows: Sequence[Row], bill: str, number: int) -> Row:
    found = [r for r in rows if r["x_BillId"] == bill and r["x_RowNumber"] == number]
    assert len(found) == 1
    return found[0]


def costs(row: Row) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    return row["BilledCost"], row["EffectiveCost"], row["ContractedCost"], row["ListCost"]


def money(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(a) for a in amounts)


def test_the_pair_adds_up_to_both_bills_and_counts_nothing_twice(pair: list[Row]) -> None:
    assert total(pair, "BilledCost") == ACTUAL_TOTAL
    assert total(pair, "EffectiveCost") == AMORTIZED_TOTAL
    # All of the actual bill but its two covered rows; of the amortized one its four commitment rows.
    assert sorted((r["x_BillId"], r["x_RowNumber"]) for r in pair) == [
        *(("azure_actual", n) for n in (1, 2, 4, 6, 7, 8, 9)),
        *(("azure_amortized", n) for n in (2, 3, 4, 5)),
    ]
    # 1.00 + 73 + 24 - 10 + 5.555555555555 + 0.004 + 19, then 24 x 0.10 + 0 + 10 x 0.10 + 0.
    assert total(pair, "ContractedCost") == Decimal("115.959555555555")
    # The same, the first row at 10 x 0.12, then 24 x 0.12 + 0 + 10 x 0.12 + 0.
    assert total(pair, "ListCost") == Decimal("116.839555555555")


def test_a_purchase_is_billed_and_what_it_covers_is_effective(pair: list[Row]) -> None:
    bought = one(pair, "azure_actual", 2)
    assert costs(bought) == money("73", "0", "73", "73")
    assert (bought["ChargeCategory"], bought["ChargeFrequency"]) == ("Purchase", "One-Time")
    assert bought["PricingCategory"] == "Standard"
    assert (bought["CommitmentDiscountId"], bought["CommitmentDiscountStatus"]) == ("res-1", None)
    assert bought["x_Inferred"] == "ChargeFrequency,ServiceCategory,ServiceSubcategory"
    assert bought["SubAccountId"] is None

    used = one(pair, "azure_amortized", 2)
    assert costs(used) == money("0", "1.20", "2.40", "2.88")
    assert used["PricingCategory"] == "Committed"
    assert (used["CommitmentDiscountId"], used["CommitmentDiscountStatus"]) == ("res-1", "Used")
    assert (used["CommitmentDiscountCategory"], used["CommitmentDiscountType"]) == ("Usage", "Reservation")
    assert (used["CommitmentDiscountQuantity"], used["CommitmentDiscountUnit"]) == (24, "1 Hour")
    assert used["x_Inferred"] is None

    unused = one(pair, "azure_amortized", 3)
    assert costs(unused) == money("0", "0.40", "0", "0")
    assert (unused["ChargeCategory"], unused["CommitmentDiscountStatus"]) == ("Usage", "Unused")
    assert (unused["ConsumedQuantity"], unused["ConsumedUnit"]) == (None, None)


def test_what_has_no_list_price_is_listed_at_the_contracted_one(tmp_path: Path) -> None:
    # 3 at 24.00; the export says 0 for a list price that it does not have.
    bought = RESERVED | {
        "ChargeType": "Purchase",
        "Quantity": "3",
        "UnitPrice": "24",
        "PayGPrice": "0",
        "CostInBillingCurrency": "72",
    }
    path = write(tmp_path / "actual.csv", [AT_ACCOUNT | bought])
    [row], _ = normalize_month({"azure_actual": path}, tmp_path, "2026-01")
    assert (row["ListUnitPrice"], row["ContractedUnitPrice"], row["ListCost"]) == money("24", "24", "72")
    assert "ListUnitPrice" in row["x_Inferred"]


def test_savings_plans_are_commitments_of_spend(pair: list[Row]) -> None:
    bought, used, unused = (
        one(pair, "azure_actual", 4),
        one(pair, "azure_amortized", 4),
        one(pair, "azure_amortized", 5),
    )
    assert costs(bought) == money("24", "0", "24", "24")
    assert costs(used) == money("0", "0.70", "1.00", "1.20")
    assert costs(unused) == money("0", "0.30", "0", "0")
    assert {r["CommitmentDiscountId"] for r in (bought, used, unused)} == {PLAN}
    assert {r["CommitmentDiscountType"] for r in (bought, used, unused)} == {"Savings Plan"}
    assert {r["CommitmentDiscountCategory"] for r in (bought, used, unused)} == {"Spend"}
    assert (used["CommitmentDiscountQuantity"], used["CommitmentDiscountUnit"]) == (Decimal("0.7"), "EUR")


def test_charges_beside_usage(pair: list[Row]) -> None:
    refund = one(pair, "azure_actual", 6)
    assert costs(refund) == money("-10", "0", "-10", "-10")
    assert (refund["ChargeCategory"], refund["ChargeClass"]) == ("Purchase", "Correction")

    marketplace = one(pair, "azure_actual", 7)
    assert costs(marketplace) == money(*["5.555555555555"] * 4)
    assert marketplace["ServiceProviderName"] == marketplace["x_PublisherName"] == "Contoso Inc."
    assert (marketplace["InvoiceIssuerName"], marketplace["HostProviderName"]) == ("Microsoft", None)
    assert marketplace["ServiceName"] == "Contoso Inc."
    assert (marketplace["ServiceCategory"], marketplace["ServiceSubcategory"]) == ("Other", "Other (Other)")

    rounding, tax = one(pair, "azure_actual", 8), one(pair, "azure_actual", 9)
    assert costs(rounding) == money(*["0.004"] * 4)
    assert (rounding["ChargeCategory"], tax["ChargeCategory"]) == ("Adjustment", "Tax")
    for name in ("SkuId", "SkuPriceId", "PricingQuantity", "PricingUnit", "ListUnitPrice", "PricingCategory"):
        assert tax[name] is None


def test_an_ordinary_row(pair: list[Row]) -> None:
    row = one(pair, "azure_actual", 1)
    assert costs(row) == money("1.00", "1.00", "1.00", "1.20")
    assert row["BillingPeriodStart"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert row["BillingPeriodEnd"] == datetime(2026, 2, 1, tzinfo=UTC)
    assert row["ChargePeriodStart"] == datetime(2026, 1, 15, tzinfo=UTC)
    assert row["ChargePeriodEnd"] == datetime(2026, 1, 16, tzinfo=UTC)
    assert (row["RegionId"], row["RegionName"]) == ("westeurope", "West Europe")
    assert (row["ResourceId"], row["ResourceName"]) == (VM, "web-1")
    assert row["ResourceType"] == "microsoft.compute/virtualmachines"
    assert row["x_ResourceGroupName"] == "rg-web"
    assert json.loads(row["Tags"]) == {"team": "web", "env": "prod"}
    assert json.loads(row["SkuPriceDetails"]) == {"CoreCount": 2, "InstanceType": "Standard_D2s_v3"}
    assert (row["SubAccountId"], row["SubAccountType"]) == (SUBSCRIPTION, "Subscription")
    assert (row["ServiceName"], row["ServiceCategory"]) == ("Azure Virtual Machines", "Compute")
    assert row["ServiceProviderName"] == row["InvoiceIssuerName"] == row["HostProviderName"] == "Microsoft"
    assert (row["ListUnitPrice"], row["ContractedUnitPrice"]) == money("0.12", "0.10")
    assert row["x_Inferred"] is None


def test_only_the_actual_bill_is_a_cash_view(tmp_path: Path) -> None:
    rows, _ = normalize_month({"azure_actual": write(tmp_path / "a.csv", ACTUAL)}, tmp_path, "2026-01")
    assert len(rows) == len(ACTUAL)
    assert total(rows, "BilledCost") == total(rows, "EffectiveCost") == ACTUAL_TOTAL
    assert all("EffectiveCost" in r["x_Inferred"].split(",") for r in rows)


def test_only_the_amortized_bill_infers_what_was_billed(tmp_path: Path) -> None:
    rows, _ = normalize_month({"azure_amortized": write(tmp_path / "a.csv", AMORTIZED)}, tmp_path, "2026-01")
    assert len(rows) == len(AMORTIZED)
    assert total(rows, "EffectiveCost") == AMORTIZED_TOTAL
    # 1.00 + 5.555555555555 + 0.004 + 19.00: what no commitment pays for.
    assert total(rows, "BilledCost") == Decimal("25.559555555555")
    assert all("BilledCost" in r["x_Inferred"].split(",") for r in rows)


def test_mca_names_currencies_and_blocks(tmp_path: Path) -> None:
    header = [
        "invoiceId", "billingAccountId", "billingProfileId", "billingProfileName", "billingPeriodStartDate",
        "billingPeriodEndDate", "date", "billingCurrency", "pricingCurrency", "costInBillingCurrency",
        "costInPricingCurrency", "paygCostInBillingCurrency", "exchangeRatePricingToBilling", "unitPrice",
        "payGPrice", "quantity", "unitOfMeasure", "meterCategory", "meterSubCategory", "consumedService",
        "chargeType", "frequency", "pricingModel", "SubscriptionId", "resourceLocation", "ResourceId",
        "publisherType", "tags", "productId", "partnerName",
    ]  # fmt: skip
    database = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Sql/servers/main/databases/shop"
    common = {
        "invoiceId": "G0001", "billingAccountId": "a:b_2019-05-31", "billingProfileId": "PROF",
        "billingProfileName": "Profile", "billingPeriodStartDate": "01/01/2026",
        "billingPeriodEndDate": "01/31/2026", "date": "01/02/2026", "billingCurrency": "EUR",
        "pricingCurrency": "USD", "exchangeRatePricingToBilling": "0.5", "chargeType": "Usage",
        "frequency": "UsageBased", "SubscriptionId": "s", "productId": "DZH-1", "publisherType": "Microsoft",
    }  # fmt: skip
    rows = [
        common | {
            "quantity": "3", "unitOfMeasure": "100 Hours", "unitPrice": "2", "payGPrice": "4",
            "costInBillingCurrency": "2.9", "costInPricingCurrency": "5.8", "pricingModel": "Spot",
            "paygCostInBillingCurrency": "5.9", "meterCategory": "Storage",
            "meterSubCategory": "Premium SSD Managed Disks", "resourceLocation": "Moon Base 1",
            "tags": '{"a": "b"}', "ResourceId": database, "partnerName": "Reseller AG",
        },
        common | {
            "quantity": "0.25", "unitOfMeasure": "1M", "costInBillingCurrency": "0.7",
            "costInPricingCurrency": "1.4", "pricingModel": "OnDemand", "resourceLocation": "Unassigned",
            "consumedService": "MICROSOFT.SQL", "meterCategory": "Brand New Meter",
        },
        common | {
            "quantity": "1", "unitOfMeasure": "1 GB/Month", "costInBillingCurrency": "0.1",
            "pricingModel": "OnDemand", "meterCategory": "Nobody Knows", "consumedService": "Contoso.New",
        },
    ]  # fmt: skip
    path = tmp_path / "mca.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, header, restval="")
        writer.writeheader()
        writer.writerows(rows)
    assert detect(header).name == "azure_actual"
    disk, database_row, unknown = normalize_month({"azure_actual": path}, tmp_path, "2026-01")[0]

    # List as the bill states it; contracted 3 x 2 USD at 0.5.
    assert costs(disk) == money("2.9", "2.9", "3", "5.9")
    assert (disk["ContractedUnitPrice"], disk["PricingCurrencyContractedUnitPrice"]) == money("1", "2")
    assert (disk["PricingQuantity"], disk["PricingUnit"]) == (3, "100 Hours")
    assert (disk["ConsumedQuantity"], disk["ConsumedUnit"]) == (300, "Hours")
    assert (disk["BillingAccountId"], disk["BillingAccountType"]) == ("PROF", "Billing Profile")
    assert (disk["PricingCategory"], disk["InvoiceId"]) == ("Dynamic", "G0001")
    assert (disk["InvoiceIssuerName"], disk["ServiceProviderName"]) == ("Reseller AG", "Microsoft")
    assert (disk["ServiceName"], disk["ServiceSubcategory"]) == ("Azure Managed Disks", "Block Storage")
    assert disk["ResourceType"] == "microsoft.sql/servers/databases"
    assert (disk["RegionId"], disk["RegionName"]) == ("moonbase1", "Moon Base 1")
    assert disk["x_Inferred"] == "EffectiveCost,RegionName"

    # No prices: the cost stands in. The meter category is unknown, the resource provider is not.
    assert costs(database_row) == money("0.7", "0.7", "0.7", "0.7")
    assert (database_row["ConsumedQuantity"], database_row["ConsumedUnit"]) == (250000, "Units")
    assert database_row["ServiceName"] == "Azure SQL Database"
    assert (database_row["RegionId"], database_row["RegionName"]) == (None, None)
    assert database_row["x_Inferred"] == "EffectiveCost,ContractedCost,ListCost"

    assert unknown["ServiceName"] == "Nobody Knows"
    assert (unknown["ServiceCategory"], unknown["ServiceSubcategory"]) == ("Other", "Other (Other)")
    assert unknown["ConsumedUnit"] == "GB-Months"
    assert unknown["x_Inferred"].endswith("ServiceCategory,ServiceSubcategory")


def test_a_product_of_too_many_digits_leaves_the_cost_in_its_place(tmp_path: Path) -> None:
    huge = MACHINE | {
        "Quantity": "10000000000000", "UnitPrice": "0.5", "PayGPrice": "1", "CostInBillingCurrency": "7",
    }  # fmt: skip
    (row,), _ = normalize_month({"azure_actual": write(tmp_path / "huge.csv", [huge])}, tmp_path, "2026-01")
    assert costs(row) == money("7", "7", "7", "7")
    assert row["x_Inferred"] == "EffectiveCost,ContractedCost,ListCost"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Normalized:
    return normalize(shared(REAL), tmp_path_factory.mktemp("real"))


def test_the_real_file_adds_up_to_the_last_digit(real: Normalized) -> None:
    expected = totals(read_csv(shared(REAL)), "BillingCurrencyCode", "CostInBillingCurrency")
    assert real.form.name == "azure_actual"
    assert real.months == ["2023-09"]
    assert real.stated == real.total("BilledCost") == real.total("EffectiveCost") == expected
    assert len(real.rows) == 27


def test_the_real_files_rows_are_read_right(real: Normalized) -> None:
    for native, row in zip(read_csv(shared(REAL)), real.rows, strict=True):
        assert row["BillingPeriodEnd"] == datetime(2023, 10, 1, tzinfo=UTC)
        assert row["ChargePeriodStart"] == datetime(2023, 9, 2, tzinfo=UTC)
        assert json.loads(row["Tags"]) == {"tagA": "valueA", "tagB": "valueB", "tagC": "valueC"}
        assert row["ServiceCategory"] != "Other"
        quantity = Decimal(native["Quantity"])
        assert row["PricingQuantity"] == quantity.quantize(Decimal("1e-12"))
        assert abs(row["ListCost"] - Decimal(native["PayGPrice"]) * quantity) < Decimal("1e-12")
        assert abs(row["ContractedCost"] - Decimal(native["UnitPrice"]) * quantity) < Decimal("1e-12")
        # Why PricingQuantity is Quantity: it counts units of UnitOfMeasure, blocks included.
        cost = Decimal(native["CostInBillingCurrency"])
        assert abs(Decimal(native["EffectivePrice"]) * quantity - cost) < Decimal("1e-6")
    kinds = {(r["MeterSubCategory"], r["ServiceName"]) for r in _with_service(real)}
    assert ("Queues v2", "Azure Queue Storage") in kinds
    assert ("Tiered Block Blob", "Azure Blob Storage") in kinds
    assert ("Private Link", "Azure Private Link") in kinds


def _with_service(bill: Normalized) -> list[Row]:
    return [
        native | {"ServiceName": row["ServiceName"]}
        for native, row in zip(read_csv(shared(REAL)), bill.rows, strict=True)
    ]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("azure-actualcost-schema.json", "azure_actual"),
        ("azure-amortizedcost-schema.json", "azure_actual"),
        ("azure-focuscost-1.2-schema.json", "azure_focus"),
    ],
)
def test_microsofts_schemas_are_recognized(file: str, name: str) -> None:
    header = _schema(file)
    assert detect(header).name == name


def test_the_two_views_name_each_other_and_look_alike() -> None:
    actual, amortized = FORMAT_BY_NAME["azure_actual"], FORMAT_BY_NAME["azure_amortized"]
    assert (actual.companion, amortized.companion) == (amortized.name, actual.name)
    assert actual.signature == amortized.signature
    assert (actual.metric, amortized.metric) == ("BilledCost", "EffectiveCost")


def _schema(file: str) -> list[str]:
    schema = json.loads(shared(f"native-exports/{file}").read_text(encoding="utf-8"))
    return [mapping["source"]["name"] for mapping in schema["translator"]["mappings"]]


def test_focus_keeps_what_it_states_and_fills_what_its_version_lacks(tmp_path: Path) -> None:
    header = _schema("azure-focuscost-1.2-schema.json")
    stated = {
        "BilledCost": "0", "EffectiveCost": "1.20", "ContractedCost": "2.40", "ListCost": "2.88",
        "BillingCurrency": "EUR", "BillingPeriodStart": "2026-01-01T00:00:00Z",
        "BillingPeriodEnd": "2026-02-01T00:00:00Z", "ChargePeriodStart": "2026-01-15T00:00:00Z",
        "ChargePeriodEnd": "2026-01-16T00:00:00Z", "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-based",
        "CommitmentDiscountId": PLAN, "CommitmentDiscountStatus": "Used", "ProviderName": "Microsoft",
        "PublisherName": "Contoso", "InvoiceIssuerName": "Microsoft", "ServiceCategory": "Compute",
        "BillingAccountId": "4711",
        "ServiceName": "Virtual Machines", "SubAccountId": f"/subscriptions/{SUBSCRIPTION}",
        "SubAccountType": "Subscription", "BillingAccountType": "Billing Profile", "Tags": '{"a":"b"}',
        "ResourceId": VM, "x_SkuMeterCategory": "Azure Kubernetes Service",
    }  # fmt: skip
    path = write(tmp_path / "focus.csv", [], header)
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, header, restval="")
        writer.writeheader()
        writer.writerow(stated)
        writer.writerow(stated | {"x_SkuMeterCategory": "Key Vault", "ListCost": "", "ContractedCost": ""})
    rows, totals_ = normalize_month({"azure_focus": path}, tmp_path, "2026-01")
    first, second = sorted(rows, key=lambda r: r["x_RowNumber"])
    assert totals_ == {"azure_focus": {"EUR": Decimal(0)}}
    assert costs(first) == money("0", "1.20", "2.40", "2.88")
    assert (first["ServiceCategory"], first["ServiceSubcategory"]) == ("Compute", "Containers")
    assert first["ChargeFrequency"] == "Usage-Based"
    assert (first["ServiceProviderName"], first["x_PublisherName"]) == ("Microsoft", "Contoso")
    assert first["x_ResourceGroupName"] == "rg-web"
    assert first["x_Inferred"] == "HostProviderName,ServiceProviderName,ServiceSubcategory"
    # A meter of another category says nothing about the subcategory of the stated one.
    assert second["ServiceSubcategory"] == "Other (Compute)"
    assert costs(second) == money("0", "1.20", "0", "0")


def test_every_row_has_what_focus_requires(pair: list[Row]) -> None:
    required = [c for c in columns() if c.level == "Mandatory" and not c.nullable]
    for row in pair:
        for column in required:
            assert row[column.name] is not None, column.name
        for column in columns():
            if column.allowed_values and row[column.name] is not None:
                assert row[column.name] in column.allowed_values


def test_the_references_are_consistent() -> None:
    services = load_references()["ref_azure_services"].to_pylist()
    parents = service_subcategories()
    assert len({s["MeterCategory"] for s in services}) > 90
    for service in services:
        assert parents[service["ServiceSubcategory"]] == service["ServiceCategory"]
        assert (service["MeterCategory"] is None) != (service["ConsumedService"] is None)
    keys = [(s["MeterCategory"], s["MeterSubCategory"], s["ConsumedService"]) for s in services]
    assert len(keys) == len(set(keys))
    regions = load_references()["ref_azure_regions"].to_pylist()
    assert len({r["Location"] for r in regions}) == len(regions)
    assert all(r["Location"] == r["Location"].lower().replace(" ", "") for r in regions)
