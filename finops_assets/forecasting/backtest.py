"""Rolling origins: what each model would have said on earlier days, beside what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from finops_assets.forecasting.history import FloatArray, History, Series
from finops_assets.forecasting.models import WEEK, Model, SeasonalNaive
from finops_assets.forecasting.month_start import split_month_start

HORIZONS = (7, 30, 90)
"""Days ahead for which errors are reported."""

WINDOWS = 3
_SPACING = {90: 30, 30: 15, 7: 7}
MIN_TRAINING = 4 * WEEK
_RECENT = 13 * WEEK
_BASELINE = SeasonalNaive()


@dataclass(frozen=True)
class Prediction:
    """One model's forecast of one history."""

    model: str
    mean: FloatArray


def origins(length: int, horizons: Sequence[int] = HORIZONS) -> list[tuple[int, int]]:
    """(days of history to show, days to forecast) for a series of `length` days, newest first.

    The longest horizon that leaves four weeks to learn from, at up to three origins; none for a
    series of less than five weeks.
    """
    for horizon in sorted(horizons, reverse=True):
        cuts = [length - horizon - k * _SPACING[horizon] for k in range(WINDOWS)]
        usable = [cut for cut in cuts if cut >= MIN_TRAINING]
        if usable:
            return [(cut, horizon) for cut in usable]
    return []


def predict(history: History, horizon: int, models: Sequence[Model]) -> list[Prediction]:
    """Every model's mean for the next days, month-start charge handled, sign kept.

    A model that does not support the history is left out; the baseline supports all. A history that
    was never negative gets no negative forecast, one that was never positive no positive one.
    """
    split = split_month_start(history)
    made = []
    for model in models:
        if model.supports(split.without):
            mean = split.add_back(model.forecast(split.without, horizon))
            made.append(Prediction(model.name, np.clip(mean, *sign_bounds(history))))
    return made


def sign_bounds(history: History) -> tuple[float, float]:
    """(lowest, highest) value that the history's sign allows."""
    low = 0.0 if np.all(history.values >= 0) else -np.inf
    high = 0.0 if np.all(history.values <= 0) else np.inf
    return low, high


def scale_of(history: History) -> float:
    """What an ordinary error of this series is worth, in its currency; never below a cent.

    The mean absolute weekly difference of the last quarter without month-start charges, at least 1%
    of the mean cost. A series of less than four weeks has shown little: there its whole spread counts.
    """
    recent = history.values[-_RECENT:]
    ordinary = split_month_start(history).without.values[-_RECENT:]
    floor = max(0.01, 0.01 * float(np.abs(recent).mean()))
    if len(recent) < MIN_TRAINING:
        return max(floor, float(np.std(recent)), 0.25 * float(np.abs(recent).mean()))
    return max(floor, float(np.abs(ordinary[WEEK:] - ordinary[:-WEEK]).mean()))


def weekly_naive_error(history: History) -> float:
    """The in-sample mean absolute error of the plain weekly naive: what MASE divides by."""
    values = history.values
    return float(np.abs(values[WEEK:] - values[:-WEEK]).mean()) if len(values) > WEEK else float("nan")


def backtest(fleet: Sequence[Series], models: Mapping[int, Sequence[Model]]) -> pd.DataFrame:
    """Errors of every model at every origin of every series.

    `models` gives each series' candidates, by its position in the fleet. Returns one row a series,
    origin, model and day ahead: level, metric, currency, series, window, model, step (1…90), length
    (the origin's horizon), actual, mean, scale, naive_error, low and high (what the sign allows).
    Where a model does not support a series, the baseline's forecast stands in its place, so all
    models are judged on the same days.
    """
    parts = []
    for position, series in enumerate(fleet):
        history = series.history
        for window, (cut, horizon) in enumerate(origins(len(history))):
            training = history.before(cut)
            made = {p.model: p.mean for p in predict(training, horizon, models[position])}
            low, high = sign_bounds(training)
            fixed = {
                "level": series.level,
                "metric": series.metric,
                "currency": series.currency,
                "series": position,
                "window": window,
                "length": horizon,
                "scale": scale_of(training),
                "naive_error": weekly_naive_error(training),
                "low": low,
                "high": high,
            }
            for model in models[position]:
                parts.append(
                    pd.DataFrame(
                        {
                            **fixed,
                            "model": model.name,
                            "step": np.arange(1, horizon + 1),
                            "actual": history.values[cut : cut + horizon],
                            "mean": made.get(model.name, made[_BASELINE.name]),
                        }
                    )
                )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


COLUMNS = (
    "level",
    "metric",
    "currency",
    "series",
    "window",
    "length",
    "scale",
    "naive_error",
    "low",
    "high",
    "model",
    "step",
    "actual",
    "mean",
)
