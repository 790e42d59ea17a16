"""Detection on made-up series whose anomalies are known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from finops_assets.anomalies.events import detect_events, severity
from finops_assets.marts.anomalies import COST_ANOMALIES
from tests.forecasting.fleets import FIRST_DAY, Floats, cost_like, features_of

DAYS = 400
ON = 300


def fleet(count: int = 30) -> dict[str, Floats]:
    """Clean series with the traps: growth, weekday shape, month-start charges, several noises."""
    return {
        f"s{i:02}": cost_like(
            100 + i,
            DAYS,
            size=50 + 10 * i,
            growth=0.0015 * (i % 3),
            weekend=(1.0, 0.8, 0.4)[i % 3],
            noise=(0.02, 0.05, 0.1)[i % 3],
            month_start=200.0 * (i % 2),
        )
        for i in range(count)
    }


def detect(series: dict[str, Floats], partial_days: int = 0) -> pd.DataFrame:
    frame: pd.DataFrame = detect_events(features_of(series, partial_days=partial_days)).to_pandas()
    return frame


def day(position: int) -> date:
    return FIRST_DAY + timedelta(days=position)


def test_columns_are_those_of_the_table_specification() -> None:
    made = detect_events(features_of({"a": cost_like(1, 100)}))
    later = {"status", "first_seen", "data_at"}
    wanted = {c.name: c.arrow for c in COST_ANOMALIES.columns if c.name not in later}
    assert dict(zip(made.schema.names, made.schema.types, strict=True)) == wanted


def test_clean_series_raise_less_than_one_false_event_a_series_year() -> None:
    events = detect(fleet())
    judged_years = 30 * (DAYS - 35) / 365
    assert len(events) / judged_years < 0.2


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("spike", lambda v: np.where(np.arange(DAYS) == ON, v * 3, v)),
        ("spike", lambda v: np.where(np.isin(np.arange(DAYS), [ON, ON + 1, ON + 2]), v + 150, v)),
        ("drop", lambda v: np.where(np.isin(np.arange(DAYS), [ON, ON + 1, ON + 2]), 0.0, v)),
        ("level_shift", lambda v: np.where(np.arange(DAYS) >= ON, v * 1.8, v)),
        ("level_shift", lambda v: np.where(np.arange(DAYS) >= ON, v * 0.2, v)),
    ],
    ids=["one day", "three days", "outage", "more from now on", "mostly switched off"],
)
def test_an_injected_anomaly_is_found_once_on_its_day(kind: str, change: Callable[[Floats], Floats]) -> None:
    series = fleet(10)
    clean = series["s04"].round(2)
    series["s04"] = change(series["s04"])
    found = detect(series).query("ServiceName == 's04'")
    assert len(found) == 1
    event = found.iloc[0]
    assert event["kind"] == kind
    assert event["first_day"] == day(ON)
    span = slice(ON, ON + (event["last_day"] - event["first_day"]).days + 1)
    truth = float(series["s04"][span].sum() - clean[span].sum())
    assert float(event["impact"]) == pytest.approx(truth, rel=0.15)
    assert event["actual"] == sum((Decimal(f"{v:.2f}") for v in series["s04"][span]), Decimal(0))
    assert event["actual"] - event["expected"] == event["impact"]
    assert 0.5 <= event["score"] <= 1.0


def test_a_level_shift_becomes_the_new_normal() -> None:
    series = fleet(10)
    series["s04"] = np.where(np.arange(DAYS) >= 200, series["s04"] * 2, series["s04"])
    found = detect(series).query("ServiceName == 's04'")
    assert len(found) == 1
    assert timedelta(days=7) <= found.iloc[0]["last_day"] - found.iloc[0]["first_day"] <= timedelta(days=16)


def test_month_start_charges_are_normal_and_one_that_doubles_is_not() -> None:
    series = fleet(10)
    first = next(i for i in range(ON, DAYS) if day(i).day == 1)
    series["s05"] = np.where(np.arange(DAYS) == first, series["s05"] + 600, series["s05"])
    found = detect(series).query("ServiceName == 's05'")
    assert list(found["first_day"]) == [day(first)]


def test_a_month_start_charge_that_changes_for_good_is_news_once() -> None:
    series = fleet(10)
    firsts = [i for i in range(DAYS) if day(i).day == 1]
    for i in firsts[-4:]:
        series["s05"][i] += 900
    found = detect(series).query("ServiceName == 's05'")
    assert list(found["first_day"]) == [day(firsts[-4])]


def test_a_monthly_invoice_on_another_day_is_news_until_it_is_known() -> None:
    values = np.array([20.0 + (500.0 if day(i).day == 17 else 0.0) for i in range(DAYS)])
    days = list(detect({"a": values, **fleet(5)}).query("ServiceName == 'a'")["first_day"])
    assert days <= [date(2025, 2, 17), date(2025, 3, 17)]


def test_a_day_that_is_still_arriving_is_no_drop() -> None:
    series = fleet(5)
    for values in series.values():
        values[-1] *= 0.1
    assert detect(series, partial_days=1).query("last_day == @day(399)").empty
    assert len(detect(series).query("last_day == @day(399)")) == 5


def test_later_data_does_not_rename_an_event() -> None:
    series = fleet(8)
    series["s04"] = np.where(np.arange(DAYS) >= ON, series["s04"] * 2, series["s04"])
    early = detect({k: v[: ON + 3] for k, v in series.items()}).query("ServiceName == 's04'")
    late = detect(series).query("ServiceName == 's04'")
    assert list(early["anomaly_id"]) == list(late["anomaly_id"])
    assert early.iloc[0]["last_day"] == day(ON + 2)


def test_small_money_is_not_worth_a_look() -> None:
    small = np.where(np.arange(DAYS) == ON, 0.90, 0.10)
    assert detect({"cents": small, **fleet(5)}).query("ServiceName == 'cents'").empty


@pytest.mark.parametrize(
    ("share", "name"), [(0.6, "critical"), (0.2, "high"), (0.05, "medium"), (0.001, "low")]
)
def test_severity_follows_the_share_of_a_day(share: float, name: str) -> None:
    assert severity(share) == name


@pytest.mark.parametrize(
    "values",
    [np.array([1.0]), np.arange(5.0), np.zeros(200), np.full(200, 7.0), -cost_like(4, 200), cost_like(5, 34)],
    ids=["one day", "five days", "zeros", "constant", "negative", "too short"],
)
def test_a_series_that_shows_nothing_odd_raises_nothing(values: Floats) -> None:
    assert detect({"a": values}).empty


def test_no_complete_day_gives_no_event() -> None:
    assert detect_events(features_of({"a": np.ones(3)}, partial_days=3)).num_rows == 0


def test_the_order_of_rows_does_not_matter() -> None:
    series = fleet(8)
    series["s03"] = np.where(np.arange(DAYS) == ON, series["s03"] * 4, series["s03"])
    table = features_of(series)
    order = pa.array(np.random.default_rng(0).permutation(table.num_rows))
    assert detect_events(table.take(order)).equals(detect_events(table))
