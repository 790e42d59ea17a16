"""The Cost Management Query API's costs as FOCUS, held against a recorded answer and worked examples."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from finops_assets.focus.columns import columns, service_subcategories
from finops_assets.normalize.formats import detect
from finops_assets.sources.azure.query import COLUMNS, CostQuerySource
from finops_assets.sources.base import Silence
from tests.normalize.native import Row, normalize_month, total
from tests.services.replay import running_replay
from tests.sources.azure.test_query import GIVEN, SCOPE

JANUARY = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))

ORDINARY = "2026-01-05,s-1,Shop,RG-Web,Virtual Machines,EU West,Usage,OnDemand,Azure,10.00000000001,EUR"
LINES = (
    # Ordinary usage: in both views.
    f"ActualCost,{ORDINARY}",
    f"AmortizedCost,{ORDINARY}",
    # A reservation: bought once, then usage that it covers, and what of it is left unused.
    "ActualCost,2026-01-01,s-1,Shop,,Virtual Machines,,Purchase,Reservation,Azure,300,EUR",
    "ActualCost,2026-01-05,s-1,Shop,rg-web,Virtual Machines,westeurope,Usage,Reservation,Azure,0,EUR",
    "AmortizedCost,2026-01-05,s-1,Shop,rg-web,Virtual Machines,westeurope,Usage,Reservation,Azure,8.5,EUR",
    "AmortizedCost,2026-01-05,s-1,Shop,,Virtual Machines,,UnusedReservation,Reservation,Azure,1.5,EUR",
    # A Marketplace purchase, a refund, a tax, spot usage, rounding.
    "ActualCost,2026-01-07,,,,A Seller's Offer,Unassigned,Purchase,,Marketplace,6E-05,EUR",
    "ActualCost,2026-01-08,s-1,Shop,,Virtual Machines,,Refund,Reservation,Azure,-100,EUR",
    "ActualCost,2026-01-31,,,,Unassigned,,Tax,,Azure,20.9,EUR",
    "AmortizedCost,2026-01-31,s-1,Shop,rg-x,Storage,moonbase 7,Usage,Spot,Azure,1,EUR",
    "ActualCost,2026-01-31,00000000-0000-0000-0000-000000000000,,,,,RoundingAdjustment,,,-0.01,EUR",
)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    scratch = tmp_path_factory.mktemp("normalized")
    bill = scratch / "2026-01.csv"
    bill.write_text("\n".join([",".join(COLUMNS), *LINES]) + "\n")
    found, stated = normalize_month({"azure_query": bill}, scratch, "2026-01")
    # By hand: 10.00000000001 + 300 + 0 + 0.00006 - 100 + 20.9 - 0.01
    assert stated == {"azure_query": {"EUR": Decimal("230.89006000001")}}
    return sorted(found, key=lambda row: int(row["x_RowNumber"]))


def test_a_recorded_month_adds_up_to_the_last_digit(tmp_path: Path) -> None:
    with running_replay(GIVEN) as replay:
        replay.page_rows = 100
        source = CostQuerySource("azure", SCOPE, ("2019-06",), date(2019, 7, 23), 1, replay.url)
        (file,) = source.fetch(source.deliveries()[0], tmp_path, Silence())
    found, stated = normalize_month({"azure_query": file.path}, tmp_path, "2019-06")
    # The recorded rows, added up by hand: 17.819825 a day, for 30 days.
    expected = sum((Decimal(repr(row[0])) for row in replay.rows), Decimal(0)) * 30
    assert expected == Decimal("17.819825") * 30
    assert stated == {"azure_query": {"USD": expected}}
    assert total(found, "BilledCost") == total(found, "EffectiveCost") == expected
    assert len(found) == 2 * 30 * len(replay.rows)


def test_the_header_tells_the_format() -> None:
    assert detect(COLUMNS).name == "azure_query"


def test_billed_is_the_actual_and_effective_the_amortized_cost(rows: list[Row]) -> None:
    assert len(rows) == len(LINES)
    for row, line in zip(rows, LINES, strict=True):
        cost = Decimal(line.split(",")[-2])
        is_actual = line.startswith("ActualCost")
        assert (row["BilledCost"], row["EffectiveCost"]) == ((cost, 0) if is_actual else (0, cost))
    assert total(rows, "BilledCost") == Decimal("230.89006000001")
    # 10.00000000001 + 8.5 + 1.5 + 1
    assert total(rows, "EffectiveCost") == Decimal("21.00000000001")


def test_contracted_and_list_costs_are_not_counted_twice(rows: list[Row]) -> None:
    expected = ["10.00000000001", "0", "300", "0", "8.5", "0", "0.00006", "-100", "20.9", "0", "-0.01"]
    assert [row["ContractedCost"] for row in rows] == [Decimal(cost) for cost in expected]
    assert [row["ListCost"] for row in rows] == [row["ContractedCost"] for row in rows]


def test_charges_are_classed_as_in_the_cost_details(rows: list[Row]) -> None:
    found = [
        (r["ChargeCategory"], r["ChargeClass"], r["ChargeFrequency"], r["PricingCategory"]) for r in rows
    ]
    usage = ("Usage", None, "Usage-Based")
    assert found == [
        (*usage, "Standard"),
        (*usage, "Standard"),
        ("Purchase", None, "One-Time", "Standard"),
        (*usage, "Committed"),
        (*usage, "Committed"),
        (*usage, "Committed"),
        ("Purchase", None, "One-Time", "Standard"),
        ("Purchase", "Correction", "One-Time", "Standard"),
        ("Tax", None, "One-Time", None),
        (*usage, "Dynamic"),
        ("Adjustment", None, "One-Time", None),
    ]


def test_a_row_is_a_day_of_a_subscription_in_a_billing_month(rows: list[Row]) -> None:
    row = rows[0]
    assert (row["SubAccountId"], row["SubAccountName"], row["SubAccountType"]) == (
        "s-1",
        "Shop",
        "Subscription",
    )
    assert row["x_ResourceGroupName"] == "rg-web"
    assert row["ChargePeriodStart"] == datetime(2026, 1, 5, tzinfo=UTC)
    assert row["ChargePeriodEnd"] == datetime(2026, 1, 6, tzinfo=UTC)
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == JANUARY
    assert {(r["SubAccountId"], r["SubAccountType"]) for r in (rows[6], rows[8], rows[10])} == {(None, None)}


def test_services_and_regions_are_named_as_in_the_cost_details(rows: list[Row]) -> None:
    named = [(r["ServiceName"], r["ServiceCategory"]) for r in (rows[0], rows[6], rows[8], rows[9], rows[10])]
    assert named == [
        ("Azure Virtual Machines", "Compute"),
        ("A Seller's Offer", "Other"),
        ("Microsoft Azure", "Other"),
        ("Storage Accounts", "Storage"),
        ("Microsoft Azure", "Other"),
    ]
    regions = [(r["RegionId"], r["RegionName"]) for r in (rows[0], rows[3], rows[6], rows[9])]
    assert regions == [
        ("westeurope", "West Europe"),
        ("westeurope", "West Europe"),
        (None, None),
        ("moonbase7", "moonbase 7"),
    ]
    assert "RegionName" in rows[9]["x_Inferred"].split(",")


def test_of_a_marketplace_offer_nobody_is_named(rows: list[Row]) -> None:
    assert (rows[6]["HostProviderName"], rows[6]["x_PublisherName"]) == (None, None)
    assert "ServiceProviderName" in rows[6]["x_Inferred"].split(",")
    assert (rows[0]["HostProviderName"], rows[0]["x_PublisherName"]) == ("Microsoft", "Microsoft")


def test_what_the_api_does_not_know_is_null(rows: list[Row]) -> None:
    unknown = ("BillingAccountId", "ResourceId", "SkuId", "Tags", "InvoiceId", "CommitmentDiscountId")
    assert {row[name] for row in rows for name in unknown} == {None}


def test_focus_is_kept_but_for_the_billing_account(rows: list[Row]) -> None:
    mandatory = {c.name for c in columns() if c.level == "Mandatory" and not c.nullable}
    missing = {name for name in mandatory for row in rows if row[name] in (None, "")}
    assert missing == {"BillingAccountId"}
    parents = service_subcategories()
    assert all(parents[row["ServiceSubcategory"]] == row["ServiceCategory"] for row in rows)
    for column in columns():
        if column.allowed_values:
            assert {row[column.name] for row in rows} - {None} <= set(column.allowed_values), column.name
