"""Budgets worked out by hand, probabilities held against simulations of a known truth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_assets.forecasting.budgets import BurnDown, DayAhead, burn_down, daily_paths, extended, periods
from finops_assets.forecasting.paths import MAX_PATHS, error_paths, path_matrix

FIRST, LAST, UNTIL = date(2026, 4, 1), date(2026, 4, 30), date(2026, 4, 10)
NO_ERRORS = np.empty((0, 0))

Floats = npt.NDArray[np.float64]


def ahead(until: date, days: int, mean: str, half: str = "0") -> list[DayAhead]:
    m, h = Decimal(mean), Decimal(half)
    return [DayAhead(until + timedelta(days=n), n, m, m - h, m + h) for n in range(1, days + 1)]


def april(amount: str, *, half: str = "0", errors: Floats = NO_ERRORS) -> BurnDown:
    """A hundred a day: ten days are charged, twenty are forecast."""
    spent = {FIRST + timedelta(days=n): Decimal(100) for n in range(-5, 10)}
    return burn_down(Decimal(amount), FIRST, LAST, UNTIL, spent, ahead(UNTIL, 90, "100", half), errors)


def test_a_steady_spend_crosses_on_the_day_that_arithmetic_says() -> None:
    found = april("2450")
    assert (found.actual, found.expected, found.lo_80, found.hi_80) == (Decimal(1000), *[Decimal(3000)] * 3)
    assert found.crossing_probability == 1
    assert found.state == "will_cross"
    # 2400 after the 24th, 2500 after the 25th.
    assert (found.crossed_on, found.crossing_day, found.crossing_from) == (
        None,
        date(2026, 4, 25),
        date(2026, 4, 25),
    )
    assert len(found.days) == 30
    assert [d.actual for d in found.days[:11]] == [*(100 * n for n in range(1, 11)), None]
    assert [d.expected for d in found.days[8:12]] == [None, 1000, 1100, 1200]


def test_all_of_the_amount_may_be_spent_and_a_cent_less_may_not() -> None:
    assert (april("3000").state, april("3000").crossing_probability) == ("on_track", 0)
    assert april("2999.99").state == "will_cross"
    assert april("2999.99").crossing_day == LAST


def test_what_is_over_already_tells_since_when() -> None:
    found = april("700.000000000000000001")
    assert (found.state, found.crossed_on, found.crossing_day) == ("crossed", date(2026, 4, 8), None)
    assert april("1000").state == "will_cross"
    assert april("999.999999999999999999").crossed_on == UNTIL


def test_a_credit_that_takes_the_total_back_is_no_crossing() -> None:
    costs = {FIRST: Decimal(500), FIRST + timedelta(days=1): Decimal(-450)}
    found = burn_down(Decimal(400), FIRST, LAST, UNTIL, costs, ahead(UNTIL, 90, "1"), NO_ERRORS)
    assert (found.actual, found.expected, found.crossed_on, found.state) == (
        Decimal(50),
        Decimal(70),
        None,
        "on_track",
    )


def test_no_digit_of_a_large_total_is_lost() -> None:
    digits = Decimal("123456789012345678.123456789012345678")
    costs = {FIRST: digits, LAST: Decimal("1e-18")}
    found = burn_down(digits, FIRST, LAST, LAST, costs, (), NO_ERRORS)
    assert str(found.actual) == "123456789012345678.123456789012345679"
    assert (found.state, found.crossed_on) == ("crossed", LAST)


def test_a_period_that_ended_says_how() -> None:
    costs = {FIRST + timedelta(days=n): Decimal(10) for n in range(30)}
    for amount, state, crossed in (("299", "crossed", LAST), ("300", "kept", None)):
        found = burn_down(Decimal(amount), FIRST, LAST, LAST, costs, (), NO_ERRORS)
        assert (found.expected, found.state, found.crossed_on) == (Decimal(300), state, crossed)
        assert found.crossing_probability == (state == "crossed")


def test_without_a_forecast_only_what_was_spent_is_said() -> None:
    costs = {FIRST: Decimal(10)}
    for gap in ((), ahead(UNTIL + timedelta(days=1), 90, "1")):
        found = burn_down(Decimal(5), FIRST, LAST, UNTIL, {}, gap, NO_ERRORS)
        assert (found.actual, found.expected, found.crossing_probability) == (Decimal(0), None, None)
        assert found.state == "no_forecast"
        over = burn_down(Decimal(5), FIRST, LAST, UNTIL, costs, gap, NO_ERRORS)
        assert (over.state, over.crossed_on) == ("crossed", FIRST)


def test_a_period_before_its_first_day_of_data_is_forecast_whole() -> None:
    found = burn_down(
        Decimal(3000), FIRST, LAST, date(2026, 3, 29), {}, ahead(date(2026, 3, 29), 90, "100"), NO_ERRORS
    )
    assert (found.actual, found.expected, len(found.days)) == (Decimal(0), Decimal(3000), 30)


def test_without_paths_all_days_are_wrong_together() -> None:
    """Bands of ±10 a day for twenty days: 80% of the sums lie within ±200, and the tail is normal."""
    found = april("3100", half="10")
    assert found.lo_80 is not None
    assert found.hi_80 is not None
    assert float(found.lo_80) == pytest.approx(2800, abs=3)
    assert float(found.hi_80) == pytest.approx(3200, abs=3)
    # P(normal > 100 / (200 / 1.2816)) = P(z > 0.6408)
    assert found.crossing_probability == pytest.approx(0.2608, abs=0.005)
    assert found.state == "at_risk"


def truth(kind: str, rng: np.random.Generator, paths: int, days: int) -> Floats:
    """Errors of days that hang together: a random walk, or noise around a level that was missed."""
    if kind == "walk":
        return np.cumsum(rng.normal(0, 1, (paths, days)), axis=1)
    if kind == "level":
        return rng.normal(0, 2, (paths, 1)) + rng.normal(0, 1, (paths, days))
    return rng.normal(0, 1, (paths, days))


@pytest.mark.parametrize("kind", ["walk", "level", "independent"])
@pytest.mark.parametrize("quantile", [0.3, 0.5, 0.8, 0.93])
def test_probabilities_are_those_of_the_truth(kind: str, quantile: float) -> None:
    """The bands say how wrong a day is, the paths how days go together; the sums follow from both."""
    rng = np.random.default_rng(7)
    many = truth(kind, rng, 40_000, 20)
    sums = 3000 + many.sum(axis=1)
    amount = float(np.quantile(sums, quantile))
    half = np.quantile(np.abs(many), 0.8, axis=0)
    forecast = [
        DayAhead(
            UNTIL + timedelta(days=n + 1),
            n + 1,
            *(Decimal(str(round(100 + s * half[n], 6))) for s in (0, -1, 1)),
        )
        for n in range(20)
    ]
    spent = {FIRST + timedelta(days=n): Decimal(100) for n in range(10)}
    # Past origins of other series: the same process, in units that are not this series'.
    errors = 7 * truth(kind, rng, MAX_PATHS, 20)
    found = burn_down(Decimal(str(round(amount, 6))), FIRST, LAST, UNTIL, spent, forecast, errors)
    assert found.crossing_probability == pytest.approx(1 - quantile, abs=0.08)
    assert found.lo_80 is not None
    assert found.hi_80 is not None
    inside = np.mean((sums >= float(found.lo_80)) & (sums <= float(found.hi_80)))
    assert inside == pytest.approx(0.8, abs=0.08)


def test_median_and_earliest_crossing_are_those_of_the_paths() -> None:
    """Ten paths of twenty: each k of them costs 5k more a day, so a path's crossing day is arithmetic."""
    errors = np.repeat(np.arange(1.0, 21.0)[:, None], 20, axis=1)
    found = april("3000", half="10", errors=errors)
    unit = float(np.quantile(np.arange(1, 21), 0.8))
    by_hand = sorted(
        next(n for n in range(1, 21) if 1000 + n * (100 + 10 * k / unit) > 3000) for k in range(1, 21)
    )
    assert found.crossing_probability == 1
    assert found.crossing_day == UNTIL + timedelta(days=by_hand[9])
    assert found.crossing_from == UNTIL + timedelta(days=by_hand[1])


@settings(max_examples=60)
@given(
    low=st.integers(1, 500_000),
    more=st.integers(0, 500_000),
    half=st.integers(0, 5000),
    seed=st.integers(0, 5),
)
def test_a_larger_budget_is_never_likelier_to_be_crossed(low: int, more: int, half: int, seed: int) -> None:
    errors = truth("walk", np.random.default_rng(seed), 30, 90)
    small, large = (
        april(str(Decimal(a) / 100), half=str(Decimal(half) / 100), errors=errors) for a in (low, low + more)
    )
    assert small.crossing_probability is not None
    assert large.crossing_probability is not None
    assert small.crossing_probability >= large.crossing_probability
    assert small.expected == large.expected
    assert small.lo_80 is not None
    assert small.hi_80 is not None
    assert small.expected is not None
    assert small.lo_80 <= small.expected <= small.hi_80
    if small.crossing_day and large.crossing_day:
        assert small.crossing_day <= large.crossing_day


def test_costs_stay_on_the_side_of_zero_that_the_bands_are_on() -> None:
    wild = np.repeat(np.array([[-50.0], [50.0]]), 15, axis=0)
    bands = [DayAhead(UNTIL, 1, Decimal(5), Decimal(0), Decimal(20))]
    assert daily_paths(bands, wild).min() == 0
    credits_ = [DayAhead(UNTIL, 1, Decimal(-5), Decimal(-20), Decimal(0))]
    assert daily_paths(credits_, wild).max() == 0


def test_beyond_the_forecast_days_are_the_mean_and_errors_are_held() -> None:
    until = date(2025, 12, 31)
    days = [
        DayAhead(d.day, d.ahead, Decimal(310 if d.day.day == 1 else 10), d.lo_80, d.hi_80)
        for d in ahead(until, 90, "10", "1")
    ]
    year = extended(days, date(2026, 12, 31))
    assert len(year) == 365
    assert sum(d.mean for d in year) == 365 * 10 + 12 * 300
    assert [d.ahead for d in year] == list(range(1, 366))
    flat = ahead(until, 90, "10", "1")
    errors = np.repeat(np.linspace(-1, 1, 21)[:, None], 30, axis=1)
    paths = daily_paths(extended(flat, date(2026, 12, 31)), errors)
    assert np.allclose(paths, paths[:, :1])
    assert np.ptp(paths[:, -1]) > 1


@pytest.mark.parametrize(
    ("period", "first_month", "expected"),
    [
        ("month", None, ["2026-03-01/2026-03-31", "2026-02-01/2026-02-28"]),
        ("month", "2026-03", ["2026-03-01/2026-03-31"]),
        ("month", "2026-05", ["2026-05-01/2026-05-31"]),
        ("year", None, ["2026-01-01/2026-12-31", "2025-01-01/2025-12-31"]),
        ("year", "2024-04", ["2025-04-01/2026-03-31", "2024-04-01/2025-03-31"]),
        ("year", "2026-03", ["2026-03-01/2027-02-28"]),
        ("year", "2026-07", ["2026-07-01/2027-06-30"]),
    ],
)
def test_periods(period: str, first_month: str | None, expected: list[str]) -> None:
    found = periods(period, first_month, date(2026, 3, 20), 1)  # type: ignore[arg-type] # given as text
    assert [f"{a}/{b}" for a, b in found] == expected


def backtest(series: int, length: Callable[[int], int], windows: int = 3) -> pd.DataFrame:
    rows = [
        ("total", "EffectiveCost", "USD", s, w, model, step, 10.0 + s + step, 10.0, 2.0)
        for s in range(series)
        for w in range(windows)
        for model in ("A", "B")
        for step in range(1, length(s) + 1)
    ]
    columns = ["level", "metric", "currency", "series", "window", "model", "step", "actual", "mean", "scale"]
    return pd.DataFrame(rows, columns=columns)


CHAMPION = {("total", "EffectiveCost", "USD"): "A"}


def test_paths_are_the_champions_errors_in_scales() -> None:
    table = error_paths(backtest(8, lambda s: 30 if s else 7), CHAMPION)
    rows = table.to_pylist()
    # Series 0 is short, and twenty-one long paths are enough without it.
    assert len(rows) == 7 * 3 * 30
    assert rows[0] == {
        "level": "total",
        "metric": "EffectiveCost",
        "BillingCurrency": "USD",
        "path": 0,
        "ahead": 1,
        "error": 1.0,
    }
    matrix = path_matrix(table)
    assert matrix.shape == (21, 30)
    assert matrix[20, 29] == (7 + 30) / 2


def test_short_paths_fill_a_group_and_keep_their_last_error() -> None:
    matrix = path_matrix(error_paths(backtest(7, lambda s: 3 if s else 5), CHAMPION))
    assert matrix.shape == (21, 5)
    assert matrix[20].tolist() == [3.5, 4.0, 4.5, 4.5, 4.5]


def test_many_paths_are_thinned_evenly_and_few_are_no_use() -> None:
    table = error_paths(backtest(150, lambda _: 2), CHAMPION)
    assert len(set(table["path"].to_pylist())) == MAX_PATHS
    firsts = table.filter(pa.compute.equal(table["ahead"], 1))["error"].to_pylist()
    assert (firsts[0], firsts[-1]) == (0.5, 75.0)
    assert path_matrix(error_paths(backtest(2, lambda _: 2), CHAMPION)).size == 0
    assert error_paths(backtest(0, lambda _: 2), CHAMPION).num_rows == 0
    assert error_paths(backtest(1, lambda _: 2), {}).num_rows == 0
