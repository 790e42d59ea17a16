"""Conformal p-values: how unusual a residual is beside those that were seen before.

A residual's nonconformity is its size over the 95th percentile of its series' past year on the same side,
and beyond that over how far its series' large ones usually go; both are shrunk towards the fleet's where
the past is short (normalized conformal prediction: Papadopoulos et al. 2002). The p-value is its rank
among the fleet's ordinary days; beyond their 98th percentile the rank is too coarse, and a generalized
Pareto tail goes on (peaks over threshold: Siffer et al. 2017).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from finops_assets.anomalies.panel import BoolArray, FloatArray

QUANTILE = 0.95
SHRINKAGE = 60.0
"""The fleet weighs as much as so many days of a series' own."""

TAIL_SHRINKAGE = 8.0
"""Of how far large ones go, as much as so many large ones of a series' own."""

MEMORY = 365

_MOST_EXCESS = 6.0
"""An anomaly of the past counts as no more than so many usual excesses."""

_NEAR, _FAR = 0.10, 0.02
"""The tail begins where the second share of days lies beyond."""

_HEAVIEST = 0.5
_LEAST_P = 1e-12


def nonconformity(sizes: FloatArray, but: BoolArray | None = None) -> FloatArray:
    """Each size (days × series, NaN where none) beside the large ones of its series until then.

    `sizes` are those of one side: the other side's are negative. One is the 95th percentile; beyond it, the
    usual excess of the series counts as much as the fleet's. Days in `but` are no part of any past.
    """
    known = sizes if but is None else np.where(but, np.nan, sizes)
    frame = pd.DataFrame(known)
    past = frame.rolling(MEMORY, min_periods=14).quantile(QUANTILE).shift(1).to_numpy()
    count = frame.notna().rolling(MEMORY, min_periods=1).sum().shift(1).fillna(0.0).to_numpy()
    seen = known[np.isfinite(known)]
    fleet = max(float(np.quantile(seen, QUANTILE)), 0.0) if len(seen) else 1.0
    own = np.where(np.isfinite(past), np.maximum(past, 0.0), fleet)
    weight = np.where(np.isfinite(past), count, 0.0)
    ordinary = (weight * own + SHRINKAGE * fleet) / (weight + SHRINKAGE)
    divisor = np.maximum(ordinary, 1e-9)
    return _beyond_usual_excess(sizes / divisor, known / divisor)


def _beyond_usual_excess(relative: FloatArray, known: FloatArray) -> FloatArray:
    excess = np.where(known > 1, known - 1, np.nan)
    if not np.isfinite(excess).any():
        return relative
    # An exponential's mean by its median: the anomalies do not move it.
    usual = max(float(np.nanmedian(excess)) / np.log(2), 1e-9)
    past = pd.DataFrame(np.minimum(excess, _MOST_EXCESS * usual)).rolling(MEMORY, min_periods=1)
    total = past.sum().shift(1).fillna(0.0).to_numpy()
    count = past.count().shift(1).fillna(0.0).to_numpy()
    own = (total + TAIL_SHRINKAGE * usual) / (count + TAIL_SHRINKAGE)
    return np.where(relative > 1, 1 + (relative - 1) * usual / own, relative)


def p_values(scores: FloatArray, among: BoolArray | None = None) -> FloatArray:
    """The share of ordinary days whose score is as large; NaN stays NaN.

    `among` are the days that are known to be ordinary. Within them the p-values are uniform, which a test
    holds them to, and the tail is fitted to all of its scores. When nothing is known, the anomalies are among
    the days: then the tail is an exponential through two quantiles that they do not reach.
    """
    seen = scores[np.isfinite(scores) & (among if among is not None else True)]
    if len(seen) == 0:
        return np.full_like(scores, np.nan)
    ranked = np.sort(seen)
    above = len(ranked) - np.searchsorted(ranked, scores, side="left")
    p = np.asarray((above + 1) / (len(ranked) + 1), dtype=np.float64)
    near, far = np.quantile(ranked, [1 - _NEAR, 1 - _FAR])
    if far > near:
        shape, scale = 0.0, float(far - near) / float(np.log(_NEAR / _FAR))
        if among is not None:
            shape, scale = _pareto(ranked[ranked > far] - far)
        beyond = np.maximum(np.nan_to_num(scores) - far, 0.0) / scale
        tail = np.exp(-beyond) if shape == 0 else (1 + shape * beyond) ** (-1 / shape)
        p = np.where(scores > far, _FAR * tail, p)
    return np.where(np.isfinite(scores), np.clip(p, _LEAST_P, 1.0), np.nan)


def _pareto(excess: FloatArray) -> tuple[float, float]:
    """Shape (0, an exponential, or heavier) and scale by probability-weighted moments (Hosking, Wallis 1987).

    `excess` is sorted and above zero.
    """
    count = len(excess)
    mean = float(excess.mean())
    weighted = float((excess * (count - 1 - np.arange(count))).sum()) / (count * max(1, count - 1))
    heavy = 2 - mean / (mean - 2 * weighted) if mean > 2 * weighted else _HEAVIEST
    shape = min(_HEAVIEST, max(0.0, heavy))
    return shape, mean * (1 - shape)
