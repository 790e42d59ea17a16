"""Forecasts by month, worked out by hand and on series whose future is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from finops_assets.forecasting.accuracy import measure
from finops_assets.forecasting.backtest import COLUMNS
from finops_assets.forecasting.day_paths import day_paths
from finops_assets.forecasting.hierarchy import Hierarchy
from finops_assets.forecasting.history import History, Series
from finops_assets.forecasting.month_backtest import MonthBacktest
from finops_assets.forecasting.month_history import by_month, days_in, month_of
from finops_assets.forecasting.month_models import NAMES, predict_months
from finops_assets.forecasting.months import Daily, MonthForecasts, forecast_months
from tests.forecasting.fleets import Floats

NO_PATHS = day_paths(pd.DataFrame(columns=list(COLUMNS)))


def series_of(values: Floats, first_day: str, level: str = "service") -> Series:
    return Series(0, level, "BilledCost", "USD", History(np.datetime64(first_day), values))


def daily_of(cents: Sequence[int]) -> Daily:
    means = np.asarray(cents, dtype=np.float64) / 100
    return Daily(
        "AutoETS",
        np.asarray(cents, dtype=np.int64),
        np.stack([means - 0.5, means + 0.5, means - 0.9, means + 0.9]),
    )


def months_of(
    fleet: Sequence[Series],
    daily: Sequence[Daily],
    members: Mapping[int, Sequence[int]] | None = None,
    cuts: Mapping[tuple[int, str], Sequence[int]] | None = None,
) -> MonthForecasts:
    return forecast_months(fleet, Hierarchy(members or {}, cuts or {}), daily, NO_PATHS)


def test_every_cent_of_a_constant_bill() -> None:
    """1.00 a day, known to 15 January 2027: what is left of January, and eighteen whole months."""
    series = series_of(np.ones(400), "2025-12-12")
    rows = months_of([series], [daily_of([100] * 90)]).rows
    lengths = [16, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29, 31, 30, 31, 30, 31]
    assert rows["cents"].tolist() == [100 * days for days in lengths]
    assert rows["horizon"].tolist() == list(range(19))
    # Ninety days from 16 January end on 15 April.
    assert rows["from_days"].tolist() == [True] * 3 + [False] * 16
    assert rows["model"].tolist()[:3] == ["AutoETS"] * 3
    assert (rows["lo_95"] <= rows["lo_80"]).all()
    assert (rows["lo_80"] <= rows["cents"] / 100).all()
    assert (rows["hi_80"] <= rows["hi_95"]).all()
    # Without one past error the days' own bounds are added up: 28 days of ±0.5 and ±0.9.
    bounds = [float(rows[name].iloc[1]) for name in ("lo_80", "hi_80", "lo_95", "hi_95")]
    assert bounds == pytest.approx([14.0, 42.0, 2.8, 53.2])


def test_a_month_that_has_just_ended_is_not_forecast_again() -> None:
    rows = months_of([series_of(np.ones(31), "2027-01-01")], [daily_of([100] * 90)]).rows
    assert rows["horizon"].tolist() == list(range(1, 19))
    assert rows["cents"].tolist()[:3] == [2800, 3100, 3000]


def test_what_is_left_of_a_month_that_the_days_do_not_reach_the_end_of() -> None:
    rows = months_of([series_of(np.full(45, 2.0), "2027-01-01")], [daily_of([200] * 5)]).rows
    assert rows["cents"].tolist()[:2] == [200 * 14, 200 * 31]
    assert not rows["from_days"].any()


@pytest.mark.parametrize("days", [1, 5, 20, 31, 40])
def test_a_series_of_a_month_or_less_goes_on_as_its_days_do(days: int) -> None:
    made = months_of([series_of(np.full(days, 3.0), "2027-01-01")], [daily_of([300] * 90)])
    rows = made.rows
    months = rows["month"].to_numpy()
    whole = rows["horizon"] > 0
    assert rows["cents"][whole].tolist() == (300 * days_in(months)[whole]).tolist()
    assert made.measured.empty
    far = rows.iloc[-1]
    assert far["hi_80"] - far["lo_80"] > 0.5 * far["cents"] / 100  # nothing is known: the band is wide


def test_what_has_ended_stays_ended_and_credits_stay_credits() -> None:
    ended = np.r_[np.full(700, 50.0), np.zeros(120)]
    credits = -np.full(820, 4.0) - np.arange(820) / 1000
    fleet = [series_of(ended, "2025-01-01"), series_of(credits, "2025-01-01")]
    rows = months_of(fleet, [daily_of([0] * 90), daily_of([-480] * 90)]).rows
    assert (rows.loc[rows["series"] == 0, "cents"] == 0).all()
    mine = rows[rows["series"] == 1]
    assert (mine["cents"] < -100 * 28 * 4).all()
    assert (mine["hi_95"] <= 0).all()


def test_sums_are_exact_and_cuts_are_scaled_by_month() -> None:
    rng = np.random.default_rng(3)
    leaves = [np.round(rng.gamma(2, 5, 500), 2) for _ in range(3)]
    total = np.sum(leaves, axis=0)
    cuts = [np.round(total * share, 2) for share in (0.3, 0.7)]
    fleet = [
        *(series_of(v, "2025-03-10", "account_service") for v in leaves),
        series_of(total, "2025-03-10", "total"),
        *(series_of(v, "2025-03-10", "region") for v in cuts),
    ]
    said = [rng.integers(100, 3000, 90) for _ in leaves]
    above = np.sum(said, axis=0)
    third = above // 3
    daily = [daily_of(d.tolist()) for d in (*said, above, third, above - third)]
    rows = months_of(fleet, daily, {3: [0, 1, 2]}, {(3, "region"): [4, 5]}).rows
    cents = rows.pivot_table(index="month", columns="series", values="cents", aggfunc="sum")
    assert len(cents) == 19
    assert (cents[[0, 1, 2]].sum(axis=1) == cents[3]).all()
    assert (cents[[4, 5]].sum(axis=1) == cents[3]).all()
    assert rows.loc[rows["series"] == 3, "model"].tolist() == ["AutoETS"] * 3 + ["BottomUp"] * 16


def test_rates_by_month_leave_out_months_that_are_not_whole() -> None:
    # 20 January to 10 March 2024: only February is whole, and has 29 days.
    values = np.r_[np.full(12, 9.0), np.arange(1.0, 30.0), np.full(10, 9.0)]
    months = by_month(History(np.datetime64("2024-01-20"), values))
    assert (months.first, months.rates.tolist()) == (month_of(np.datetime64("2024-02-01")), [15.0])
    assert len(by_month(History(np.datetime64("2024-01-20"), values[:30]))) == 0


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6, allow_subnormal=False)))
def test_every_history_of_a_month_or_more_is_forecast(rates: Floats) -> None:
    made = predict_months([rates], 18)
    assert set(made) == set(NAMES)
    for mean in made.values():
        assert np.isfinite(mean).all()
        assert not np.all(rates >= 0) or (mean >= 0).all()
        assert not np.all(rates <= 0) or (mean <= 0).all()


def test_the_naive_of_two_years_repeats_the_year() -> None:
    rates = np.arange(1.0, 25.0)
    assert predict_months([rates], 14)["SeasonalNaive"][0].tolist() == [*range(13, 25), 13, 14]
    assert predict_months([rates[:23]], 2)["SeasonalNaive"][0].tolist() == [23, 23]


def test_errors_of_the_naive_by_hand() -> None:
    # 1 a day for nine months, then 2: from the end of September 2025 on, three months are missed by 1 a day.
    days = np.r_[np.ones(273), np.full(92, 2.0)]
    fleet = [series_of(days, "2025-01-01")]
    held = MonthBacktest(fleet, [by_month(fleet[0].history)], month_of(np.datetime64("2025-12-01")))
    errors = held.errors(held.candidates([0]), [0]).assign(inside_80=np.nan, inside_95=np.nan)
    (row,) = measure(errors, (3, 12)).query("model == 'SeasonalNaive'").to_dict("records")
    # Origins three and six months back; the older one misses the last three of its six months, not its first.
    assert (row["horizon"], row["windows"]) == (3, 2)
    assert row["wape"] == pytest.approx(92 / (2 * 92 + 92))
    assert row["bias"] == pytest.approx(-92 / 276)


def generated(count: int, years: int, seed: int) -> list[Floats]:
    """Daily costs with a yearly season, a trend that changes, and months that are off by some 5%."""
    rng = np.random.default_rng(seed)
    fleet = []
    for _ in range(count):
        months = 12 * years
        level = 100 * np.exp(np.cumsum(rng.normal(0.004, 0.03, months)) + rng.normal(0, 0.03, months))
        season = 1 + rng.uniform(0, 0.15) * np.sin(2 * np.pi * np.arange(months) / 12)
        lengths = days_in(month_of(np.datetime64("2021-01-01")) + np.arange(months))
        fleet.append(np.repeat(level * season, lengths) * rng.lognormal(0, 0.02, int(lengths.sum())))
    return fleet


def test_twelve_months_ahead_of_four_years_are_covered_as_promised() -> None:
    known = generated(80, 5, seed=11)
    shown = 365 * 3 + 366  # 2021 to 2024
    fleet = [series_of(values[:shown], "2021-01-01") for values in known]
    made = months_of(fleet, [daily_of([])] * len(fleet))
    rows = made.rows[made.rows["horizon"] <= 12]
    truth = np.concatenate(
        [by_month(History(np.datetime64("2021-01-01"), v)).rates[48:] for v in known]
    ) * days_in(rows["month"].to_numpy())
    inside = {n: float(((truth >= rows[f"lo_{n}"]) & (truth <= rows[f"hi_{n}"])).mean()) for n in (80, 95)}
    assert 0.72 <= inside[80] <= 0.90
    assert 0.90 <= inside[95] <= 0.99
    table = {(row["horizon"], row["model"]): row for row in made.measured.to_dict("records")}
    (champion,) = made.winners.values()
    for horizon in (3, 12):
        mine = table[horizon, champion]
        assert mine["wape"] <= table[horizon, "SeasonalNaive"]["wape"]
        assert mine["coverage_80"] == pytest.approx(0.8, abs=0.08)
        assert mine["coverage_95"] == pytest.approx(0.95, abs=0.04)
    error = np.abs(rows["cents"] / 100 - truth).sum() / truth.sum()
    assert error < 0.15


def test_what_was_not_reached_is_not_told() -> None:
    """Of eight months the origin three months back has five before it: none. Of a year there are two."""
    rng = np.random.default_rng(5)
    fleet = [series_of(100 + rng.normal(0, 5, 365), "2025-01-01") for _ in range(4)]
    assert set(months_of(fleet, [daily_of([10000] * 90)] * 4).measured["horizon"]) == {3}
    young = [series_of(s.history.values[:243], "2025-01-01") for s in fleet]
    assert months_of(young, [daily_of([10000] * 90)] * 4).measured.empty
