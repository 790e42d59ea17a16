"""Rolling origins by month: what each candidate would have said at earlier month ends, beside what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from finops_assets.forecasting.accuracy import Group
from finops_assets.forecasting.hierarchy import BOTTOM_UP
from finops_assets.forecasting.history import FloatArray, IntArray, Series
from finops_assets.forecasting.month_history import MonthHistory, days_in, month_scale
from finops_assets.forecasting.month_models import BASELINE, NAMES, YEAR, predict_months, sign_bounds

HORIZONS = (3, 12)
"""Months ahead for which errors are reported."""

ORIGINS = (3, 6, 9, 12, 15, 18, 21, 24)
"""How many whole months have come since each origin; up to a year of them is forecast."""

MIN_TRAINING = 6
"""Months that an origin needs before it to be judged."""


class MonthBacktest:
    """The origins of series by month.

    `came` has the months' totals after each origin, shape (series, origins, 12); NaN where less has come, or
    the series was too young to be judged. It may have said something all the same, for others to add up.
    """

    def __init__(self, fleet: Sequence[Series], histories: Sequence[MonthHistory], until: int) -> None:
        self._fleet, self._histories, self._until = fleet, histories, until
        shape = (len(fleet), len(ORIGINS), YEAR)
        self.came = np.full(shape, np.nan)
        self._scale, self._naive_error = np.full(shape[:2], np.nan), np.full(shape[:2], np.nan)
        self._low, self._high = np.zeros(shape[:2]), np.zeros(shape[:2])
        for window, back in enumerate(ORIGINS):
            days = days_in(self.months(window))
            for i, history in enumerate(histories):
                known = history.until(until - back).rates
                if len(known) < MIN_TRAINING:
                    continue
                after = history.until(until).rates[len(known) :][: len(days)]
                self.came[i, window, : len(after)] = after * days[: len(after)]
                self._scale[i, window] = month_scale(known)
                self._naive_error[i, window] = np.abs(np.diff(known)).mean() * days.mean()
                self._low[i, window], self._high[i, window] = sign_bounds(known)

    def months(self, window: int) -> IntArray:
        """The months that are forecast at an origin."""
        back = ORIGINS[window]
        return np.arange(self._until - back + 1, self._until - back + 1 + min(back, YEAR))

    def candidates(self, positions: Sequence[int]) -> dict[str, FloatArray]:
        """What every candidate said of the series at these positions; NaN at the others."""
        said = {name: np.full(self.came.shape, np.nan) for name in NAMES}
        for window, back in enumerate(ORIGINS):
            known = {i: self._histories[i].until(self._until - back).rates for i in positions}
            usable = [i for i, rates in known.items() if len(rates)]
            days = days_in(self.months(window))
            made = predict_months([known[i] for i in usable], len(days))
            for name, rates in made.items():
                said[name][usable, window, : len(days)] = rates * days
        return said

    def sums(self, members: Mapping[int, Sequence[int]], said: FloatArray) -> dict[str, FloatArray]:
        """What was said of sums: their leaves' `said` added up, and beside it their own naive's."""
        added = np.full(self.came.shape, np.nan)
        leaves = np.nan_to_num(said)
        for position, mine in members.items():
            for window in range(len(ORIGINS)):
                steps = len(self.months(window))
                added[position, window, :steps] = leaves[list(mine), window, :steps].sum(axis=0)
        return {BOTTOM_UP: added, BASELINE.name: self.candidates(sorted(members))[BASELINE.name]}

    def in_force(
        self, said: Mapping[str, FloatArray], winners: Mapping[Group, str], positions: Sequence[int]
    ) -> FloatArray:
        """What each series' champion said; the baseline's where its group has none."""
        chosen = np.full(self.came.shape, np.nan)
        for i in positions:
            chosen[i] = said[winners.get(self._fleet[i].group, BASELINE.name)][i]
        return chosen

    def errors(self, said: Mapping[str, FloatArray], positions: Sequence[int]) -> pd.DataFrame:
        """A row a series, origin, model and month ahead: the columns of `backtest.COLUMNS`, in totals.

        `scale` is that of a month's total, `step` the month ahead, `length` how many an origin has.
        """
        judged = np.isfinite(self.came)
        length = judged.sum(axis=2)
        judged[np.setdiff1d(np.arange(len(judged)), positions)] = False
        series, window, step = np.nonzero(judged)
        days = self._days()[window, step]
        parts = [
            pd.DataFrame(
                {
                    "series": series,
                    "scale": self._scale[series, window] * days,
                    "naive_error": self._naive_error[series, window],
                    "low": self._low[series, window],
                    "high": self._high[series, window],
                    "window": window,
                    "length": length[series, window],
                    "model": name,
                    "step": step + 1,
                    "actual": self.came[series, window, step],
                    "mean": said[name][series, window, step],
                }
            )
            for name in said
        ]
        return self._named(pd.concat(parts, ignore_index=True))

    def _days(self) -> FloatArray:
        days = np.full((len(ORIGINS), YEAR), np.nan)
        for window in range(len(ORIGINS)):
            months = self.months(window)
            days[window, : len(months)] = days_in(months)
        return days

    def _named(self, rows: pd.DataFrame) -> pd.DataFrame:
        at = rows["series"].to_numpy()
        for column in ("level", "metric", "currency"):
            names = np.array([getattr(s, column) for s in self._fleet], dtype=object)
            rows[column] = pd.Categorical(names[at])
        rows["model"] = pd.Categorical(rows["model"])
        return rows
