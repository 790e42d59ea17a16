"""One-off days taken out of a history before a fit: a refund or a spike says nothing about next month."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from finops_assets.forecasting.history import BoolArray, FloatArray, History

_WEEKS_AROUND = 4
_SIGMAS = 6.0
_SIGMA_PER_MAD = 1.4826
_RELATIVE_FLOOR = 0.25
_LONGEST = 2
"""More odd days than this in a row are no one-off: a change that lasts belongs to the history."""

_RARE = 60
"""Odd days that come oftener than once in so many days are part of how the series is."""


def without_one_offs(history: History) -> History:
    """The history with each isolated odd day replaced by what its weekday costs around it.

    A day is odd when it is further from the median of the same weekday within four weeks than six
    robust standard deviations of the series, and than a quarter of its usual size. At most two odd
    days in a row are replaced, and none where odd days are common. The last two days stay: whether a
    change lasts cannot be seen yet, unless they are beyond anything (five times that bound).
    """
    values = history.values
    if len(values) < 4 * 7:
        return history
    usual = _usual(values)
    residual = values - usual
    sigma = _SIGMA_PER_MAD * float(np.median(np.abs(residual)))
    size = float(np.median(np.abs(usual)))
    bound = max(_SIGMAS * sigma, _RELATIVE_FLOOR * size, 0.01)
    odd = np.abs(residual) > bound
    odd[-_LONGEST:] &= np.abs(residual[-_LONGEST:]) > 5 * bound
    odd = _short_runs(odd)
    if not odd.any() or odd.sum() > max(1, len(values) // _RARE):
        return history
    return history.with_values(np.where(odd, usual, values))


def _usual(values: FloatArray) -> FloatArray:
    """The median of the same weekday within four weeks, the day itself left out."""
    reach = 7 * _WEEKS_AROUND
    padded = np.pad(values, reach, constant_values=np.nan)
    windows = sliding_window_view(padded, 2 * reach + 1)[:, ::7]
    others = np.delete(windows, _WEEKS_AROUND, axis=1)
    median: FloatArray = np.nanmedian(others, axis=1)
    return median


def _short_runs(odd: BoolArray) -> BoolArray:
    """Only the runs of True that are at most `_LONGEST` days long."""
    edges = np.flatnonzero(np.diff(np.r_[False, odd, False].astype(np.int8)))
    kept = np.zeros(len(odd), dtype=np.bool_)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        kept[start:end] = end - start <= _LONGEST
    return kept
