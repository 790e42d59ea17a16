"""One boosted model for all series: trees on the calendar and on each series' recent past.

Direct horizons: a row is (series, origin, days ahead), so no forecast is fed back. Values are in units
of each series' own size, and what is learned is the departure from the median of the same weekday in the
last four weeks: series of any size and currency share one model (Montero-Manso & Hyndman 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finops_assets.forecasting.history import DayArray, FloatArray, History, IntArray
from finops_assets.forecasting.models import WEEK, moves
from finops_assets.forecasting.public_holidays import Holidays

_SHOWN = 8 * WEEK
"""Days of history behind every origin."""

_YEAR = 52 * WEEK
_MEANS = (7, 14, 28, 56)
_MIN_ROWS = 500
_FARTHEST = 10.0
"""Departures beyond so many sizes, such as a service's first day, teach nothing about the others."""

_PARAMETERS = {
    "objective": "reg:absoluteerror",
    "tree_method": "hist",
    "max_depth": 8,
    "learning_rate": 0.06,
    "min_child_weight": 40,
    "subsample": 0.8,
    "colsample_bytree": 0.7,
    "max_bin": 128,
    "seed": 7,
    "nthread": 1,
    "verbosity": 0,
}


@dataclass(frozen=True)
class DirectXGBoost:
    """A global XGBoost with direct horizons, trained on many past origins of all series together.

    With `holidays` it knows which days are one and which lie beside one.
    """

    name: str = "XGBoost"
    max_rows: int = 60_000
    trees: int = 150
    holidays: Holidays | None = None

    def forecast(self, histories: Sequence[History], horizon: int) -> list[FloatArray | None]:
        """Learn from all histories, forecast those that move and are eight weeks long."""
        import xgboost  # noqa: PLC0415 - compiled code, loaded on use

        usable = [i for i, h in enumerate(histories) if moves(h) and len(h) >= _SHOWN]
        made: list[FloatArray | None] = [None] * len(histories)
        shares = np.array([max(0, len(histories[i]) - _SHOWN) for i in usable], dtype=np.float64)
        if not usable or shares.sum() == 0:
            return made
        rng = np.random.default_rng(7)
        per_day = min(6.0, self.max_rows / shares.sum())
        learned = [_training(histories[i], horizon, per_day, rng, self.holidays) for i in usable]
        features = np.concatenate([f for f, _ in learned])
        if len(features) < _MIN_ROWS:
            return made
        target = np.concatenate([t for _, t in learned])
        model = xgboost.train(
            _PARAMETERS, xgboost.DMatrix(features, target, nthread=1), num_boost_round=self.trees
        )
        steps = np.arange(1, horizon + 1)
        rows = [
            _rows(histories[i], np.full(horizon, len(histories[i]) - 1, dtype=np.int64), steps, self.holidays)
            for i in usable
        ]
        moved = model.predict(xgboost.DMatrix(np.concatenate([r[0] for r in rows]), nthread=1))
        for k, i in enumerate(usable):
            _, base, scale = rows[k]
            made[i] = base + scale * moved[k * horizon : (k + 1) * horizon].astype(np.float64)
        return made


def _training(
    history: History, horizon: int, per_day: float, rng: np.random.Generator, holidays: Holidays | None
) -> tuple[FloatArray, FloatArray]:
    """Rows of random past origins and days ahead whose outcome is known: features, targets."""
    first, last = _SHOWN - 1, len(history) - 2
    count = round(per_day * (last - first + 1))
    origins = rng.integers(first, last + 1, size=count) if last >= first else np.zeros(0, dtype=np.int64)
    steps = rng.integers(1, horizon + 1, size=len(origins))
    known = origins + steps < len(history)
    origins, steps = origins[known], steps[known]
    features, base, scale = _rows(history, origins, steps, holidays)
    return features, np.clip((history.values[origins + steps] - base) / scale, -_FARTHEST, _FARTHEST)


def _rows(
    history: History, origins: IntArray, steps: IntArray, holidays: Holidays | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Features (rows × columns), the weekday median that targets depart from, the unit; all of the past."""
    values = history.values
    total = np.r_[0.0, np.cumsum(values)]
    size = np.r_[0.0, np.cumsum(np.abs(values))]
    # A series that was switched off has no size of its own at the moment: its long run's counts then.
    long_run = size[origins + 1] / (origins + 1)
    scale = np.maximum((size[origins + 1] - size[origins + 1 - 28]) / 28, np.maximum(0.05 * long_run, 0.01))
    # The newest day of the target's weekday that is known at the origin.
    newest = origins + (steps - 1) % WEEK + 1 - WEEK
    same = np.stack([values[newest - WEEK * k] for k in range(6)])
    base = np.median(same[:4], axis=0)
    means = [(total[origins + 1] - total[origins + 1 - m]) / m for m in _MEANS]
    before = (total[origins + 1 - 28] - total[origins + 1 - 56]) / 28
    week = (total[newest + 1] - total[newest + 1 - WEEK]) / WEEK
    surprise = _surprises(values)
    recent = np.r_[0.0, np.cumsum(surprise)]
    columns = [
        steps.astype(np.float64),
        *_calendar(history.first_day + origins + steps),
        *_holidays(history.first_day + origins + steps, holidays),
        *((m - means[2]) / scale for m in means),
        (before - means[2]) / scale,
        (week - means[2]) / scale,
        *((same[k] - base) / scale for k in range(6)),
        (base - means[2]) / scale,
        same.std(axis=0) / scale,
        means[2] / scale,
        *(surprise[origins - k] / scale for k in range(3)),
        *((recent[origins + 1] - recent[origins + 1 - m]) / m / scale for m in (3, 7, 14)),
        *_year_ago(values, total, origins, steps),
        *(d / scale for d in _odd_a_year_ago(values, origins, steps)),
        _level_of_the_year(total, origins) / scale,
        np.minimum(origins + 1, 3 * _YEAR).astype(np.float64),
    ]
    return np.stack(columns, axis=1), base, scale


def _surprises(values: FloatArray) -> FloatArray:
    """How far each day was from the median of the same weekday in the four weeks before it; 0 before that."""
    surprise = np.zeros(len(values))
    earlier = [values[28 - 7 * k : len(values) - 7 * k] for k in range(1, 5)]
    surprise[28:] = values[28:] - np.median(np.stack(earlier), axis=0)
    return surprise


def _calendar(days: np.ndarray[tuple[int], np.dtype[np.datetime64]]) -> list[FloatArray]:
    """Weekday, day of month, length of the month, days to its end, whether it is the first."""
    months = days.astype("datetime64[M]")
    start = months.astype("datetime64[D]")
    length = ((months + 1).astype("datetime64[D]") - start).astype(np.float64)
    at = (days - start).astype(np.float64)
    weekday = (days.astype(np.int64) + 3) % WEEK
    return [weekday.astype(np.float64), at + 1, length, length - 1 - at, (at == 0).astype(np.float64)]


def _holidays(days: DayArray, holidays: Holidays | None) -> list[FloatArray]:
    """Whether a day is a holiday, and whether it lies beside one; nothing where no country is known."""
    if holidays is None:
        return []
    beside = holidays.among(days - 1) | holidays.among(days + 1)
    return [holidays.among(days).astype(np.float64), beside.astype(np.float64)]


def _year_ago(values: FloatArray, total: FloatArray, origins: IntArray, steps: IntArray) -> list[FloatArray]:
    """The level around the target's day a year ago over that of the four weeks before its origin: of a week,
    and of two; NaN if unknown.
    """
    ratios = []
    for reach in (3, 7):
        then, target = origins - _YEAR, origins + steps - _YEAR
        known = (then >= 28) & (target + reach < origins)
        then, target = np.where(known, then, 28), np.where(known, target, 28)
        level = (total[then + 1] - total[then + 1 - 28]) / 28
        around = (total[np.minimum(target + reach + 1, len(values))] - total[target - reach]) / (
            2 * reach + 1
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(known & (level != 0), around / level, np.nan)
        ratios.append(np.clip(ratio, -5.0, 5.0))
    return ratios


def _odd_a_year_ago(values: FloatArray, origins: IntArray, steps: IntArray) -> list[FloatArray]:
    """How odd the same weekday and the same date were a year ago: the day less the median of its weekday in
    the two weeks before and after; NaN if unknown. Holidays are one or the other.
    """
    odd = []
    for back in (_YEAR, _YEAR + 1):
        then = origins + steps - back
        known = (then >= 14) & (then + 14 <= origins) & (then + 14 < len(values))
        then = np.where(known, then, 0)
        around = np.stack([values[np.where(known, then + d, 0)] for d in (-14, -7, 7, 14)])
        odd.append(np.where(known, values[then] - np.median(around, axis=0), np.nan))
    return odd


def _level_of_the_year(total: FloatArray, origins: IntArray) -> FloatArray:
    """The mean of the year before each origin; NaN while there is none."""
    year = total[origins + 1] - total[np.maximum(origins + 1 - _YEAR, 0)]
    return np.where(origins + 1 >= _YEAR, year / _YEAR, np.nan)
