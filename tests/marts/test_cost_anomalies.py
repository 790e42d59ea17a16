"""cost_anomalies.sql: when an event's data came, since when it is known, whether it goes on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from finops_assets.anomalies.events import EVENTS
from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.marts.anomalies import COST_ANOMALIES
from finops_assets.marts.arrivals import DELIVERED_DAYS
from finops_assets.marts.series import COST_FEATURES
from finops_assets.marts.sql import load_sql
from finops_assets.marts.tables import daily_costs_table
from finops_assets.schema import Table

DAILY = daily_costs_table(())
RAISED, NOW = date(2026, 1, 10), datetime(2026, 2, 1, 5, tzinfo=UTC)


def at(day: int, hour: int = 3) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


def given(table: Table, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=table.arrow_schema())


def event(name: str, provider: str | None, last_day: date = RAISED) -> dict[str, Any]:
    return {
        "anomaly_id": name, "series_id": name, "ServiceProviderName": provider, "BillingCurrency": "USD",
        "first_day": RAISED - timedelta(days=1), "last_day": last_day, "raised_on": RAISED,
    }  # fmt: skip


def delivery(source: str, ingested_at: datetime, last_day: date) -> list[dict[str, Any]]:
    days = (last_day - timedelta(days=n) for n in range(3))
    return [
        {"x_Source": source, "ingested_at": ingested_at, "exported_at": ingested_at, "x_Day": d,
         "BillingCurrency": "USD", "bill_ids": str(ingested_at), "x_BillingMonth": "2026-01"}
        for d in days
    ]  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Two sources; that of AWS reaches the day with its second delivery, that of Azure a day later."""
    events = [
        event("aws", "AWS"),
        event("azure", "Microsoft", last_day=date(2026, 1, 30)),
        event("total", None),
        event("gone", "Google"),
    ]
    bills = (("aws-main", "AWS"), ("ea", "Microsoft"), ("gcp", "Google"))
    daily = [
        {"x_Source": s, "ServiceProviderName": p, "BillingCurrency": "USD", "x_BillingMonth": "2026-01",
         "x_Day": RAISED}
        for s, p in bills
    ]  # fmt: skip
    delivered = [
        *delivery("aws-main", at(10), date(2026, 1, 9)),
        *delivery("aws-main", at(11), date(2026, 1, 10)),
        *delivery("aws-main", at(15), date(2026, 1, 14)),
        *delivery("ea", at(12, 8), date(2026, 1, 11)),
        *delivery("gcp", at(9), date(2026, 1, 8)),
    ]
    features = [{"series_id": e["series_id"], "day": date(2026, 1, 31), "is_complete": True} for e in events]
    known = [{"anomaly_id": "aws", "first_seen": at(11, 4)}, {"anomaly_id": "aws", "first_seen": at(20)}]
    tables = {
        "events": pa.Table.from_pylist(events, schema=EVENTS),
        "known": given(COST_ANOMALIES, known),
        "cost_features": given(COST_FEATURES, features),
        "daily_costs": given(DAILY, daily),
        "delivered_days": given(DELIVERED_DAYS, delivered),
    }
    found = DuckDBEngine(tmp_path).fetch(load_sql("cost_anomalies"), tables, [NOW])
    return {row["anomaly_id"]: row for row in found.to_pylist()}


def test_data_came_with_the_first_delivery_that_reaches_the_day(made: dict[str, dict[str, Any]]) -> None:
    assert made["aws"]["data_at"] == at(11)
    assert made["azure"]["data_at"] == at(12, 8)


def test_of_several_sources_the_last_one_to_come_counts(made: dict[str, dict[str, Any]]) -> None:
    assert made["total"]["data_at"] == at(12, 8)


def test_what_no_delivery_reached_has_no_time(made: dict[str, dict[str, Any]]) -> None:
    assert made["gone"]["data_at"] is None


def test_a_known_event_keeps_when_it_was_first_seen(made: dict[str, dict[str, Any]]) -> None:
    assert made["aws"]["first_seen"] == at(11, 4)
    assert made["azure"]["first_seen"] == NOW


def test_an_event_of_the_newest_week_is_open(made: dict[str, dict[str, Any]]) -> None:
    assert {name: row["status"] for name, row in made.items()} == {
        "aws": "ended", "azure": "open", "total": "ended", "gone": "ended"
    }  # fmt: skip
