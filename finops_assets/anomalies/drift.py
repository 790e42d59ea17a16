"""Slow drift: a level that creeps away by steps too small for any single day to stand out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from finops_assets.anomalies.panel import FloatArray
from finops_assets.anomalies.residuals import WEEK

SPAN = 28
"""A level is held against the one of so many days before."""

LOOKS = ((WEEK, SPAN), (2 * WEEK, 2 * SPAN))
"""Days that a level is the median of, and days that it is held against: longer ones for noisier series."""

LEAST_CHANGE = 0.15
"""A drift changes the level by this much, beyond the usual growth."""

LARGEST_STEP = 0.6
"""A quarter of the days may hold at most this share of a drift's change; else it is a new level."""

_PAST = 180
_FLOOR = 0.02
_SIGMA_PER_MAD = 1.4826


@dataclass(frozen=True)
class Drift:
    """Days × series: the change of level in robust standard deviations, zero where it is no drift.

    `usual` is the level before carried on with the growth that was usual until then.
    """

    z: FloatArray
    usual: FloatArray
    span: FloatArray


def drift_statistic(costs: pd.DataFrame) -> Drift:
    """The logarithmic change of the level less the usual growth, by the look that it is largest in.

    Spread and growth are those of the half year before the days looked at, so that a drift does not hide
    itself. Series around zero have no logarithm and do not drift.
    """
    weekly = _log_level(costs, WEEK)
    step = (weekly - weekly.shift(WEEK)).abs()
    looks = [_look(_log_level(costs, window), step, span) for window, span in LOOKS]
    best = np.stack([np.abs(look.z) for look in looks]).argmax(axis=0)[None]
    z, usual, span = (
        np.take_along_axis(np.stack([getattr(look, part) for look in looks]), best, axis=0)[0]
        for part in ("z", "usual", "span")
    )
    return Drift(z, usual, span)


def _log_level(costs: pd.DataFrame, window: int) -> pd.DataFrame:
    level = costs.rolling(window, min_periods=window - 2).median()
    return level.where(level > 0.01).apply(np.log)


def _look(log: pd.DataFrame, weekly_step: pd.DataFrame, span: int) -> Drift:
    change = log - log.shift(span)
    past = change.shift(span)
    growth = past.rolling(_PAST, min_periods=SPAN).median()
    spread = (past - growth).abs().rolling(_PAST, min_periods=SPAN).median() * _SIGMA_PER_MAD
    size = (change - growth).to_numpy()
    quarter = span // 4
    steps = np.stack([(log - log.shift(quarter)).shift(quarter * k).to_numpy() for k in range(4)])
    creeping = ((steps * np.sign(size)) > 0).sum(axis=0) >= 3
    largest = weekly_step.rolling(span - WEEK + 1, min_periods=1).max().to_numpy()
    even = largest <= LARGEST_STEP * np.abs(change.to_numpy())
    z = size / (spread.to_numpy() + _FLOOR)
    holds = creeping & even & (np.abs(size) >= LEAST_CHANGE) & np.isfinite(z)
    usual = np.exp((log.shift(span) + growth).to_numpy())
    return Drift(np.where(holds, z, 0.0), usual, np.full(z.shape, span, dtype=np.float64))
