"""Regular charges on one day of the month: taken out before a fit, added back to the forecast.

Support fees, subscriptions, marketplace charges and taxes are booked on one day, mostly the first. A
weekly model either smears such a day over the month or repeats it every week; of all single steps,
handling it is worth most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from finops_assets.forecasting.history import DayArray, FloatArray, History, IntArray

_NEIGHBOURS = 7
_RECENT = 3
_MIN_SIGMAS = 4.0
_SIGMA_PER_MAD = 1.4826
LAST = 31
"""The last day of a month, whichever it is; days 29 and 30 of a longer month are no day of their own."""

_NO_DAY = 0


@dataclass(frozen=True)
class MonthStart:
    """A history without its monthly charges, and the charge to expect on each day of the month."""

    without: History
    charges: Mapping[int, float] = field(default_factory=dict)

    def add_back(self, forecast: FloatArray) -> FloatArray:
        """The forecast of `without`, with the charges on their days in it."""
        if not self.charges:
            return forecast
        future = self.without.first_day + len(self.without) + np.arange(len(forecast))
        booked = [self.charges.get(day, 0.0) for day in days_of_month(future).tolist()]
        return forecast + np.asarray(booked, dtype=np.float64)


def days_of_month(days: DayArray) -> IntArray:
    """1 to 28, `LAST` for the last day of a month (the 28th of a plain February too), 0 for the others."""
    months = days.astype("datetime64[M]")
    number = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    is_last = days + 1 == (months + 1).astype("datetime64[D]")
    return np.where(is_last, LAST, np.where(number > 28, _NO_DAY, number))


def split_month_start(history: History) -> MonthStart:
    """Take the regular charges on one day of the month out of a history; no charge when there is none.

    A day's excess is its value over the mean of the same weekday a week before and after. A charge is
    regular when each of the last three such days stands out from both of these, on one side, by four
    times the series' own ordinary deviation; for the first of a month, where most are booked, two are
    enough while there are no three. The last one must be among them, so a charge that stopped is not
    forecast. Every such day is replaced, the odd ones too: only its excess is taken out.
    """
    values = history.values
    if len(values) < 28:
        return MonthStart(history)
    kinds = days_of_month(history.first_day + np.arange(len(values)))
    ordinary = _ordinary(values)
    excess = values - ordinary
    floor = max(0.05 * float(np.abs(ordinary).mean()), 0.01)
    threshold = max(_MIN_SIGMAS * _deviation(history), floor)
    stands_out = _stands_out(values, threshold)
    charges: dict[int, float] = {}
    without = values.copy()
    for kind in range(1, LAST + 1):
        all_at = np.flatnonzero(kinds == kind)
        at = all_at[all_at > 0]
        recent = at[-_RECENT:]
        if len(recent) < (2 if kind == 1 else _RECENT) or abs(stands_out[recent].sum()) < len(recent):
            continue
        charges[kind] = float(np.median(excess[recent]))
        without[all_at] = ordinary[all_at]
    return MonthStart(history.with_values(without), charges)


def _week_before_and_after(values: FloatArray) -> FloatArray:
    """The same weekday a week before and a week after each day, shape (2, days); NaN beyond the ends."""
    unknown = np.full(_NEIGHBOURS, np.nan)
    return np.stack([np.r_[unknown, values[:-_NEIGHBOURS]], np.r_[values[_NEIGHBOURS:], unknown]])


def _ordinary(values: FloatArray) -> FloatArray:
    """What each day would have cost: the mean of the same weekday a week before and after it."""
    mean: FloatArray = np.nanmean(_week_before_and_after(values), axis=0)
    return mean


def _stands_out(values: FloatArray, threshold: float) -> FloatArray:
    """1 for a day above both of its neighbours by more than the threshold, -1 below both, else 0.

    One neighbour would not do: the day a week after a charge is below that one, and an ordinary day.
    """
    above = values - _week_before_and_after(values)
    above = np.where(np.isnan(above), above[::-1], above)
    return np.where(
        (above > threshold).all(axis=0), 1.0, np.where((above < -threshold).all(axis=0), -1.0, 0.0)
    )


def _deviation(history: History) -> float:
    """Robust standard deviation of ordinary days from the same weekday a week before."""
    steps = (history.values[7:] - history.values[:-7])[~history.is_month_start[7:]]
    return _SIGMA_PER_MAD * float(np.median(np.abs(steps)))
