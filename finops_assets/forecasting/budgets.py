"""A budget against its forecast: what its period will come to, how likely that is too much, and when.

What was charged is exact. What is still to come is the daily forecast, and around it whole paths of past
errors (see `paths`), each stretched day by day so that four in five of its errors lie inside that day's 80%
band of this very series: the band gives the size of the errors, the paths how they go together. Where
there are no paths, errors are taken to be normal and all days to be wrong together, which gives the widest
sums that the bands allow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext
from itertools import accumulate
from statistics import NormalDist
from typing import Literal, TypeAlias

import numpy as np

from finops_assets.forecasting.history import BoolArray, FloatArray

State: TypeAlias = Literal["crossed", "will_cross", "at_risk", "on_track", "kept", "no_forecast"]

LIKELY = 0.5
"""From this probability on, the amount will be crossed."""

POSSIBLE = 0.1
"""From this probability on, it is at risk."""

RECENT_DAYS = 28
"""A day beyond the forecast costs what these last days of it do on average; see `extended`."""

_DAY = timedelta(days=1)
_CENT = Decimal("0.01")
_NORMAL_PATHS = 200
_NEIGHBOURS = 3
"""Days before and after that share a day's errors when they are measured: 200 paths alone are few."""


@dataclass(frozen=True)
class DayAhead:
    """One day of a forecast: how many days ahead it is, its mean and the bounds of its 80% band."""

    day: date
    ahead: int
    mean: Decimal
    lo_80: Decimal
    hi_80: Decimal


@dataclass(frozen=True)
class BurnDay:
    """Running totals of the period at the end of a day: what was charged, or what is expected of it.

    On the last day that was charged both stand, and are the same.
    """

    day: date
    actual: Decimal | None
    expected: Decimal | None
    lo_80: Decimal | None
    hi_80: Decimal | None


@dataclass(frozen=True)
class BurnDown:
    """What a budget's period has come to, and will come to.

    `crossed_on` is the day since which the amount has been exceeded. `crossing_day` is the day by which the
    period is over the amount in half of all cases, `crossing_from` that of the earliest tenth; None where
    fewer cases than that end over it. Without a forecast of all days left, all but `actual`, `crossed_on`
    and `state` are None.
    """

    actual: Decimal
    expected: Decimal | None
    lo_80: Decimal | None
    hi_80: Decimal | None
    crossing_probability: float | None
    crossed_on: date | None
    crossing_day: date | None
    crossing_from: date | None
    state: State
    days: tuple[BurnDay, ...]


def periods(
    period: Literal["month", "year"], first_month: str | None, today: date, past: int
) -> list[tuple[date, date]]:
    """(first day, last day) of the period that `today` is in and of up to `past` before it, newest first.

    A year begins with the month of `first_month` ('YYYY-MM'), else with January; nothing is before it. A
    budget that has not begun yet has its first period alone.
    """
    begins = date.fromisoformat(f"{first_month}-01") if first_month else None
    length = 12 if period == "year" else 1
    back = (today.month - (begins.month if begins else 1)) % 12 if period == "year" else 0
    first = _months_on(today, -back)
    if begins is not None and first < begins:
        first = begins
    starts = [_months_on(first, -length * n) for n in range(past + 1)]
    return [(s, _months_on(s, length) - _DAY) for s in starts if begins is None or s >= begins]


def burn_down(
    amount: Decimal,
    first_day: date,
    last_day: date,
    data_until: date,
    actual: Mapping[date, Decimal],
    forecast: Sequence[DayAhead],
    errors: FloatArray,
) -> BurnDown:
    """One period of one budget.

    `actual` has the cost of each day up to `data_until`, where days that are missing cost nothing;
    `forecast` the days after it, in order; `errors` what `path_matrix` gives, in any unit, or no rows. All
    of an amount may be spent: only more than it is too much.
    """
    spent, days = _running(first_day, min(last_day, data_until), actual)
    crossed_on = _exceeded_since(days, amount)
    over = spent > amount
    if data_until >= last_day:
        state: State = "crossed" if over else "kept"
        return BurnDown(spent, spent, spent, spent, float(over), crossed_on, None, None, state, tuple(days))
    left = [d for d in extended(forecast, last_day) if data_until < d.day <= last_day]
    if [d.day for d in left] != _days(data_until + _DAY, last_day):
        state = "crossed" if over else "no_forecast"
        return BurnDown(spent, None, None, None, None, crossed_on, None, None, state, tuple(days))
    ahead = [d for d in left if d.day >= first_day]
    totals = float(spent) + np.cumsum(daily_paths(left, errors)[:, -len(ahead) :], axis=1)
    ends_over = totals[:, -1] > float(amount)
    probability = float(ends_over.mean())
    by_day = (np.maximum.accumulate(totals > float(amount), axis=1) & ends_over[:, None]).mean(axis=0)
    lows, highs = np.quantile(totals, [0.1, 0.9], axis=0)
    if days:
        days[-1] = BurnDay(days[-1].day, spent, spent, spent, spent)
    means = _totals(spent, [d.mean for d in ahead])
    for day, mean, low, high in zip(ahead, means, lows, highs, strict=True):
        days.append(BurnDay(day.day, None, mean, min(_cents(low), mean), max(_cents(high), mean)))
    return BurnDown(
        actual=spent,
        expected=means[-1],
        lo_80=days[-1].lo_80,
        hi_80=days[-1].hi_80,
        crossing_probability=probability,
        crossed_on=crossed_on,
        crossing_day=None if over else _first(ahead, by_day >= LIKELY),
        crossing_from=None if over else _first(ahead, by_day >= POSSIBLE),
        state=_state(probability, over=over),
        days=tuple(days),
    )


def extended(forecast: Sequence[DayAhead], last_day: date) -> list[DayAhead]:
    """The forecast, carried on to `last_day` where it ends before.

    A day beyond it costs the mean of its last RECENT_DAYS days; firsts of months, on which much is charged
    at once, are kept apart and cost the mean of its own ones, where it has any. Cents are rounded.
    """
    days = list(forecast)
    if not days or days[-1].day >= last_day:
        return days
    firsts = [d for d in days if d.day.day == 1]
    ordinary = [d for d in days[-RECENT_DAYS:] if d.day.day != 1] or firsts
    for day in _days(days[-1].day + _DAY, last_day):
        like = firsts if day.day == 1 and firsts else ordinary
        mean, low, high = (
            (sum((getattr(d, name) for d in like), Decimal(0)) / len(like)).quantize(_CENT)
            for name in ("mean", "lo_80", "hi_80")
        )
        days.append(DayAhead(day, days[-1].ahead + 1, mean, low, high))
    return days


def daily_paths(days: Sequence[DayAhead], errors: FloatArray) -> FloatArray:
    """What each day may cost, shape (paths, days): the mean and one path's errors; see the module's text.

    A path that ends before the days do keeps its last error. Costs stay on the side of zero that all bands
    are on.
    """
    mean = np.array([float(d.mean) for d in days])
    low = np.array([float(d.lo_80) for d in days])
    high = np.array([float(d.hi_80) for d in days])
    half = np.maximum(high - mean, mean - low)
    column = np.array([d.ahead - 1 for d in days])
    unit = _typical(errors)
    if len(unit) and np.all(unit > 0):
        held = np.minimum(column, len(unit) - 1)
        off = errors[:, held] / unit[held] * half
    else:
        at = (np.arange(_NORMAL_PATHS) + 0.5) / _NORMAL_PATHS
        off = (
            np.array([NormalDist().inv_cdf(float(p)) for p in at])[:, None] / NormalDist().inv_cdf(0.9) * half
        )
    floor = 0.0 if np.all(low >= 0) else -np.inf
    ceiling = 0.0 if np.all(high <= 0) else np.inf
    costs: FloatArray = np.clip(mean + off, floor, ceiling)
    return costs


def _typical(errors: FloatArray) -> FloatArray:
    """What four in five errors of each day ahead stay below, its neighbours' counted in."""
    count = errors.shape[1] if errors.size else 0
    near = [errors[:, max(0, n - _NEIGHBOURS) : n + _NEIGHBOURS + 1] for n in range(count)]
    return np.array([float(np.quantile(np.abs(e), 0.8)) for e in near])


def _running(first: date, last: date, costs: Mapping[date, Decimal]) -> tuple[Decimal, list[BurnDay]]:
    dates = _days(first, last)
    totals = _totals(Decimal(0), [costs.get(day, Decimal(0)) for day in dates])
    days = [BurnDay(day, total, None, None, None) for day, total in zip(dates, totals, strict=True)]
    return totals[-1] if totals else Decimal(0), days


def _totals(start: Decimal, amounts: Sequence[Decimal]) -> list[Decimal]:
    """Running totals from `start` on, every digit kept: Python's own 28 digits would round large ones."""
    with localcontext(prec=60):
        return list(accumulate(amounts, initial=start))[1:]


def _exceeded_since(days: Sequence[BurnDay], amount: Decimal) -> date | None:
    since = None
    for day in days:
        if day.actual is None or day.actual <= amount:
            since = None
        elif since is None:
            since = day.day
    return since


def _first(days: Sequence[DayAhead], reached: BoolArray) -> date | None:
    return days[int(np.argmax(reached))].day if reached.any() else None


def _state(probability: float, *, over: bool) -> State:
    if over:
        return "crossed"
    if probability >= LIKELY:
        return "will_cross"
    return "at_risk" if probability >= POSSIBLE else "on_track"


def _cents(value: float) -> Decimal:
    return Decimal(str(round(value, 2)))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _months_on(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)
