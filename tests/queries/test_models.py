"""Forecasts, anomalies, bills and the snapshot, against figures worked out from the lake."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from finops_assets.queries import anomalies, bills, forecasts
from finops_assets.queries.access import NotPublishedError, Warehouse, open_warehouse, pinned
from finops_assets.queries.costs import CostQuery, Filter, costs
from finops_assets.queries.providers import names_of_provider
from finops_assets.queries.snapshot import snapshot
from finops_assets.series import LEVELS
from finops_assets.settings import Settings
from tests.warehouse_builder import LAST_DAY, build_warehouse, lake_table, settings_of

MADE_AT = datetime(2026, 3, 21, 5, tzinfo=UTC)


def test_only_the_newest_making_of_the_champion_is_in_force(warehouse: Warehouse, built: Settings) -> None:
    table = forecasts.forecast(warehouse, "provider", provider="AWS", currency="USD")
    assert set(table["made_at"].to_pylist()) == {MADE_AT}
    assert set(table["model"].to_pylist()) == {"AutoETS"}
    assert table["day"].to_pylist() == [LAST_DAY + timedelta(days=n) for n in range(60)]
    every = lake_table(built, "cost_forecasts")
    assert every["made_at"].n_unique() == 3
    assert every.filter(pl.col("series_id") == "provider|AWS|||EffectiveCost|USD").height == 4 * 60


def test_a_forecast_is_chosen_by_its_keys(warehouse: Warehouse) -> None:
    assert set(forecasts.forecast(warehouse, "total")["BillingCurrency"].to_pylist()) == {"USD", "EUR"}
    account = forecasts.forecast(warehouse, "account", account="sub-0002", metric="BilledCost")
    assert set(account["SubAccountName"].to_pylist()) == {"Analytics"}
    service = forecasts.forecast(
        warehouse, "service", provider=("Nobody", "Microsoft"), service="Microsoft Fabric"
    )
    assert service.num_rows == 60
    assert forecasts.forecast(warehouse, "service", service="Nothing").num_rows == 0


def test_series_are_listed_once(warehouse: Warehouse, built: Settings) -> None:
    table = forecasts.forecast_series(warehouse)
    features = lake_table(built, "cost_features")
    assert sorted(table["series_id"].to_pylist()) == sorted(features["series_id"].unique())
    assert table["level"].to_pylist()[0] == "total"


def test_the_outlook_is_what_was_spent_and_what_is_forecast(
    warehouse: Warehouse, bill_rows: pl.DataFrame
) -> None:
    rows = forecasts.month_outlook(warehouse, "BilledCost").to_pylist()
    assert [(r["level"], r["ServiceProviderName"]) for r in rows][:2] == [("total", None)] * 2
    for row in rows:
        own = bill_rows.filter(
            pl.col("BillingCurrency") == row["BillingCurrency"],
            pl.col("x_Day").is_between(date(2026, 3, 1), row["data_until"]),
        )
        if row["level"] == "provider":
            own = own.filter(pl.col("ServiceProviderName") == row["ServiceProviderName"])
        assert row["actual"] == own["BilledCost"].sum()
        level = "total" if row["ServiceProviderName"] is None else "provider"
        ahead = forecasts.forecast(
            warehouse,
            "total" if level == "total" else "provider",
            provider=row["ServiceProviderName"],
            metric="BilledCost",
            currency=row["BillingCurrency"],
        ).to_pylist()
        march = [f["mean"] for f in ahead if f["day"] < date(2026, 4, 1)]
        april = [f["mean"] for f in ahead if date(2026, 4, 1) <= f["day"] < date(2026, 5, 1)]
        assert len(march) == (date(2026, 3, 31) - row["data_until"]).days
        assert len(april) == 30
        assert row["forecast"] == sum(march)
        assert row["expected"] == row["actual"] + row["forecast"]
        assert row["next_mean"] == sum(april)
        assert row["lo_80"] < row["expected"] < row["hi_80"]


def test_accuracy_lists_every_model(warehouse: Warehouse) -> None:
    table = forecasts.accuracy(warehouse)
    assert table.num_rows == len(LEVELS) * 2 * 2 * 2 * len(forecasts.HORIZONS)
    assert set(table["model"].to_pylist()) == {"AutoETS", "SeasonalNaive"}


def test_events_are_chosen_by_what_they_are(warehouse: Warehouse) -> None:
    def ids(**asked: object) -> list[str]:
        found = anomalies.anomalies(warehouse, **asked)  # type: ignore[arg-type]
        return [str(i) for i in found["anomaly_id"].to_pylist()]

    assert ids() == ["level-shift", "drop", "spike", "spike-aws"]
    assert ids(status="open") == ["level-shift"]
    assert ids(severity="critical") == ids(level="service") == ["spike"]
    assert ids(provider="AWS") == ["spike", "spike-aws"]
    assert ids(metric="BilledCost") == ["drop"]
    assert ids(currency="EUR") == ["level-shift"]
    assert ids(limit=1) == ["level-shift"]
    assert ids(start=date(2026, 2, 12), end=date(2026, 2, 13)) == ["spike", "spike-aws"]
    assert ids(start=date(2026, 2, 13), end=date(2026, 2, 18)) == []
    assert ids(provider=("AWS", "Microsoft")) == ["level-shift", "spike", "spike-aws"]


def test_drivers_add_up_to_the_impact(warehouse: Warehouse) -> None:
    event = anomalies.anomaly(warehouse, "spike")
    split: dict[str, Decimal] = {}
    for row in anomalies.drivers(warehouse, "spike").to_pylist():
        split[row["dimension"]] = split.get(row["dimension"], Decimal(0)) + row["contribution"]
    # Why comes first, then what changed.
    assert list(split) == ["cause", "effect", "RegionName", "SubAccountName", "x_Tag_team"]
    assert set(split.values()) == {event["impact"]}
    with pytest.raises(anomalies.UnknownAnomalyError, match="No anomaly is called 'x'"):
        anomalies.anomaly(warehouse, "x")


def test_a_cause_opens_its_rows_where_a_filter_can_say_it(warehouse: Warehouse) -> None:
    def of(*values: str) -> list[tuple[Filter, ...] | None]:
        return anomalies.driver_filters(warehouse, [{"dimension": "cause", "value": v} for v in values])

    assert of("ServiceName=a; b = c; RegionId=(none)", "(elsewhere)") == [
        (Filter("ServiceName", ("a; b = c",)), Filter("RegionId", (None,))),
        None,
    ]
    assert of("(everywhere)") == [()]
    # The second shares rows with the first; the third does not.
    assert of("ServiceName=a", "RegionId=x", "ServiceName=b") == [
        (Filter("ServiceName", ("a",)),),
        None,
        None,
    ]
    assert of("ServiceName=a", "ServiceName=b") == [
        (Filter("ServiceName", ("a",)),),
        (Filter("ServiceName", ("b",)),),
    ]
    effect = [{"dimension": "effect", "value": "quantity"}]
    assert anomalies.driver_filters(warehouse, effect) == [None]


def test_bills_are_every_delivery(warehouse: Warehouse) -> None:
    every = bills.bills(warehouse)
    assert sorted(every["status"].to_pylist()) == ["accepted"] * 9 + ["quarantined"] + ["superseded"] * 2
    (refused,) = bills.bills(warehouse, status="quarantined").to_pylist()
    assert (refused["x_Source"], refused["x_BillingMonth"]) == ("gcp-prod", "2026-03")
    assert "row 17" in refused["problem"]
    assert bills.bills(warehouse, "aws-main", "2026-01").num_rows == 2


def test_freshness_tells_late_from_refused(warehouse: Warehouse) -> None:
    rows = {r["x_Source"]: r for r in bills.freshness(warehouse).to_pylist()}
    assert {s: r["status"] for s, r in rows.items()} == {
        "aws-main": "late",
        "azure-ea": "late",
        "gcp-prod": "quarantined",
    }
    assert rows["aws-main"]["newest_day"] == LAST_DAY
    assert [rows["gcp-prod"][k] for k in ("months", "first_month", "last_month", "quarantined")] == [
        3,
        "2026-01",
        "2026-03",
        1,
    ]


def test_every_bill_reconciles(warehouse: Warehouse) -> None:
    table = bills.reconciliation(warehouse)
    assert table.num_rows > 0
    assert all(table["passed"].to_pylist())
    assert set(table["stage"].to_pylist()) == {
        *("raw", "costs", "daily_costs"),
        *("published costs", "published daily_costs"),
    }


def test_the_snapshot_says_what_it_holds(warehouse: Warehouse, bill_rows: pl.DataFrame) -> None:
    found = snapshot(warehouse)
    assert (found.version, found.run_id) == (1, "built-for-tests")
    rows = {t.name: (t.kind, t.rows) for t in found.tables}
    assert rows["costs"] == ("view", bill_rows.height)
    assert rows["cost_anomalies"] == ("table", 4)


def test_nothing_published_says_what_to_do(tmp_path: Path) -> None:
    empty = open_warehouse(settings_of(tmp_path))
    with pytest.raises(NotPublishedError, match="finops run"):
        costs(empty, CostQuery(date(2026, 1, 1), date(2026, 2, 1)))
    with pytest.raises(NotPublishedError), pinned(empty):
        pass


def test_a_pinned_version_stays_while_the_next_is_published(tmp_path: Path) -> None:
    q = CostQuery(date(2026, 1, 1), date(2026, 2, 1), currency="USD")
    warehouse = open_warehouse(build_warehouse(tmp_path))
    before = costs(warehouse, q).to_pylist()[0]
    with pinned(warehouse) as held:
        build_warehouse(tmp_path, surcharge=Decimal("0.25"))
        assert costs(held, q).to_pylist() == [before]
        after = costs(warehouse, q).to_pylist()[0]
        assert (held.version(), warehouse.version()) == (1, 2)
    # Seven lines in dollars a day, for 31 days; only usage lines are surcharged.
    assert after["EffectiveCost"] - before["EffectiveCost"] == 7 * 31 * Decimal("0.25")
    warehouse.close()


def test_names_of_providers() -> None:
    assert names_of_provider("AWS") == ("AWS", "Amazon Web Services")
    assert names_of_provider("Snowflake") == ("Snowflake",)
    assert names_of_provider(None) is None
