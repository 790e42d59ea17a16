"""The whole fleet in one call: backtest, champions, intervals, forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped] # ships no types

from finops_assets.forecasting.accuracy import Group, champions, measure
from finops_assets.forecasting.backtest import backtest, predict, scale_of, sign_bounds
from finops_assets.forecasting.history import SERIES_COLUMNS, Series, read_fleet
from finops_assets.forecasting.intervals import Calibration, band, calibrate, with_coverage
from finops_assets.forecasting.models import AutoETS, Model, SeasonalNaive
from finops_assets.forecasting.money import to_money

BASELINE = SeasonalNaive()
THOROUGH_SERIES = 40
"""How many series, largest money first, get the model search; the tail gets one fixed form."""

SILENT_DAYS = 45
"""A series whose bill stopped this long before the newest one gets no forecast: it is history."""

_AMOUNTS = ("mean", "lo_80", "hi_80", "lo_95", "hi_95")


@dataclass(frozen=True)
class FleetForecast:
    """What one making gives.

    `forecasts` has the columns of COST_FORECASTS but made_at and made_on_month, `accuracy` those of
    FORECAST_ACCURACY but mlflow_run_id. `skipped` counts the series whose bills ended long ago.
    """

    forecasts: pa.Table
    accuracy: pa.Table
    skipped: int


def forecast_fleet(features: pa.Table, *, horizon: int = 90) -> FleetForecast:
    """Forecast every series of `cost_features` for the `horizon` days after its last complete day.

    Every series with a complete day gets a champion row for each day; a candidate that is not the
    champion is given beside it. Money is rounded to cents. Deterministic, one thread.
    Raises ValueError for a series with gaps.
    """
    complete, fleet = read_fleet(features)
    newest = max((_last_day(s) for s in fleet), default=np.datetime64("1970-01-01"))
    alive = [s for s in fleet if newest - _last_day(s) <= np.timedelta64(SILENT_DAYS, "D")]
    candidates = assign_models(alive)
    with threadpool_limits(limits=1):
        errors = backtest(alive, candidates)
        measured = measure(with_coverage(errors))
        winners = champions(measured, BASELINE.name)
        calibration = calibrate(errors)
        made = [_forecast(s, candidates[i], winners, calibration, horizon) for i, s in enumerate(alive)]
    return FleetForecast(
        forecasts=_forecast_table(complete, made),
        accuracy=_accuracy_table(measured, winners),
        skipped=len(fleet) - len(alive),
    )


def assign_models(fleet: Sequence[Series]) -> dict[int, tuple[Model, ...]]:
    """Each series' candidates: the thorough search where the money is, a fixed form in the tail.

    Totals and providers always count as money.
    """
    size = [float(np.abs(s.history.values[-90:]).sum()) for s in fleet]
    order = sorted(range(len(fleet)), key=lambda i: (fleet[i].level not in {"total", "provider"}, -size[i]))
    thorough = set(order[:THOROUGH_SERIES])
    return {i: (BASELINE, AutoETS(thorough=i in thorough)) for i in range(len(fleet))}


def _last_day(series: Series) -> np.datetime64:
    return series.history.first_day + (len(series.history) - 1)


def _forecast(
    series: Series,
    models: Sequence[Model],
    winners: dict[Group, str],
    calibration: Calibration,
    horizon: int,
) -> pd.DataFrame:
    history = series.history
    made = predict(history, horizon, models)
    wanted = winners.get(series.group, BASELINE.name)
    champion = wanted if any(p.model == wanted for p in made) else BASELINE.name
    steps = np.arange(1, horizon + 1, dtype=np.int64)
    low, high = sign_bounds(history)
    scale = scale_of(history)
    parts = []
    for prediction in made:
        widths = calibration.half_widths(*series.group, prediction.model, steps) * scale
        lo_80, hi_80 = band(prediction.mean, widths[0], low, high)
        lo_95, hi_95 = band(prediction.mean, np.maximum(widths[1], widths[0]), low, high)
        parts.append(
            pd.DataFrame(
                {
                    "row": series.row,
                    "day": _last_day(series) + steps,
                    "horizon": steps,
                    "model": prediction.model,
                    "is_champion": prediction.model == champion,
                    "mean": prediction.mean,
                    "lo_80": lo_80,
                    "hi_80": hi_80,
                    "lo_95": lo_95,
                    "hi_95": hi_95,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _forecast_table(complete: pa.Table, made: Sequence[pd.DataFrame]) -> pa.Table:
    columns = ["row", "day", "horizon", "model", "is_champion", *_AMOUNTS]
    rows = pd.concat(made, ignore_index=True) if made else pd.DataFrame({c: [] for c in columns})
    at = pa.array(rows["row"].to_numpy().astype(np.int64))
    names = complete.select(SERIES_COLUMNS).take(at)
    data = {c: names[c] for c in SERIES_COLUMNS}
    data["day"] = pa.array(rows["day"].to_numpy().astype("datetime64[D]"), pa.date32())
    data["data_until"] = complete["day"].take(at)
    data["horizon"] = pa.array(rows["horizon"].to_numpy().astype(np.int32))
    data["model"] = pa.array(rows["model"].tolist(), pa.string())
    data["is_champion"] = pa.array(rows["is_champion"].to_numpy().astype(np.bool_))
    for amount in _AMOUNTS:
        data[amount] = to_money(rows[amount].to_numpy().astype(np.float64))
    return pa.table(data)


def _accuracy_table(measured: pd.DataFrame, winners: dict[Group, str]) -> pa.Table:
    groups = list(zip(measured["level"], measured["metric"], measured["currency"], strict=True))
    won = [winners[g] == m for g, m in zip(groups, measured["model"], strict=True)]

    def numbers(column: str) -> pa.Array:
        return pa.array(measured[column].to_numpy().astype(np.float64), from_pandas=True)

    def texts(column: str) -> pa.Array:
        return pa.array(measured[column].tolist(), pa.string())

    return pa.table(
        {
            "level": texts("level"),
            "metric": texts("metric"),
            "BillingCurrency": texts("currency"),
            "model": texts("model"),
            "horizon": pa.array(measured["horizon"].to_numpy().astype(np.int32)),
            "kind": pa.array(["backtest"] * len(measured), pa.string()),
            "series": pa.array(measured["series"].to_numpy().astype(np.int32)),
            "windows": pa.array(measured["windows"].to_numpy().astype(np.int32)),
            **{c: numbers(c) for c in ("wape", "mase", "bias", "coverage_80", "coverage_95")},
            "is_champion": pa.array(won, pa.bool_()),
        }
    )
