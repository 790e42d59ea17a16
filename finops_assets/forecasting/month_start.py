"""The regular charge on the first of a month: taken out before a fit, added back to the forecast.

Support fees, subscriptions and taxes are booked on one day. A weekly model either smears such a day
over the month or repeats it every week; of all single steps, handling it is worth most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finops_assets.forecasting.history import FloatArray, History

_NEIGHBOURS = 7
_RECENT = 3
_MIN_SIGMAS = 4.0
_SIGMA_PER_MAD = 1.4826


@dataclass(frozen=True)
class MonthStart:
    """A history without its month-start charges, and the charge to expect on the next ones."""

    without: History
    charge: float

    def add_back(self, forecast: FloatArray) -> FloatArray:
        """The forecast of `without`, with the charge on every first of a month in it."""
        firsts = self.without.future_month_starts(len(forecast))
        return np.where(firsts, forecast + self.charge, forecast)


def split_month_start(history: History) -> MonthStart:
    """Take the regular month-start charge out of a history; a zero charge when there is none.

    A day's excess is its value over the median of the days within a week of it. The charge is regular
    when each of the last two or three firsts stands out, on one side, by four times the series' own
    ordinary deviation. The last first must be among them, so a charge that stopped is not forecast.
    Every first is replaced, the odd ones too: only its excess over ordinary days is taken out.
    """
    values = history.values
    firsts = np.flatnonzero(history.is_month_start)
    firsts = firsts[firsts > 0]
    if len(firsts) < 2:
        return MonthStart(history, 0.0)
    ordinary = _ordinary_level(values, firsts)
    excess = values[firsts] - ordinary
    recent = excess[-_RECENT:]
    threshold = max(_MIN_SIGMAS * _deviation(history), 0.05 * float(np.abs(ordinary).mean()), 0.01)
    if not (np.all(recent > threshold) or np.all(recent < -threshold)):
        return MonthStart(history, 0.0)
    without = values.copy()
    without[firsts] = ordinary
    if history.is_month_start[0] and len(values) > 1:
        without[0] = np.median(values[1 : 1 + _NEIGHBOURS])
    return MonthStart(history.with_values(without), float(np.median(recent)))


def _ordinary_level(values: FloatArray, firsts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> FloatArray:
    """What each first would have cost: the same weekday a week before and after, else near days."""
    level = np.empty(len(firsts))
    for i, at in enumerate(firsts):
        same_weekday = [values[j] for j in (at - 7, at + 7) if 0 <= j < len(values)]
        near = np.r_[values[max(0, at - _NEIGHBOURS) : at], values[at + 1 : at + 1 + _NEIGHBOURS]]
        level[i] = np.mean(same_weekday) if same_weekday else np.median(near)
    return level


def _deviation(history: History) -> float:
    """Robust standard deviation of ordinary days from the same weekday a week before."""
    if len(history) <= 7:
        return float(np.std(history.values))
    steps = (history.values[7:] - history.values[:-7])[~history.is_month_start[7:]]
    return _SIGMA_PER_MAD * float(np.median(np.abs(steps)))
