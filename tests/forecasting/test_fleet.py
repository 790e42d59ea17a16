"""The whole fleet: forecasts of series whose future is known, and of series that are hardly series."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from finops_assets.forecasting.fleet import forecast_fleet
from finops_assets.marts.forecasts import COST_FORECASTS, FORECAST_ACCURACY
from tests.forecasting.fleets import FIRST_DAY, Floats, cost_like, features_of

DAYS = 400


def champions(table: pa.Table, name: str) -> pd.DataFrame:
    rows = [r for r in table.to_pylist() if r["ServiceName"] == name and r["is_champion"]]
    return pd.DataFrame(rows).sort_values("day", ignore_index=True)


@pytest.fixture(scope="module")
def known() -> dict[str, Floats]:
    """Twelve series of growth, weekday and a month-start charge, known for 90 days more than shown."""
    return {
        f"s{i:02}": cost_like(i, DAYS + 90, size=100 + 20 * i, noise=0.03, month_start=150.0 * (i % 2))
        for i in range(12)
    }


@pytest.fixture(scope="module")
def made(known: dict[str, Floats]) -> pa.Table:
    shown = {name: values[:DAYS] for name, values in known.items()}
    return forecast_fleet(features_of(shown)).forecasts


def test_columns_are_those_of_the_table_specifications(made: pa.Table) -> None:
    wanted = {c.name: c.arrow for c in COST_FORECASTS.columns if c.name not in {"made_at", "made_on_month"}}
    assert dict(zip(made.schema.names, made.schema.types, strict=True)) == wanted
    accuracy = forecast_fleet(features_of({"a": cost_like(1, 60)})).accuracy
    assert set(accuracy.schema.names) == {c.name for c in FORECAST_ACCURACY.columns} - {"mlflow_run_id"}


def test_forecasts_come_close_to_a_known_future(made: pa.Table, known: dict[str, Floats]) -> None:
    errors, actuals, inside = 0.0, 0.0, []
    for name, values in known.items():
        rows = champions(made, name)
        truth = values[DAYS:]
        mean = rows["mean"].astype(float).to_numpy()
        errors += np.abs(mean - truth)[:30].sum()
        actuals += truth[:30].sum()
        inside += [
            float(lo) <= t <= float(hi) for lo, t, hi in zip(rows["lo_95"], truth, rows["hi_95"], strict=True)
        ]
    assert errors / actuals < 0.05  # the noise alone is 2.4%
    assert 0.88 <= np.mean(inside) <= 1.0


def test_a_month_start_charge_is_forecast_on_month_starts_only(made: pa.Table) -> None:
    rows = champions(made, "s01")
    firsts = rows["day"].map(lambda d: d.day == 1)
    assert float(rows.loc[firsts, "mean"].min()) > 240
    assert float(rows.loc[~firsts, "mean"].max()) < 190


def test_every_series_has_one_champion_for_each_day(made: pa.Table, known: dict[str, Floats]) -> None:
    for name in known:
        rows = champions(made, name)
        last = FIRST_DAY + timedelta(days=DAYS - 1)
        assert list(rows["day"]) == [last + timedelta(days=h) for h in range(1, 91)]
        assert list(rows["horizon"]) == list(range(1, 91))
        assert set(rows["data_until"]) == {last}
        assert (rows["lo_95"] <= rows["lo_80"]).all()
        assert (rows["lo_80"] <= rows["mean"]).all()
        assert (rows["mean"] <= rows["hi_80"]).all()
        assert (rows["hi_80"] <= rows["hi_95"]).all()
        assert all(v == v.quantize(Decimal("0.01")) for v in rows["mean"])


def test_the_champion_is_not_worse_than_the_baseline_and_honestly_covered(known: dict[str, Floats]) -> None:
    rows = forecast_fleet(features_of(known)).accuracy.to_pandas()
    assert set(rows["horizon"]) == {"7d", "30d", "90d", "month_end", "3m"}
    rows = rows[rows["horizon"].isin(["7d", "30d", "90d"])]
    for _, group in rows.groupby("horizon"):
        by_model = group.set_index("model")
        champion = by_model[by_model["is_champion"]]
        assert len(champion) == 1
        assert champion["wape"].iloc[0] <= by_model.loc["SeasonalNaive", "wape"]
    assert rows["coverage_80"].between(0.70, 0.90).all()
    assert rows["coverage_95"].between(0.88, 1.0).all()
    assert (rows["series"] == 12).all()
    assert (rows["windows"] == 5).all()


def test_the_same_data_gives_the_same_forecasts(made: pa.Table, known: dict[str, Floats]) -> None:
    shown = {name: values[:DAYS] for name, values in known.items()}
    shuffled = features_of(shown)
    order = np.random.default_rng(0).permutation(shuffled.num_rows)
    assert forecast_fleet(shuffled.take(pa.array(order))).forecasts.equals(made)


DEGENERATE: dict[str, Floats] = {
    "one_day": np.array([12.34]),
    "five_days": np.array([1.0, 2.0, 3.0, 4.0, 5.0]),
    "zeros": np.zeros(200),
    "constant": np.full(200, 7.0),
    "negative": -cost_like(4, 200),
    "one_refund": np.where(np.arange(200) == 150, -1e6, 20.0),
    "monthly_only": np.where(np.arange(200) % 30 == 26, 500.0, 0.0),
    "ended": np.where(np.arange(200) < 120, cost_like(5, 200), 0.0),
    "tiny": cost_like(6, 200, size=1e-4),
    "huge": cost_like(7, 200, size=1e9),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_a_series_that_is_hardly_one_gets_an_honest_forecast(name: str) -> None:
    values = DEGENERATE[name]
    table = forecast_fleet(features_of({name: values})).forecasts
    rows = champions(table, name)
    assert len(rows) == 90
    mean = rows["mean"].astype(float)
    low, high = rows["lo_95"].astype(float), rows["hi_95"].astype(float)
    assert (low <= mean).all()
    assert (mean <= high).all()
    if name in {"zeros", "ended"}:
        assert (mean == 0).all()
    if name == "constant":
        assert (mean == 7).all()
        assert (high > low).all()
    if name in {"five_days", "one_day"}:
        assert set(rows["model"]) == {"SeasonalNaive"}
        assert (high - low > 0.5 * np.abs(values).mean()).all()
    if name == "negative":
        assert (high <= 0).all()
    elif name != "one_refund":
        assert (low >= 0).all()


def test_they_do_not_disturb_each_other() -> None:
    table = forecast_fleet(features_of(DEGENERATE | {"sound": cost_like(1, 200)})).forecasts
    # All begin on the same day, so the short ones ended long ago: they are history, not a forecast.
    assert {r["ServiceName"] for r in table.to_pylist()} == {*DEGENERATE, "sound"} - {"one_day", "five_days"}


def test_a_partial_day_is_not_learned_from() -> None:
    values = np.append(np.full(60, 100.0), 3.0)
    rows = champions(forecast_fleet(features_of({"a": values}, partial_days=1)).forecasts, "a")
    assert set(rows["data_until"]) == {FIRST_DAY + timedelta(days=59)}
    assert (rows["mean"] == 100).all()


def test_no_data_gives_no_forecast() -> None:
    none = features_of({"a": np.ones(3)}, partial_days=3)
    made = forecast_fleet(none)
    assert made.forecasts.num_rows == made.accuracy.num_rows == 0
    assert made.forecasts.schema.field("mean").type == pa.decimal128(38, 18)


def test_a_gap_is_an_error_that_names_the_series() -> None:
    table = features_of({"a": np.ones(40)})
    holed = table.filter(pa.compute.not_equal(table["day"], pa.scalar(date(2025, 1, 20))))
    with pytest.raises(ValueError, match=r"service\|AWS\|\|a"):
        forecast_fleet(holed)
