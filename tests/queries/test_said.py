"""What was said on a day beside what came, against the bill's own rows; and the ledger's record."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from finops_assets.queries import forecasts
from finops_assets.queries.access import Warehouse

MADE_ON = date(2026, 2, 19)
SEEN, CAME = date(2026, 2, 17), date(2026, 3, 19)
"""The last day that the making saw, and the newest complete day since: thirty days lie between."""


def spent(bill_rows: pl.DataFrame) -> dict[date, Decimal]:
    """AWS's effective cost by day, added up from the bill's rows."""
    own = bill_rows.filter(pl.col("ServiceProviderName") == "AWS").group_by("x_Day")
    return dict(own.agg(pl.col("EffectiveCost").sum()).iter_rows())


def test_what_was_said_stands_beside_what_came(warehouse: Warehouse, bill_rows: pl.DataFrame) -> None:
    actual = spent(bill_rows)
    rows = forecasts.said_on(warehouse, MADE_ON, "provider", provider="AWS").to_pylist()
    assert [r["day"] for r in rows] == [SEEN + timedelta(days=n) for n in range(1, 61)]
    for row in rows:
        assert (row["made_at"].date(), row["data_until"], row["model"]) == (MADE_ON, SEEN, "AutoETS")
        came = actual[row["day"]] if row["day"] <= CAME else None
        assert row["actual"] == came
        assert row["error"] == (None if came is None else row["mean"] - came)


def test_its_totals_add_up_the_days_that_have_come(warehouse: Warehouse, bill_rows: pl.DataFrame) -> None:
    actual = {d: c for d, c in spent(bill_rows).items() if SEEN < d <= CAME}
    said = {
        r["day"]: r
        for r in forecasts.said_on(warehouse, MADE_ON, "provider", provider="AWS").to_pylist()
        if r["day"] in actual
    }
    (total,) = forecasts.said_totals(warehouse, MADE_ON, "provider", provider="AWS").to_pylist()
    assert (total["days"], total["first_day"], total["last_day"]) == (30, min(actual), CAME)
    assert total["said"] == sum(r["mean"] for r in said.values())
    assert total["actual"] == sum(actual.values())
    assert total["error"] == total["said"] - total["actual"]
    errors = sum(abs(said[d]["mean"] - cost) for d, cost in actual.items())
    assert total["absolute_error"] == errors
    assert total["wape"] == pytest.approx(float(errors / sum(actual.values())))
    assert total["inside_80"] == sum(said[d]["lo_80"] <= c <= said[d]["hi_80"] for d, c in actual.items())
    # One making, one series at this level and currency that is forecast in dollars by AWS alone.
    record = forecasts.record(warehouse, level="provider", metric="EffectiveCost", currency="USD")
    assert {r["series"] for r in record.to_pylist()} == {2}  # AWS and Google Cloud


def test_a_day_without_a_making_is_answered_by_the_one_before(warehouse: Warehouse) -> None:
    for day in (MADE_ON, date(2026, 3, 19)):
        made = set(forecasts.said_on(warehouse, day)["made_at"].to_pylist())
        assert made == {datetime(2026, 2, 19, 5, tzinfo=UTC)}
    assert forecasts.said_on(warehouse, MADE_ON - timedelta(days=1)).num_rows == 0
    assert forecasts.said_totals(warehouse, MADE_ON - timedelta(days=1)).num_rows == 0


def test_of_a_making_whose_days_are_all_to_come_there_is_no_total(warehouse: Warehouse) -> None:
    (total,) = forecasts.said_totals(warehouse, date(2026, 3, 21), currency="EUR").to_pylist()
    assert total["days"] == total["inside_80"] == 0
    assert {total[name] for name in ("first_day", "said", "actual", "error", "wape")} == {None}


def test_makings_are_listed_by_day(warehouse: Warehouse) -> None:
    rows = forecasts.makings(warehouse).to_pylist()
    assert [(r["made_on"], r["data_until"]) for r in rows] == [
        (date(2026, 3, 21), CAME),
        (date(2026, 3, 20), CAME),
        (MADE_ON, SEEN),
    ]
    assert {r["came_until"] for r in rows} == {CAME}


def test_the_record_is_of_what_has_come(warehouse: Warehouse) -> None:
    rows = forecasts.record(warehouse, level="total", metric="BilledCost", currency="USD").to_pylist()
    assert [(r["horizon"], r["made_on"], r["model"]) for r in rows] == [
        (horizon, made_on, model)
        for horizon in ("7d", "30d", "month_end")
        for made_on in (None, MADE_ON)
        for model in (None, "AutoETS")
    ]
    only = forecasts.record(warehouse, level="total", metric="BilledCost", made_on=MADE_ON)
    assert set(only["made_on"].to_pylist()) == {MADE_ON}
    (total,) = forecasts.said_totals(warehouse, MADE_ON, metric="BilledCost", currency="USD").to_pylist()
    (month,) = (r for r in rows if r["horizon"] == "30d" and r["made_on"] is None and r["model"] is None)
    assert month["wape"] == pytest.approx(total["wape"])
    assert month["coverage_80"] == pytest.approx(total["inside_80"] / 30)
