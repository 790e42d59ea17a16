"""What the daily forecast said of a month's total from inside it, worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from finops_assets.forecasting.backtest import Candidates, backtest
from finops_assets.forecasting.day_paths import day_paths, last_steps
from finops_assets.forecasting.fleet import forecast_fleet
from finops_assets.forecasting.history import History, Series
from finops_assets.forecasting.intervals import with_coverage
from finops_assets.forecasting.month_end import measure_month_end
from tests.forecasting.fleets import cost_like, features_of


def months_of(values: list[float], first_day: str, horizons: tuple[int, ...] = (30,)) -> pd.DataFrame:
    history = History(np.datetime64(first_day), np.array(values))
    fleet = [Series(0, "service", "BilledCost", "USD", history)]
    errors = with_coverage(backtest(fleet, Candidates((), [1]), horizons))
    return measure_month_end(day_paths(errors), fleet, horizons)


def naive_of(measured: pd.DataFrame) -> dict[Any, Any]:
    (row,) = measured[measured["model"] == "SeasonalNaive"].to_dict("records")
    return row


def test_the_rest_of_a_month_is_held_against_its_whole_total() -> None:
    # 10 a day from 1 January to 9 February, then 12: the naive of 9 February misses 2 on each of 19 days.
    row = naive_of(months_of([10.0] * 40 + [12.0] * 30, "2025-01-01"))
    assert (row["horizon"], row["series"], row["windows"]) == ("month_end", 1, 1)
    assert row["wape"] == pytest.approx(38 / (9 * 10 + 19 * 12))
    assert row["bias"] == pytest.approx(-38 / 318)
    assert np.isnan(row["mase"])
    assert np.isnan(row["coverage_80"])  # one origin: nothing to judge its band by


def test_a_month_that_begins_with_the_origin_is_forecast_whole() -> None:
    # From 1 March on, and March has 31 days: 30 days ahead do not reach its end, so it is not told.
    assert months_of([10.0] * 59 + [12.0] * 30, "2025-01-01").empty
    # April has 30.
    row = naive_of(months_of([10.0] * 90 + [12.0] * 30, "2025-01-01"))
    assert row["wape"] == pytest.approx(60 / 360)


def test_days_left_of_a_month() -> None:
    days = [np.datetime64(d) for d in ("2024-02-01", "2025-02-28", "2025-12-31", "2025-01-02")]
    assert last_steps(days, np.array([90, 90, 90, 29])).tolist() == [29, 1, 1, 0]


def test_a_series_that_began_in_the_month_is_held_against_what_it_cost_since() -> None:
    # From 2 January, 28 days: the origin is 30 January, and two days were left.
    row = naive_of(months_of([10.0] * 28 + [11.0] * 7, "2025-01-02", (7,)))
    assert row["wape"] == pytest.approx(2 / (28 * 10 + 2 * 11))


def test_the_accuracy_of_a_fleet_tells_month_ends_beside_days() -> None:
    fleet = {f"s{i}": cost_like(i, 300, size=100 + 10 * i) for i in range(12)}
    accuracy = forecast_fleet(features_of(fleet)).accuracy.to_pylist()
    assert {r["horizon"] for r in accuracy} == {"7d", "30d", "90d", "month_end", "3m"}
    models = {r["model"] for r in accuracy if r["horizon"] == "30d"}
    month_end = {r["model"]: r for r in accuracy if r["horizon"] == "month_end"}
    assert set(month_end) == models
    (champion,) = (r for r in month_end.values() if r["is_champion"])
    by_day = next(r for r in accuracy if r["is_champion"] and r["horizon"] == "30d")
    assert champion["wape"] < by_day["wape"]  # days that were too dear and too cheap even out
    assert champion["mase"] is None
    assert 0.5 <= champion["coverage_80"] <= 1
