"""Series by calendar month: what a day of each whole month cost, so that February is no cheap month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finops_assets.forecasting.history import DayArray, FloatArray, History, IntArray

_CENT = 0.01
_SHORT = 4
_RECENT = 12


def month_of(day: np.datetime64) -> int:
    """A calendar month as a number: months since January 1970."""
    return int(day.astype("datetime64[M]").astype(np.int64))


def first_days(months: IntArray | Sequence[int]) -> DayArray:
    """The first day of each of these months."""
    return np.asarray(months, dtype=np.int64).astype("datetime64[M]").astype("datetime64[D]")


def days_in(months: IntArray | Sequence[int]) -> IntArray:
    """How many days each of these months has."""
    numbers = np.asarray(months, dtype=np.int64)
    return (first_days(numbers + 1) - first_days(numbers)).astype(np.int64)


@dataclass(frozen=True)
class MonthHistory:
    """Whole months without gaps: rates[i] is the cost of a day in month `first` + i."""

    first: int
    rates: FloatArray

    def __len__(self) -> int:
        return len(self.rates)

    @property
    def last(self) -> int:
        """The newest whole month; `first` - 1 where there is none."""
        return self.first + len(self.rates) - 1

    def until(self, month: int) -> MonthHistory:
        """The months up to and with `month`."""
        return MonthHistory(self.first, self.rates[: max(0, month + 1 - self.first)])


def by_month(history: History) -> MonthHistory:
    """The whole months of a daily history; a month that began before it, or goes on after it, is left out."""
    first = month_of(history.first_day)
    first += int(first_days([first])[0] < history.first_day)
    end = month_of(history.last_day + 1)
    if end <= first:
        return MonthHistory(first, np.empty(0))
    months = np.arange(first, end)
    starts = (first_days(months) - history.first_day).astype(np.int64)
    stop = int((first_days([end])[0] - history.first_day).astype(np.int64))
    return MonthHistory(first, np.add.reduceat(history.values[:stop], starts) / days_in(months))


def month_scale(rates: FloatArray) -> float:
    """What an ordinary error of a day's rate is worth: the mean change from month to month of the last year.

    At least 1% of the mean rate. Of fewer than four months too little is known: a quarter of their mean.
    """
    recent = rates[-_RECENT:]
    size = float(np.abs(recent).mean()) if len(recent) else 0.0
    if len(recent) < _SHORT:
        return max(_CENT, 0.25 * size)
    return max(_CENT, 0.01 * size, float(np.abs(np.diff(recent)).mean()))
