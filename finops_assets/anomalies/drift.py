"""Slow drift: a level that creeps away by steps too small for any single day to stand out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from finops_assets.anomalies.panel import FloatArray
from finops_assets.anomalies.residuals import WEEK

SPAN = 28
"""A week's median is held against the one of so many days before."""

LEAST_CHANGE = 0.15
"""A drift changes the level by this much in `SPAN` days, beyond the usual growth."""

LARGEST_STEP = 0.6
"""One week may hold at most this share of a drift's change; else it is a new level."""

_PAST = 180
_FLOOR = 0.02
_SIGMA_PER_MAD = 1.4826


@dataclass(frozen=True)
class Drift:
    """Days × series: the change of level in robust standard deviations, zero where it is no drift.

    `usual` is the level `SPAN` days ago carried on with the growth that was usual until then.
    """

    z: FloatArray
    usual: FloatArray


def drift_statistic(costs: pd.DataFrame) -> Drift:
    """The logarithmic change of the weekly median over four weeks, less the usual growth.

    Spread and growth are those of the half year before the four weeks, so that a drift does not hide
    itself. Series around zero have no logarithm and do not drift.
    """
    weekly = costs.rolling(WEEK, min_periods=5).median()
    log = weekly.where(weekly > 0.01).apply(np.log)
    change = log - log.shift(SPAN)
    past = change.shift(SPAN)
    growth = past.rolling(_PAST, min_periods=SPAN).median()
    spread = (past - growth).abs().rolling(_PAST, min_periods=SPAN).median() * _SIGMA_PER_MAD
    beyond = change - growth
    steps = np.stack([(log - log.shift(WEEK)).shift(WEEK * k).to_numpy() for k in range(SPAN // WEEK)])
    direction = np.sign(beyond.to_numpy())
    creeping = ((steps * direction) > 0).sum(axis=0) >= SPAN // WEEK - 1
    even = np.abs(steps).max(axis=0) <= LARGEST_STEP * np.abs(change.to_numpy())
    size = beyond.to_numpy()
    z = size / (spread.to_numpy() + _FLOOR)
    usual = np.exp((log.shift(SPAN) + growth).to_numpy())
    holds = creeping & even & (np.abs(size) >= LEAST_CHANGE) & np.isfinite(z)
    return Drift(np.where(holds, z, 0.0), usual)
