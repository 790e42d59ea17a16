"""A robust seasonal residual: what a day cost beside what its own recent past says.

Only earlier days are looked at, so a day's residual does not change when later days arrive. Medians
throughout: one odd day leaves no trace in the expectation of the next ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from finops_assets.anomalies.panel import BoolArray, FloatArray, Panel

WEEK = 7
LEVEL_DAYS = 21
"""The level is the median of three weeks, so a shift becomes the new normal after eleven days."""

WARM_UP = 5 * WEEK
"""Days of history before a day can be judged."""

_SIGMA_PER_MAD = 1.4826
_SIGMA_PER_MEAN = 1.2533
"""The standard deviation of a normal variable over its median and its mean absolute deviation."""

_STANDSTILL = 0.1
"""A weekday below this share of its neighbours says nothing about the level."""

_LARGEST_FACTOR = 10.0
_SPREAD_DAYS = 12 * WEEK
_CAP = 4.0
_LARGEST_TREND = 0.05
_RELATIVE_FLOOR = 0.02
_MONTH_CHARGE_MEMORY = 3

_SHAPELESS = 4 * WEEK
"""So long there is no weekday shape, and residuals say nothing of the usual ones."""

_LEAST_LEVEL = 0.25
"""A residual is a share of the level, or of so much of the usual cost where the level is lower still."""

_LEAST_FLEET = 10
"""So many series have a median that one of them does not move."""

_MOST_COMMON = 2.5
"""A move of the whole fleet explains no more than so many standard deviations of a series."""


@dataclass(frozen=True)
class Residuals:
    """Days × series each: the residual in money, in robust standard deviations, and the level.

    NaN where a day cannot be judged: no five weeks of history yet, or the first month start or end in it.
    """

    residual: FloatArray
    z: FloatArray
    level: FloatArray

    def expected(self, costs: FloatArray) -> FloatArray:
        """What each day would have cost."""
        return costs - self.residual


def seasonal_residuals(panel: Panel) -> Residuals:
    """Level, weekday, slow trend and the charges of month starts and ends taken out of every series.

    The scale is the larger of the median and the mean absolute residual of the last twelve weeks, both as
    shares of the level: bursts that a series often has are not news. At least 2%. What the whole fleet did
    that day is taken out of z, not of the residual in money.
    """
    costs = panel.costs
    firsts, lasts = panel.is_month_start, panel.is_month_end
    edges = firsts | lasts
    ordinary = costs.mask(np.broadcast_to(firsts[:, None], costs.shape))

    weekday = _weekday_shape(ordinary)
    level = _trailing_median(weekday.removed_from(ordinary), LEVEL_DAYS)
    raw = costs - weekday.applied_to(level)
    trend = _trailing_median(raw.mask(_rows(edges, raw)), 4 * WEEK).fillna(0.0)
    # Growth moves a level little while its median lags behind; what is more is no growth but news.
    most = _LARGEST_TREND * weekday.applied_to(level).abs()
    trend = trend.where(trend <= most, most).where(trend >= -most, -most)
    residual = raw - trend
    spread = _spread(residual.mask(_rows(edges, residual)))
    repeated = _repeated_every_month(residual, spread)
    charge = _month_charge(residual, firsts).fillna(_month_charge(residual, lasts))
    residual = (residual - repeated).mask(_rows(edges, residual), residual - charge)

    level_now = weekday.applied_to(level) + trend
    z = _standardized(costs, residual, level_now, charge, edges)
    young = costs.notna().cumsum() <= WARM_UP
    return Residuals(
        residual=residual.mask(young).to_numpy(), z=z.mask(young).to_numpy(), level=level_now.to_numpy()
    )


def _standardized(
    costs: pd.DataFrame, residual: pd.DataFrame, level: pd.DataFrame, charge: pd.DataFrame, edges: BoolArray
) -> pd.DataFrame:
    """Residuals as shares of the level, in standard deviations of such shares.

    Shares, as the noise of a bill grows with it: after a shift the past still says how much is usual.
    """
    usual = costs.abs().rolling(_SPREAD_DAYS, min_periods=WEEK).mean().shift(1)
    size = _larger(level.abs(), _LEAST_LEVEL * usual).clip(lower=0.01)
    share = residual / size
    on_edge = _rows(edges, share)
    ordinary = share.mask(on_edge | (costs.notna().cumsum() <= _SHAPELESS))
    floor = pd.DataFrame(_RELATIVE_FLOOR, index=share.index, columns=share.columns)
    # Charges of the month are a share of the bill: they vary with it, not with the daily noise.
    floor = floor.mask(on_edge, floor + 0.1 * charge.abs() / size)
    scale = _larger(_spread(ordinary), floor)
    return _without_common(share / scale, ordinary / scale)


def _without_common(z: pd.DataFrame, ordinary: pd.DataFrame) -> pd.DataFrame:
    """What is left of each series once it is known how the others did that day.

    The median of the fleet, as far as a series has followed it in the past half year: weather and demand
    move many together. More than a large ordinary move is never explained away, as that is news.
    """
    if z.shape[1] < _LEAST_FLEET:
        return z
    common = ordinary.median(axis=1).clip(-_MOST_COMMON, _MOST_COMMON).fillna(0.0)
    past = ordinary.clip(-_CAP, _CAP)

    # Independent series have a median too, of little size: the constant keeps it from being followed.
    followed = _usual(past.mul(common, axis=0)).div(_usual(common.to_frame() ** 2)[0] + 0.05, axis=0)
    part = followed.clip(0.0, 1.5).fillna(0.0).mul(common, axis=0)
    left = (_usual((past - part) ** 2) / _usual(past**2)).clip(0.5, 1.0).fillna(1.0)
    explained = (z - part) / left**0.5
    # The others explain a move, wholly or in part; that they moved and a series did not is no news of it.
    return z.where(~(z * part > 0), explained.where(z * explained > 0, 0.0))


def _usual(values: pd.DataFrame) -> pd.DataFrame:
    """The mean of the last half year."""
    return values.rolling(2 * _SPREAD_DAYS, min_periods=4 * WEEK).mean().shift(1)


@dataclass(frozen=True)
class _WeekdayShape:
    """How a weekday differs from the days around it: by a factor, or else by an amount.

    A factor keeps its meaning when the level shifts. A series around zero has none: there the
    amount is used.
    """

    factor: pd.DataFrame
    amount: pd.DataFrame

    def removed_from(self, costs: pd.DataFrame) -> pd.DataFrame:
        """Costs as if every day were an ordinary one; NaN on weekdays that (nearly) stand still."""
        divided = costs / self.factor.where(self.factor >= _STANDSTILL)
        return divided.where(self.factor.notna(), costs - self.amount)

    def applied_to(self, level: pd.DataFrame) -> pd.DataFrame:
        """What the weekday costs at that level."""
        return (level * self.factor).where(self.factor.notna(), level + self.amount)


def _weekday_shape(ordinary: pd.DataFrame) -> _WeekdayShape:
    """The median of a weekday's last eight differences, and ratios, to the week around each."""
    around = ordinary.rolling(WEEK, min_periods=4, center=True).median()
    factor = _over_last_weeks(ordinary / around.where(around.abs() >= 0.01))
    amount = _over_last_weeks(ordinary - around)
    return _WeekdayShape(factor.where((factor >= 0) & (factor <= _LARGEST_FACTOR)), amount.fillna(0.0))


def _over_last_weeks(values: pd.DataFrame) -> pd.DataFrame:
    by_weekday = [values.iloc[w::WEEK].rolling(8, min_periods=3).median().shift(1) for w in range(WEEK)]
    return pd.concat(by_weekday).sort_index()


def _trailing_median(values: pd.DataFrame, days: int) -> pd.DataFrame:
    return values.rolling(days, min_periods=days // 2).median().shift(1)


def _spread(residual: pd.DataFrame) -> pd.DataFrame:
    absolute = residual.abs().shift(1)
    median = _SIGMA_PER_MAD * absolute.rolling(_SPREAD_DAYS, min_periods=WEEK).median()
    # An event of the past counts as no more than a large ordinary day.
    capped = absolute.where(~(absolute > _CAP * median), _CAP * median)
    return _larger(median, _SIGMA_PER_MEAN * capped.rolling(_SPREAD_DAYS, min_periods=WEEK).mean())


def _larger(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The larger of each pair; NaN only where `one` is."""
    return one.mask(other > one, other)


def _repeated_every_month(residual: pd.DataFrame, spread: pd.DataFrame) -> pd.DataFrame:
    """The part of a residual that the same day of the last two months also had: a monthly invoice.

    The same day counted from the first of the month, or from its last.
    """
    calendar = pd.DatetimeIndex(residual.index)
    large = residual.where(residual.abs() > 3 * spread, 0.0).fillna(0.0)
    from_first = _repeated(large, pd.Index(calendar.day))
    from_last = _repeated(large, pd.Index(calendar.days_in_month - calendar.day))
    # Counted from the last it explains a charge, but never says that one is missing.
    nearer = (residual - from_last).abs() < (residual - from_first).abs()
    return from_first.where(~(nearer & (large != 0)), from_last)


def _repeated(large: pd.DataFrame, day: pd.Index) -> pd.DataFrame:
    last, one_before = (large.groupby(day).shift(k).fillna(0.0) for k in (1, 2))
    smaller = last.where(last.abs() <= one_before.abs(), one_before)
    return smaller.where(last * one_before > 0, 0.0)


def _month_charge(residual: pd.DataFrame, days: BoolArray) -> pd.DataFrame:
    """What the first (or last) days of months cost beyond ordinary days; NaN on the first one seen.

    The last one or the median of the last three, whichever is nearer: a charge that has changed for
    good is news once, and one odd month start does not make the next one odd.
    """
    charged = residual[days]
    usual = charged.rolling(_MONTH_CHARGE_MEMORY, min_periods=1).median().shift(1)
    last = charged.shift(1)
    charge = usual.mask((charged - last).abs() < (charged - usual).abs(), last)
    return charge.reindex(residual.index)


def _rows(mask: BoolArray, like: pd.DataFrame) -> BoolArray:
    return np.broadcast_to(mask[:, None], like.shape)
