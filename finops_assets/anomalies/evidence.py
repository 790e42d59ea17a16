"""All that speaks for a day being odd, as one score and its p-value.

Looks at a series' residual (the day, and the sums of the last two, three and seven) each get a conformal
p-value, apart for what is above and below; the smallest counts, so many looks considered. The forest's
extremeness across the fleet is another voice, a quarter of the weight. What they come to is ranked among
the fleet's ordinary days again, which makes it a p-value: of ordinary days, the share p looks as odd.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from finops_assets.anomalies.conformal import nonconformity, p_values
from finops_assets.anomalies.isolation import isolation_scores
from finops_assets.anomalies.panel import BoolArray, FloatArray, Panel
from finops_assets.anomalies.residuals import WEEK, Residuals

WINDOWS = (1, 2, 3, 7)
"""Days that a look adds up."""

LEAST_SIZE = 4.0
"""A look below so many robust standard deviations is not odd, however calm the fleet is."""

FOREST_WEIGHT = 0.25
_LASTING_DAYS = 4
"""So many large days of a week are a new level, or the beginning of one."""

CANDIDATE_P = 0.02
"""Below this the forest is asked."""


@dataclass(frozen=True)
class Evidence:
    """Days × series: how odd (NaN where not judged), which side, the days and size of the oddest look."""

    oddness: FloatArray
    side: FloatArray
    window: npt.NDArray[np.int64]
    size: FloatArray

    def p(self, ordinary: BoolArray | None = None) -> FloatArray:
        """The p-value of each day, ranked among the days that are ordinary (all, if not said)."""
        p = p_values(self.oddness, ordinary)
        return np.where(self.size >= LEAST_SIZE, p, np.maximum(p, CANDIDATE_P))


def gather(panel: Panel, residuals: Residuals) -> Evidence:
    """The evidence of every day of the panel; causal but for the fleet's own ranks."""
    edges = np.broadcast_to((panel.is_month_start | panel.is_month_end)[:, None], residuals.z.shape)
    lasting = _lasting(residuals.z)
    looks, totals = [], []
    for window in WINDOWS:
        total = _look(residuals.z, window)
        above, below = (_conformal(side * total, edges, lasting) for side in (1, -1))
        looks.append(np.where(total > 0, above, below))
        totals.append(total)
    stacked = np.nan_to_num(np.stack(looks), nan=1.0)
    best = stacked.argmin(axis=0)
    least = stacked.min(axis=0)
    oddest = np.take_along_axis(np.stack(totals), best[None], axis=0)[0]
    candidates = np.argwhere(least < CANDIDATE_P)
    forest = np.zeros_like(least)
    forest[tuple(candidates.T)] = isolation_scores(panel, residuals, candidates.astype(np.float64))
    surprise = -np.log10(least)
    together = (1 - FOREST_WEIGHT) * surprise + FOREST_WEIGHT * np.maximum(surprise, 1.0) * 2 * forest
    oddness = np.where(np.isfinite(residuals.z), together, np.nan)
    return Evidence(oddness, np.sign(oddest), np.asarray(WINDOWS)[best], np.abs(oddest))


def _look(z: FloatArray, window: int) -> FloatArray:
    """Sums of so many days over the root of their number; one day may not make up all of a sum."""
    if window == 1:
        return z
    capped = pd.DataFrame(np.clip(z, -6, 6))
    return np.asarray((capped.rolling(window, min_periods=window).sum() / np.sqrt(window)).to_numpy())


def _lasting(z: FloatArray) -> BoolArray:
    """Days amid many large ones to one side: a new level is no part of how large a series' noise gets."""
    lasting = np.zeros(z.shape, dtype=np.bool_)
    for side in (1, -1):
        large = pd.DataFrame(np.nan_to_num(side * z) >= LEAST_SIZE).astype(np.float64)
        amid = large.rolling(WEEK, center=True, min_periods=1).sum() >= _LASTING_DAYS
        lasting |= (amid.astype(np.float64).rolling(WEEK, center=True, min_periods=1).max() > 0).to_numpy()
    return lasting


def _conformal(sizes: FloatArray, edges: BoolArray, lasting: BoolArray) -> FloatArray:
    ordinary = nonconformity(np.where(edges, np.nan, sizes), lasting)
    # A year has twelve month starts and ends: their own history is short, and the fleet's weighs more.
    charged = nonconformity(np.where(edges, sizes, np.nan))
    return np.where(edges, p_values(charged), p_values(ordinary))
