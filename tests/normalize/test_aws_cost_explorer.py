"""AWS Cost Explorer's costs as FOCUS, held against the answers that a real moto server gave."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from finops_assets.focus.columns import columns, service_subcategories
from finops_assets.sources.aws.cost_explorer import COLUMNS, CostExplorerSource
from finops_assets.sources.base import Silence
from tests.normalize.native import Row, normalize_month, total
from tests.services.moto import CREDENTIALS, running_moto
from tests.sources.aws.test_cost_explorer import ANSWERS, PRESENT

JANUARY = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))


def of(rows: list[Row], number: int) -> Row:
    """The row that CSV row `number` became, from 1."""
    return sorted(rows, key=lambda row: int(row["x_RowNumber"]))[number - 1]


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("cost-explorer")
    with running_moto() as moto, pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        moto.answer_costs(ANSWERS)
        source = CostExplorerSource("aws", moto.access(), ("2026-01",), date(2026, 1, 15), 1, 100)
        (file,) = source.fetch(source.deliveries()[0], into, Silence())
    return file.path


@pytest.fixture(scope="module")
def rows(fetched: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    scratch = tmp_path_factory.mktemp("normalized")
    found, stated = normalize_month({"aws_cost_explorer": fetched}, scratch, "2026-01")
    assert stated == {"aws_cost_explorer": {"USD": Decimal("30.9000000004")}}
    return found


def test_billed_costs_are_the_total_by_record_type_to_the_last_digit(rows: list[Row]) -> None:
    expected = sum((Decimal(a) for day in PRESENT.values() for a in day.values()), Decimal(0))
    assert total(rows, "BilledCost") == expected == Decimal("30.9000000004")


def test_effective_costs_are_the_amortized_ones(rows: list[Row]) -> None:
    # 8.2 + 3.0000000002 + 1e-10 + 0.3 + 1.9 - 2.25 - 0.75 - 1 + 20
    assert total(rows, "EffectiveCost") == Decimal("29.4000000003")


def test_classes_become_charge_categories(rows: list[Row]) -> None:
    found = [
        (of(rows, n)["ChargeCategory"], of(rows, n)["ChargeClass"], of(rows, n)["ChargeFrequency"])
        for n in range(1, 10)
    ]
    assert found == [
        ("Usage", None, "Usage-Based"),
        ("Usage", None, "Usage-Based"),
        ("Usage", None, "Usage-Based"),
        ("Purchase", None, "Recurring"),
        ("Tax", None, "One-Time"),
        ("Credit", None, "One-Time"),
        ("Adjustment", None, "One-Time"),
        ("Adjustment", None, "Usage-Based"),
        ("Adjustment", None, "One-Time"),
    ]


def test_services_are_named_as_in_the_cost_and_usage_report(rows: list[Row]) -> None:
    found = [
        (row["ServiceName"], row["ServiceCategory"], "ServiceCategory" in row["x_Inferred"])
        for row in (of(rows, n) for n in (1, 2, 4, 5, 9))
    ]
    assert found == [
        ("Amazon Elastic Compute Cloud", "Compute", False),
        ("Amazon Simple Storage Service", "Storage", False),
        ("Savings Plans for AWS Compute usage", "Compute", False),
        ("Tax", "Other", True),
        ("Amazon CloudFront", "Networking", False),
    ]


def test_a_row_is_a_day_of_an_account_in_a_billing_month(rows: list[Row]) -> None:
    row = of(rows, 3)
    assert (row["SubAccountId"], row["SubAccountName"]) == ("222222222222", "Research")
    assert row["ChargePeriodStart"] == datetime(2026, 1, 2, tzinfo=UTC)
    assert row["ChargePeriodEnd"] == datetime(2026, 1, 3, tzinfo=UTC)
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == JANUARY
    assert of(rows, 9)["SubAccountName"] is None


def test_only_a_quantity_of_one_unit_is_consumed(rows: list[Row]) -> None:
    found = [(of(rows, n)["ConsumedQuantity"], of(rows, n)["ConsumedUnit"]) for n in range(1, 5)]
    assert found == [
        (Decimal(24), "Hrs"),
        (None, None),
        (Decimal("0.0000000001"), "GB-Month"),
        (None, None),
    ]


def test_a_discount_was_never_listed(rows: list[Row]) -> None:
    assert (of(rows, 8)["ListCost"], of(rows, 8)["ContractedCost"]) == (0, -1)


def test_what_the_api_does_not_know_is_null(rows: list[Row]) -> None:
    unknown = ("BillingAccountId", "RegionId", "ResourceId", "SkuId", "Tags", "InvoiceId", "PricingCategory")
    assert {row[name] for row in rows for name in unknown} == {None}


def test_focus_is_kept_but_for_the_payer(rows: list[Row]) -> None:
    mandatory = {c.name for c in columns() if c.level == "Mandatory" and not c.nullable}
    missing = {name for name in mandatory for row in rows if row[name] in (None, "")}
    assert missing == {"BillingAccountId"}
    parents = service_subcategories()
    assert all(parents[row["ServiceSubcategory"]] == row["ServiceCategory"] for row in rows)
    for column in columns():
        if column.allowed_values:
            assert {row[column.name] for row in rows} - {None} <= set(column.allowed_values), column.name


def test_every_spelling_of_a_service_finds_one_product(tmp_path: Path) -> None:
    spelled = {
        "EC2 - Other": ("Amazon Elastic Compute Cloud", "Other (Compute)"),
        "Amazon Elastic Compute Cloud - Compute": ("Amazon Elastic Compute Cloud", "Virtual Machines"),
        "AmazonCloudWatch": ("AmazonCloudWatch", "Observability"),
        "Amazon Elastic Load Balancing": ("Elastic Load Balancing", "Application Networking"),
        "Amazon Comprehend": ("Amazon Comprehend", "Natural Language Processing"),
        "AWS Support (Developer)": ("AWS Support (Developer)", "Support"),
        "A Seller's Product": ("A Seller's Product", "Other (Other)"),
    }
    lines = [f"2026-01-01,2026-01-02,Fee,{service},1,,1,1,0,N/A,USD,false" for service in spelled]
    bill = tmp_path / "bill.csv"
    bill.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n")
    rows, _ = normalize_month({"aws_cost_explorer": bill}, tmp_path, "2026-01")
    assert len(rows) == len(spelled)
    assert {(r["ServiceName"], r["ServiceSubcategory"]) for r in rows} == set(spelled.values())
    support = next(r for r in rows if r["ServiceName"] == "AWS Support (Developer)")
    assert support["ChargeFrequency"] == "Recurring"
