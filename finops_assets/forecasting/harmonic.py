"""Smoothing of what is left when the year is taken out: for series whose history shows it twice.

Electricity, births and visitors have a yearly shape that half a year of history cannot show. It is
fitted as six harmonics beside weekdays and a trend that may bend twice a year, shrunk by ridge regression
so that a step of the level is no season (dynamic harmonic regression, Hyndman & Athanasopoulos 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finops_assets.forecasting.history import FloatArray, History
from finops_assets.forecasting.models import WEEK, AutoETS, moves

_HARMONICS = 6
_DAYS_OF_YEAR = 365.25
TWO_YEARS = 2 * 52 * WEEK
_BEND = 26 * WEEK
_LAST_BEND = 90
"""The trend does not bend in the newest quarter: a year's shape there would be guessed from days."""

_RIDGE_YEAR, _RIDGE_TREND = 60.0, 5.0
_EXTREME = 0.01
"""The lowest and the highest percent of days count as their quantile in the fit of the year."""


@dataclass(frozen=True)
class HarmonicETS:
    """A year of harmonics and AutoETS of the rest; nothing for series of less than two years."""

    name: str = "HarmonicETS"

    def forecast(self, histories: Sequence[History], horizon: int) -> list[FloatArray | None]:
        """Fit each history by itself."""
        usable = [i for i, h in enumerate(histories) if len(h) >= TWO_YEARS and moves(h)]
        years = [yearly_shape(histories[i].values, horizon) for i in usable]
        rest = [
            histories[i].with_values(histories[i].values - year[: len(histories[i])])
            for i, year in zip(usable, years, strict=True)
        ]
        made: list[FloatArray | None] = [None] * len(histories)
        fitted = AutoETS(thorough=False).forecast(rest, horizon)
        for i, year, mean in zip(usable, years, fitted, strict=True):
            made[i] = None if mean is None else mean + year[-horizon:]
        return made


def yearly_shape(values: FloatArray, horizon: int) -> FloatArray:
    """The yearly part of a history and of the `horizon` days after it, around zero."""
    count = len(values)
    at = np.arange(count + horizon)
    weekdays = np.eye(WEEK)[at % WEEK]
    bends = np.arange(_BEND, count - _LAST_BEND, _BEND)
    trend = np.stack([at - count, *(np.maximum(0, at - bend) for bend in bends)], axis=1) / _DAYS_OF_YEAR
    angles = 2 * np.pi * at[:, None] * np.arange(1, _HARMONICS + 1) / _DAYS_OF_YEAR
    year = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    columns = np.concatenate([weekdays, trend, year], axis=1)
    penalty = np.repeat([0.0, _RIDGE_TREND, _RIDGE_YEAR], [WEEK, trend.shape[1], year.shape[1]])
    known = columns[:count]
    ordinary = np.clip(values, *np.quantile(values, [_EXTREME, 1 - _EXTREME]))
    fitted = np.linalg.solve(known.T @ known + np.diag(penalty), known.T @ ordinary)
    shape: FloatArray = year @ fitted[-year.shape[1] :]
    return shape
