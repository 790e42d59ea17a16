"""Month starts, models, intervals and measures, each against a truth worked out another way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_assets.forecasting import accuracy, combination
from finops_assets.forecasting.backtest import Candidates, backtest, origins, predict, scale_of
from finops_assets.forecasting.boosted import DirectXGBoost
from finops_assets.forecasting.cleaning import without_one_offs
from finops_assets.forecasting.harmonic import HarmonicETS, yearly_shape
from finops_assets.forecasting.history import FloatArray, History, Series, read_fleet
from finops_assets.forecasting.intervals import (
    calibrate,
    conformal_quantile,
    with_coverage,
)
from finops_assets.forecasting.models import MSTL, AutoETS, AutoTheta, Model, SeasonalNaive
from finops_assets.forecasting.money import to_money
from finops_assets.forecasting.month_start import split_month_start
from finops_assets.forecasting.prophet import Prophet
from tests.forecasting.fleets import FIRST_DAY, cost_like, features_of, is_first

MONDAY = np.datetime64(FIRST_DAY)


def history(values: object, first_day: np.datetime64 = MONDAY) -> History:
    return History(first_day, np.asarray(values, dtype=np.float64))


def test_month_starts_are_those_of_the_calendar() -> None:
    days = history(np.zeros(400)).is_month_start
    expected = [date.fromordinal(FIRST_DAY.toordinal() + i).day == 1 for i in range(400)]
    assert list(days) == expected


def test_a_regular_month_start_charge_is_found_and_added_to_the_next_ones_only() -> None:
    values = np.where(is_first(120), 50.0 + 300.0, 50.0)
    split = split_month_start(history(values))
    assert split.charges == pytest.approx({1: 300.0})
    assert np.all(split.without.values == 50.0)
    ahead = split.add_back(np.full(60, 50.0))
    future = is_first(180)[120:]
    assert list(ahead) == [350.0 if f else 50.0 for f in future]


@pytest.mark.parametrize(
    "values",
    [
        cost_like(1, 200),
        np.where(is_first(200) & (np.arange(200) < 60), 400.0, 50.0),  # stopped months ago
        np.where(np.arange(200) == 26, 400.0, 50.0),  # once, on a first
    ],
    ids=["none", "stopped", "once"],
)
def test_no_charge_is_made_up(values: np.ndarray) -> None:
    assert split_month_start(history(values)).charges == {}


def test_a_monthly_credit_is_a_negative_charge() -> None:
    values = np.where(is_first(120), -80.0, 20.0)
    assert split_month_start(history(values)).charges == pytest.approx({1: -100.0})


def test_seasonal_naive_repeats_the_last_week() -> None:
    long, short = SeasonalNaive().forecast([history([9, 9, 1, 2, 3, 4, 5, 6, 7]), history([2, 4])], 10)
    assert long is not None
    assert short is not None
    assert list(long) == [1, 2, 3, 4, 5, 6, 7, 1, 2, 3]
    assert list(short) == [3] * 10


FITTED: list[Model] = [
    AutoETS(),
    AutoETS(thorough=False),
    AutoTheta(),
    AutoTheta(thorough=False),
    MSTL(),
    Prophet(),
    DirectXGBoost(),
]


@pytest.mark.parametrize("model", FITTED, ids=str)
def test_a_model_says_nothing_of_what_it_cannot_fit(model: Model) -> None:
    short, constant = history(np.arange(27.0)), history(np.full(200, 5.0))
    sound = history(cost_like(1, 200))
    made = model.forecast([short, constant, sound], 14)
    assert made[0] is None
    assert made[1] is None
    assert made[2] is not None
    assert made[2].shape == (14,)
    assert np.all(np.isfinite(made[2]))
    assert model.forecast([], 14) == []


@pytest.mark.parametrize("model", FITTED, ids=str)
@pytest.mark.parametrize("size", [1e-3, 1e7])
def test_a_model_is_the_same_in_any_unit(model: Model, size: float) -> None:
    values = cost_like(3, 150)
    one = model.forecast([history(values)], 14)[0]
    scaled = model.forecast([history(values * size)], 14)[0]
    assert one is not None
    assert scaled is not None
    # The boosted trees split floats of 32 bits: a value at an edge may fall on its other side.
    np.testing.assert_allclose(scaled / size, one, rtol=0.02 if model.name == "XGBoost" else 1e-3)


def test_the_boosted_model_learns_one_series_from_the_others() -> None:
    """Days before a month's end cost double in all: one series alone is too short to have shown it twice."""
    count = 400
    days = MONDAY + np.arange(count + 60)
    months = days.astype("datetime64[M]")
    left = ((months + 1).astype("datetime64[D]") - days).astype(int)
    shape = np.where(left <= 5, 2.0, 1.0)
    rng = np.random.default_rng(1)
    values = [shape * size * rng.lognormal(0, 0.01, count + 60) for size in (1, 10, 100, 1000)]
    histories = [history(v[:count]) for v in values[:3]]
    histories.append(History(MONDAY + (count - 60), values[3][count - 60 : count]))
    made = DirectXGBoost().forecast(histories, 60)[3]
    assert made is not None
    assert accuracy.wape(values[3][count:], made) < 0.5 * accuracy.wape(
        values[3][count:], np.full(60, np.median(values[3][count - 60 : count]))
    )


def test_a_charge_on_any_day_of_the_month_is_found() -> None:
    days = MONDAY + np.arange(240)
    last = (days + 1) == (days + 1).astype("datetime64[M]").astype("datetime64[D]")
    third = (days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(int) == 2
    values = 50.0 + 200.0 * last - 30.0 * third
    split = split_month_start(history(values[:180]))
    assert split.charges == pytest.approx({31: 200.0, 3: -30.0})
    np.testing.assert_allclose(split.add_back(np.full(60, 50.0)), values[180:])


def test_one_odd_day_is_taken_out_and_a_lasting_change_is_not() -> None:
    values = cost_like(1, 200, noise=0.02)
    refund, shift = values.copy(), values.copy()
    refund[150] -= 1e5
    shift[150:] *= 3
    cleaned = without_one_offs(history(refund)).values
    assert cleaned[150] == pytest.approx(values[150], rel=0.1)
    others = np.arange(200) != 150
    np.testing.assert_array_equal(cleaned[others], refund[others])
    np.testing.assert_array_equal(without_one_offs(history(shift)).values, shift)
    np.testing.assert_array_equal(without_one_offs(history(values)).values, values)


def test_a_refund_does_not_poison_the_forecast() -> None:
    values = cost_like(1, 200, noise=0.02)
    refund = values.copy()
    refund[190] -= 1e5
    forecasts: list[tuple[Model, list[int]]] = [(AutoETS(), [0]), (AutoTheta(), [0])]
    clean = predict([history(values)], 30, forecasts)
    cured = predict([history(refund)], 30, forecasts)
    for name in ("SeasonalNaive", "AutoETS", "AutoTheta"):
        expected, found = clean[name][0], cured[name][0]
        assert expected is not None
        assert found is not None
        np.testing.assert_allclose(found, expected, rtol=0.05)


def test_origins_leave_four_weeks_to_learn_from() -> None:
    assert origins(400) == [(310, 90), (265, 90), (220, 90), (175, 90), (130, 90)]
    assert origins(165) == [(75, 90), (30, 90)]
    assert origins(80) == [(50, 30), (35, 30)]
    assert origins(36) == [(29, 7)]
    assert origins(34) == []


def test_measures_by_hand() -> None:
    actual, mean = np.array([10.0, 20.0, -10.0]), np.array([12.0, 15.0, -10.0])
    assert accuracy.wape(actual, mean) == pytest.approx(7 / 40)
    assert accuracy.bias(actual, mean) == pytest.approx(-3 / 40)
    assert np.isnan(accuracy.wape(np.zeros(2), np.ones(2)))
    errors = pd.DataFrame(
        {
            "series": [0, 0, 1, 1, 2],
            "window": [0, 0, 0, 0, 0],
            "actual": [10.0, 10.0, 5.0, 5.0, 1.0],
            "mean": [12.0, 6.0, 5.0, 7.0, 9.0],
            "naive_error": [2.0, 2.0, 0.5, 0.5, 0.0],
        }
    )
    # Series 0: (2+4)/2 over 2; series 1: (0+2)/2 over 0.5; series 2 never moved: no MASE.
    assert accuracy.mase(errors) == pytest.approx((1.5 + 2.0) / 2)


def measured(rows: list[tuple[str, int, float]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "level": "total",
                "metric": "m",
                "currency": "USD",
                "model": m,
                "horizon": h,
                "wape": w,
                "series": 1,
            }
            for m, h, w in rows
        ]
    )


@pytest.mark.parametrize(
    ("rows", "winner"),
    [
        ([("naive", 30, 0.2), ("ets", 30, 0.1)], "ets"),
        ([("naive", 30, 0.1), ("ets", 30, 0.2)], "naive"),
        ([("naive", 30, 0.1), ("ets", 30, 0.1)], "naive"),
        ([("naive", 30, 0.2), ("ets", 30, 0.1), ("naive", 90, 0.2), ("ets", 90, 0.3)], "naive"),
        ([("naive", 7, 0.2), ("ets", 7, 0.1)], "ets"),
        ([("naive", 30, np.nan), ("ets", 30, np.nan)], "naive"),
        ([("naive", 30, 0.2), ("ets", 30, 0.1), ("Combination", 30, 0.102)], "Combination"),
        ([("naive", 30, 0.2), ("ets", 30, 0.1), ("Combination", 30, 0.12)], "ets"),
        ([("naive", 30, 0.1), ("ets", 30, 0.2), ("Combination", 30, 0.102)], "naive"),
    ],
    ids=[
        "better",
        "worse",
        "equal",
        "worse at 90 days",
        "seven days only",
        "nothing spent",
        "narrowly better than all",
        "clearly better than all",
        "none is better",
    ],
)
def test_a_champion_is_never_worse_than_the_baseline(rows: list[tuple[str, int, float]], winner: str) -> None:
    assert accuracy.champions(measured(rows), "naive") == {("total", "m", "USD"): winner}


def test_conformal_quantile_is_the_order_statistic_of_the_theorem() -> None:
    residuals = np.arange(1.0, 20.0)  # 19 of them: rank ceil(20 * .95) = 19, ceil(20 * .8) = 16
    assert conformal_quantile(residuals, 0.95) == 19.0
    assert conformal_quantile(residuals, 0.80) == 16.0
    assert conformal_quantile(residuals[:18], 0.95) == np.inf


def simulated_errors(seed: int, series: int = 60) -> pd.DataFrame:
    """A backtest whose errors are known: normal, larger further ahead, of each series' own size."""
    rng = np.random.default_rng(seed)
    steps = np.arange(1, 91)
    parts = []
    for s in range(series):
        scale = rng.lognormal(2, 1)
        for window in range(3):
            noise = rng.standard_t(4, 90) * scale * np.where(steps <= 7, 1, np.where(steps <= 30, 2, 3))
            parts.append(
                pd.DataFrame(
                    {
                        "level": "service", "metric": "m", "currency": "USD", "series": s,
                        "window": window, "length": 90, "scale": scale, "naive_error": scale,
                        "low": -np.inf, "high": np.inf, "model": "ets", "step": steps,
                        "actual": 100 + noise, "mean": 100.0,
                    }
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_intervals_cover_what_they_promise_on_errors_they_have_not_seen() -> None:
    calibration = calibrate(simulated_errors(1))
    fresh = simulated_errors(2)
    widths = calibration.half_widths(("service", "m", "USD"), "ets", fresh["step"].to_numpy())
    off = (fresh["actual"] - fresh["mean"]).abs() / fresh["scale"]
    assert (off <= widths[0]).mean() == pytest.approx(0.80, abs=0.02)
    assert (off <= widths[1]).mean() == pytest.approx(0.95, abs=0.01)
    for first, last in ((1, 7), (8, 30), (31, 90)):
        bucket = fresh["step"].between(first, last)
        assert (off <= widths[0])[bucket].mean() == pytest.approx(0.80, abs=0.04)


def test_measured_coverage_is_of_origins_left_out() -> None:
    judged = with_coverage(simulated_errors(3))
    assert judged["inside_80"].mean() == pytest.approx(0.80, abs=0.02)
    assert judged["inside_95"].mean() == pytest.approx(0.95, abs=0.01)
    one_origin = simulated_errors(3).query("window == 0")
    assert with_coverage(one_origin)["inside_80"].isna().all()


def test_a_small_pool_borrows_from_a_wider_one_and_an_empty_one_is_wide() -> None:
    calibration = calibrate(simulated_errors(1))
    steps = np.array([1, 20, 60])
    known = calibration.half_widths(("service", "m", "USD"), "ets", steps)
    np.testing.assert_array_equal(calibration.half_widths(("total", "x", "EUR"), "ets", steps), known)
    unknown = calibrate(simulated_errors(1).iloc[:0]).half_widths(("total", "m", "USD"), "ets", steps)
    assert np.all(unknown[1] >= 6.0)
    assert np.all(np.diff(unknown[0]) > 0)


def test_the_scale_is_the_weekly_change_without_the_month_start() -> None:
    values = np.tile([10.0, 12.0], 100)[:150]
    steps = np.abs(values[-91:][7:] - values[-91:][:-7])
    charged = np.where(is_first(150), values + 500.0, values)
    assert scale_of(history(values)) == pytest.approx(steps.mean())
    assert scale_of(history(charged)) < 3.0
    assert scale_of(history(np.zeros(100))) == 0.01


def test_a_backtest_shows_each_origin_only_its_past() -> None:
    values = np.arange(200.0)
    series = Series(0, "total", "m", "USD", history(values))
    errors = backtest([series], Candidates(assigned=[], windows=[3]))
    newest = errors[(errors["window"] == 0) & (errors["model"] == "SeasonalNaive")]
    cut = 110
    assert list(newest["actual"]) == list(values[cut:])
    assert list(newest["mean"]) == list(np.resize(values[cut - 7 : cut], 90))
    assert newest["naive_error"].iloc[0] == 7.0


def test_money_is_rounded_to_cents_and_exact() -> None:
    made = to_money(np.array([0.1 + 0.2, 1234567890123.456, -2.675, np.nan]))
    assert made.type == pa.decimal128(38, 18)
    assert made.to_pylist() == [Decimal("0.30"), Decimal("1234567890123.46"), Decimal("-2.68"), None]
    with pytest.raises(ValueError, match="beyond"):
        to_money(np.array([np.inf]))


def test_corrections_of_earlier_bills_are_not_learned() -> None:
    table = features_of({"s": np.full(40, 10.0)})
    correction = np.where(np.arange(40) == 20, "-7.00", "0.00")
    cost = np.where(np.arange(40) == 20, "3.00", "10.00")
    money = pa.decimal128(38, 18)
    given = table.set_column(
        table.schema.get_field_index("correction"), "correction", pa.array(correction).cast(money)
    ).set_column(table.schema.get_field_index("cost"), "cost", pa.array(cost).cast(money))
    _, (series,) = read_fleet(given)
    assert list(series.history.values) == [10.0] * 40


def test_histories_that_are_alike_are_fitted_once() -> None:
    seen: list[int] = []

    class Counting(SeasonalNaive):
        def forecast(self, histories: Sequence[History], horizon: int) -> list[FloatArray | None]:
            seen.append(len(histories))
            return super().forecast(histories, horizon)

    same, other = history(np.arange(40.0)), history(np.arange(40.0) * 2)
    made = predict([same, other, same], 7, [(Counting(name="Counting"), [0, 1, 2])])["Counting"]
    assert seen == [2]
    assert made[0] is not None
    assert made[2] is not None
    assert list(made[0]) == list(made[2])


def errors_of(forecasts: dict[str, float], actual: float, series: int, window: int) -> list[pd.DataFrame]:
    """Thirty days of one origin, on each of which every model says the same."""
    return [
        pd.DataFrame(
            {
                "level": "service", "metric": "m", "currency": "USD", "series": series, "scale": 1.0,
                "naive_error": 1.0, "low": -np.inf, "high": np.inf, "window": window, "length": 30,
                "model": model, "step": np.arange(1, 31), "actual": actual, "mean": mean,
            }
        )
        for model, mean in forecasts.items()
    ]  # fmt: skip


def backtest_frame(parts: list[pd.DataFrame]) -> pd.DataFrame:
    made = pd.concat(parts, ignore_index=True)
    return made.assign(model=pd.Categorical(made["model"], categories=[*combination.MEMBERS, "Combination"]))


GROUP = ("service", "m", "USD")
STEPS = np.arange(1, 31)


def test_the_better_member_of_a_series_has_more_weight_and_weights_sum_to_one() -> None:
    says = {"SeasonalNaive": 104.0, "AutoETS": 101.0, "AutoTheta": 101.2}
    opposite = {"SeasonalNaive": 104.0, "AutoETS": 101.2, "AutoTheta": 101.0}
    parts = [p for w in range(3) for p in errors_of(says, 100.0, 0, w) + errors_of(opposite, 100.0, 1, w)]
    weights = combination.learn(backtest_frame(parts))
    at = {name: i for i, name in enumerate(combination.MEMBERS)}
    for series, (better, worse) in enumerate([("AutoETS", "AutoTheta"), ("AutoTheta", "AutoETS")]):
        of_series = weights.at(GROUP, series, STEPS)
        np.testing.assert_allclose(of_series.sum(axis=0), 1.0)
        assert (of_series[at[better]] > of_series[at[worse]]).all()
        assert (of_series[at[worse]] > 0).all()
        # Four times the error of the best, and models that never forecast: no part in it.
        for name in ("SeasonalNaive", "XGBoost", "HarmonicETS"):
            assert (of_series[at[name]] == 0).all()
    # Of a series that was not judged the group speaks, in which both are as good.
    unseen = weights.at(GROUP, 99, STEPS)
    np.testing.assert_allclose(unseen[at["AutoETS"]], unseen[at["AutoTheta"]])


def test_members_without_a_forecast_leave_their_weight_to_the_others() -> None:
    nothing = combination.learn(backtest_frame(errors_of({"SeasonalNaive": 1.0}, 1.0, 0, 0)).iloc[:0])
    made = {"SeasonalNaive": np.full(30, 10.0), "AutoETS": np.full(30, 20.0)}
    combined = combination.combine(made, GROUP, 0, nothing)
    assert combined is not None
    np.testing.assert_allclose(combined, 15.0)
    assert combination.combine({"SeasonalNaive": np.full(30, 10.0)}, GROUP, 0, nothing) is None


def test_an_origin_is_combined_by_weights_of_the_others() -> None:
    """ETS is right twice and wrong once: there it is still trusted, and at the others no more."""
    parts = []
    for window, ets in enumerate([100.0, 100.0, 150.0]):
        parts += errors_of({"SeasonalNaive": 110.0, "AutoETS": ets}, 100.0, 0, window)
    judged = combination.judged(backtest_frame(parts)).groupby("window")["mean"].mean()
    assert judged[2] == pytest.approx(150.0)
    assert judged[0] == judged[1] == pytest.approx(110.0)


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1e6), min_size=5, max_size=5), st.floats(1e-3, 1e3))
def test_a_combination_lies_between_its_members_in_any_unit(means: list[float], unit: float) -> None:
    says = dict(zip(combination.MEMBERS, means, strict=True))
    scaled = {name: mean * unit for name, mean in says.items()}
    for forecasts, factor in ((says, 1.0), (scaled, unit)):
        parts = errors_of(forecasts, 100.0 * factor, 0, 0)
        learned = combination.learn(backtest_frame(parts))
        made = {name: np.full(30, mean) for name, mean in forecasts.items()}
        found = combination.combine(made, GROUP, 0, learned)
        assert found is not None
        low, high = min(forecasts.values()), max(forecasts.values())
        assert np.all((found >= low * (1 - 1e-9)) & (found <= high * (1 + 1e-9)))


def test_a_smooth_series_has_a_narrower_band_than_its_scale_says_and_a_rough_one_a_wider() -> None:
    """Both have the same scale; one is forecast four times as well as the other, at all origins."""
    rng = np.random.default_rng(5)
    parts = []
    for series in range(40):
        for window in range(4):
            noise = rng.normal(0, 1.0 if series % 2 else 4.0, 90)
            parts.append(simulated_errors(1, 1).head(90).assign(
                series=series, window=window, scale=1.0, actual=100.0 + noise, mean=100.0
            ))  # fmt: skip
    errors = pd.concat(parts, ignore_index=True)
    steps = np.arange(1, 91)
    calibration = calibrate(errors)
    rough, smooth = (calibration.half_widths(("service", "m", "USD"), "ets", steps, s) for s in (0, 1))
    assert (smooth[0] < 0.6 * rough[0]).all()
    judged = with_coverage(errors)
    for kind in (0, 1):
        mine = judged[judged["series"] % 2 == kind]
        assert mine["inside_80"].mean() == pytest.approx(0.80, abs=0.16)
    assert judged["inside_80"].mean() == pytest.approx(0.80, abs=0.04)
    assert judged["inside_95"].mean() == pytest.approx(0.95, abs=0.02)


def test_a_yearly_shape_is_found_and_goes_on_after_the_last_day() -> None:
    at = np.arange(3 * 365 + 90)
    year = 30 * np.sin(2 * np.pi * at / 365.25) + 10 * np.cos(4 * np.pi * at / 365.25)
    rng = np.random.default_rng(3)
    values = 100 + np.where(at % 7 >= 5, -20, 0) + year + rng.normal(0, 2, len(at))
    found = yearly_shape(values[:-90], 90)
    assert np.abs(found - year).mean() < 0.2 * np.abs(year).mean()
    shown, came = history(values[:-90]), values[-90:]
    made = HarmonicETS().forecast([shown, history(values[:600])], 90)
    plain = AutoETS(thorough=False).forecast([shown], 90)[0]
    assert made[0] is not None
    assert plain is not None
    assert made[1] is None  # less than two years
    assert accuracy.wape(came, made[0]) < 0.5 * accuracy.wape(came, plain)


def test_a_step_of_the_level_is_no_season() -> None:
    values = cost_like(2, 800, growth=0.0, noise=0.02)
    values[500:] *= 1.5
    shape = yearly_shape(values, 90)
    assert np.abs(shape).max() < 0.15 * values.mean()
