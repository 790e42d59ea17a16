"""All that speaks for a day being odd, as one p-value.

Three looks at a series' residual (the day, the last three days, the last seven) each get a conformal
p-value; the smallest counts, so many looks considered. The forest's extremeness across the fleet is a
fourth voice, a quarter of the weight. What they come to is ranked among the fleet's ordinary days again,
which makes it a p-value: of ordinary days, the share p looks as odd.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from finops_assets.anomalies.conformal import nonconformity, p_values
from finops_assets.anomalies.isolation import isolation_scores
from finops_assets.anomalies.panel import FloatArray, Panel
from finops_assets.anomalies.residuals import Residuals

WINDOWS = (1, 3, 7)
"""Days that a look adds up."""

LEAST_SIZE = 4.0
"""A look below so many robust standard deviations is not odd, however calm the fleet is."""

FOREST_WEIGHT = 0.25
CANDIDATE_P = 0.02
"""Below this the forest is asked."""


@dataclass(frozen=True)
class Evidence:
    """Days × series: the p-value (NaN where not judged), the side, and the days the oddest look spans."""

    p: FloatArray
    side: FloatArray
    window: npt.NDArray[np.int64]


def gather(panel: Panel, residuals: Residuals) -> Evidence:
    """The evidence of every day of the panel; causal but for the fleet's own ranks."""
    edges = np.broadcast_to((panel.is_month_start | panel.is_month_end)[:, None], residuals.z.shape)
    looks, totals = [], []
    for window in WINDOWS:
        total = _look(residuals.z, window)
        looks.append(_conformal(np.abs(total), edges))
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
    judged = np.isfinite(residuals.z)
    p = p_values(np.where(judged, together, np.nan))
    p = np.where(np.abs(oddest) >= LEAST_SIZE, p, np.maximum(p, CANDIDATE_P))
    return Evidence(p, np.sign(oddest), np.asarray(WINDOWS)[best])


def _look(z: FloatArray, window: int) -> FloatArray:
    """Sums of so many days over the root of their number; one day may not make up all of a sum."""
    if window == 1:
        return z
    capped = pd.DataFrame(np.clip(z, -6, 6))
    return np.asarray((capped.rolling(window, min_periods=window).sum() / np.sqrt(window)).to_numpy())


def _conformal(sizes: FloatArray, edges: npt.NDArray[np.bool_]) -> FloatArray:
    ordinary = nonconformity(np.where(edges, np.nan, sizes))
    # A year has twelve month starts and ends: their own history is short, and the fleet's weighs more.
    charged = nonconformity(np.where(edges, sizes, np.nan))
    return np.where(edges, p_values(charged), p_values(ordinary))
