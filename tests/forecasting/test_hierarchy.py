"""Forecasts of a small company add up at every level and across every cut, to the cent."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from finops_assets.forecasting.fleet import FleetForecast, forecast_fleet
from finops_assets.forecasting.hierarchy import hierarchy_of
from tests.forecasting.fleets import FIRST_DAY, Floats, cost_like

NAMES = (
    "level",
    "ServiceProviderName",
    "BillingAccountId",
    "SubAccountId",
    "SubAccountName",
    "ServiceName",
    "RegionId",
    "tag_key",
    "tag_value",
)
LEAVES = {
    ("AWS", "payer", "111", "EC2"): ("us-east-1", "web"),
    ("AWS", "payer", "111", "S3"): ("us-east-1", None),
    ("AWS", "payer", "222", "EC2"): (None, "web"),
    ("Azure", "ea", None, "VM"): ("westeurope", None),
}
DAYS = {"AWS": 200, "Azure": 197}
"""Azure's bill lies three days behind."""


def company() -> dict[tuple[str | None, ...], Floats]:
    """Every series of the company: name columns → costs to the cent, sums made of the leaves' days."""
    series: dict[tuple[str | None, ...], Floats] = {}
    shortest = min(DAYS.values())

    def add(level: str, values: Floats, **named: str | None) -> None:
        key = (level, *(named.get(n) for n in NAMES[1:]))
        series[key] = series.get(key, np.zeros(len(values))) + values

    for place, ((provider, payer, account, service), (region, team)) in enumerate(LEAVES.items()):
        values = np.round(cost_like(place, DAYS[provider], size=100 * (place + 1)), 2)
        of = {"ServiceProviderName": provider}
        add(
            "account_service", values, **of, BillingAccountId=payer, SubAccountId=account, ServiceName=service
        )
        add("provider", values, **of)
        add("billing_account", values, **of, BillingAccountId=payer)
        if account:
            add("account", values, **of, SubAccountId=account)
        add("service", values, **of, ServiceName=service)
        add("region", values, **of, RegionId=region)
        add("total", values[:shortest])
        add("tag", values[:shortest], tag_key="team", tag_value=team)
    return series


def features() -> pa.Table:
    rows = []
    for key, values in company().items():
        for offset, value in enumerate(values):
            rows.append(
                {
                    **dict(zip(NAMES, key, strict=True)),
                    "series_id": "|".join(str(k) for k in key),
                    "metric": "EffectiveCost",
                    "BillingCurrency": "USD",
                    "day": FIRST_DAY + timedelta(days=offset),
                    "cost": Decimal(f"{value:.2f}"),
                    "correction": Decimal(0),
                    "is_complete": True,
                }
            )
    money = pa.decimal128(38, 18)
    texts = [(n, pa.string()) for n in (*NAMES, "series_id", "metric", "BillingCurrency")]
    schema = pa.schema(
        [*texts, ("day", pa.date32()), ("cost", money), ("correction", money), ("is_complete", pa.bool_())]
    )
    return pa.Table.from_pylist(rows, schema=schema)


@pytest.fixture(scope="module")
def made() -> FleetForecast:
    return forecast_fleet(features())


@pytest.fixture(scope="module")
def champions(made: FleetForecast) -> list[dict[str, object]]:
    return [row for row in made.forecasts.to_pylist() if row["is_champion"]]


def by_day(rows: list[dict[str, object]], **named: object) -> dict[date, Decimal]:
    found: dict[date, Decimal] = defaultdict(Decimal)
    for row in rows:
        if all(row[k] == v for k, v in named.items()):
            assert isinstance(row["day"], date)
            assert isinstance(row["mean"], Decimal)
            found[row["day"]] += row["mean"]
    return found


@pytest.mark.parametrize("level", ["provider", "billing_account", "service", "region"])
@pytest.mark.parametrize("provider", ["AWS", "Azure"])
def test_levels_of_a_provider_are_the_sums_of_its_leaves(
    champions: list[dict[str, object]], level: str, provider: str
) -> None:
    leaves = by_day(champions, level="account_service", ServiceProviderName=provider)
    mine = by_day(champions, level=level, ServiceProviderName=provider)
    assert len(mine) == 90
    assert mine == {day: leaves[day] for day in mine}


@pytest.mark.parametrize("level", ["account_service", "provider", "tag"])
def test_the_total_is_the_sum_of_what_it_holds(champions: list[dict[str, object]], level: str) -> None:
    """Of days that one provider has and another lacks, the total takes what has come."""
    total = by_day(champions, level="total")
    parts = by_day(champions, level=level)
    first = FIRST_DAY + timedelta(days=DAYS["Azure"])
    assert sorted(total) == [first + timedelta(days=i) for i in range(90)]
    come: dict[date, Decimal] = defaultdict(Decimal)
    if level != "tag":
        for key, values in company().items():
            if key[0] == "account_service" and key[1] == "AWS":
                for offset in range(DAYS["Azure"], DAYS["AWS"]):
                    come[FIRST_DAY + timedelta(days=offset)] += Decimal(f"{values[offset]:.2f}")
    assert total == {day: parts[day] + come[day] for day in total}


def test_a_sum_says_so_and_is_judged_as_one(made: FleetForecast) -> None:
    table = made.accuracy.to_pylist()
    of_total = {row["model"]: row for row in table if row["level"] == "total" and row["horizon"] == "30d"}
    assert set(of_total) == {"BottomUp", "SeasonalNaive"}
    assert of_total["BottomUp"]["is_champion"]
    assert of_total["BottomUp"]["wape"] <= of_total["SeasonalNaive"]["wape"]


def test_series_without_leaves_are_forecast_by_themselves() -> None:
    names = features().select([*NAMES, "metric", "BillingCurrency"]).to_pandas().drop_duplicates()
    alone = hierarchy_of(names[names["level"] != "account_service"])
    assert not alone.members
    assert not alone.cuts


def by_month(made: FleetForecast, **named: object) -> dict[date, Decimal]:
    """month → the sum of these series."""
    found: dict[date, Decimal] = defaultdict(Decimal)
    for row in made.months.to_pylist():
        if all(row[k] == v for k, v in named.items()):
            found[row["month"]] += row["mean"]
    return found


@pytest.mark.parametrize("provider", ["AWS", "Azure"])
def test_months_of_a_provider_add_up_at_every_level(made: FleetForecast, provider: str) -> None:
    leaves = by_month(made, level="account_service", ServiceProviderName=provider)
    # July, whose bill ends on its 24th or 21st, and eighteen months after it.
    assert list(leaves) == [date(2025 + (6 + n) // 12, (6 + n) % 12 + 1, 1) for n in range(19)]
    for level in ("provider", "billing_account", "service", "region"):
        assert by_month(made, level=level, ServiceProviderName=provider) == leaves


def test_months_of_the_total_add_up_though_one_bill_lies_behind(made: FleetForecast) -> None:
    total = by_month(made, level="total")
    assert len(total) == 19
    for level in ("account_service", "provider", "tag"):
        assert by_month(made, level=level) == total


def test_a_month_of_days_is_the_sum_of_its_days(
    made: FleetForecast, champions: list[dict[str, object]]
) -> None:
    said: dict[tuple[object, str], Decimal] = defaultdict(Decimal)
    for day in champions:
        assert isinstance(day["mean"], Decimal)
        said[day["series_id"], f"{day['day']:%Y-%m}"] += day["mean"]
    costs = company()
    for row in made.months.to_pylist():
        values = costs[tuple(row[n] for n in NAMES)]
        begun = (row["month"] - FIRST_DAY).days
        known = sum((Decimal(f"{v:.2f}") for v in values[begun:]), Decimal(0)) if begun < len(values) else 0
        assert row["actual"] == known
        # The ninety days end in October.
        assert row["from_days"] == (row["month"] < date(2025, 10, 1))
        if row["from_days"]:
            assert row["mean"] == row["actual"] + said[row["series_id"], f"{row['month']:%Y-%m}"]
