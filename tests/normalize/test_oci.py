"""The OCI cost report."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.normalize.bills import Normalized, normalize, read_csv, shared, totals

SAMPLE = "native-exports/oci-cost.csv"


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> Normalized:
    return normalize(shared(SAMPLE), tmp_path_factory.mktemp("oci"))


@pytest.mark.parametrize("cost", ["BilledCost", "EffectiveCost", "ContractedCost", "ListCost"])
def test_sums_equal_the_files_own_to_the_last_digit(bill: Normalized, cost: str) -> None:
    expected = totals(read_csv(shared(SAMPLE)), "cost/currencyCode", "cost/myCost")
    assert bill.stated == bill.total(cost) == expected
    assert len(bill.rows) == 506


def test_a_row_says_what_the_report_says(bill: Normalized) -> None:
    native = read_csv(shared(SAMPLE))[0]
    row = bill.rows[0]
    assert row["x_RowNumber"] == 1
    assert row["BilledCost"] == Decimal("0.012264277499950943")
    assert row["ServiceName"] == "Database"
    assert (row["ServiceCategory"], row["ServiceSubcategory"]) == ("Databases", "Relational Databases")
    assert (row["RegionId"], row["RegionName"]) == ("us-sanjose-1", "US West (San Jose)")
    assert row["ResourceId"] == native["product/resourceId"]
    assert row["ResourceType"] == "autonomousdatabase"
    assert row["ChargePeriodStart"] == datetime(2023, 11, 13, 10, tzinfo=UTC)
    assert row["ChargePeriodEnd"] == datetime(2023, 11, 13, 11, tzinfo=UTC)
    assert row["BillingPeriodStart"] == datetime(2023, 11, 1, tzinfo=UTC)
    assert row["BillingPeriodEnd"] == datetime(2023, 12, 1, tzinfo=UTC)
    assert row["ContractedUnitPrice"] == Decimal("0.14717133")
    assert row["SkuId"] == "B92911"
    tags = json.loads(row["Tags"])
    assert tags["Oracle-Tags.CreatedBy"] == "default/phil.newman@oracle.com"
    assert list(tags) == sorted(tags)


def test_what_the_report_does_not_state_is_named(bill: Normalized) -> None:
    for row in bill.rows:
        assert {"BillingPeriodStart", "ListCost", "InvoiceIssuerName"} <= set(row["x_Inferred"].split(","))
        assert row["ServiceProviderName"] == row["InvoiceIssuerName"] == "Oracle"


def test_every_service_of_the_sample_is_known(bill: Normalized) -> None:
    assert "Other" not in {row["ServiceCategory"] for row in bill.rows}


def test_a_correction_and_an_unknown_service(tmp_path: Path) -> None:
    row = {
        "lineItem/intervalUsageStart": "2026-01-31T23:00Z",
        "lineItem/intervalUsageEnd": "2026-02-01T00:00Z",
        "lineItem/tenantId": "tenancy",
        "product/service": "HOLOGRAMS",
        "cost/myCost": "-1.5E-7",
        "cost/currencyCode": "EUR",
        "lineItem/isCorrection": "true",
    }
    path = tmp_path / "oci.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(row))
        writer.writeheader()
        writer.writerow(row)
    (found,) = normalize(path, tmp_path).rows
    assert found["BilledCost"] == Decimal("-0.00000015")
    assert (found["ChargeCategory"], found["ChargeClass"]) == ("Adjustment", None)
    assert (found["ServiceName"], found["ServiceCategory"]) == ("HOLOGRAMS", "Other")
    assert found["BillingAccountId"] == "tenancy"
    assert "ServiceCategory" in found["x_Inferred"].split(",")
