"""Conformal p-values: how unusual a residual is beside those that were seen before.

A residual's nonconformity is its size over the 95th percentile of sizes in its own past year, shrunk
towards the fleet's where the past is short (normalized conformal prediction: Papadopoulos et al. 2002).
The p-value is its rank among the fleet's; beyond the 98th percentile the rank is too coarse, and
held down by the anomalies themselves: an exponential tail goes on (peaks over threshold: Siffer et al.
2017). First and last days of a month are ranked among their like.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from finops_assets.anomalies.panel import BoolArray, FloatArray

QUANTILE = 0.95
SHRINKAGE = 60.0
"""The fleet weighs as much as so many days of a series' own."""

MEMORY = 365
_NEAR, _FAR = 0.10, 0.02
"""The tail is fitted between these shares: the anomalies themselves lie beyond it."""

_LEAST_P = 1e-12


def nonconformity(sizes: FloatArray) -> FloatArray:
    """Each size (days × series, NaN where none) over the ordinary largest of its series until then."""
    frame = pd.DataFrame(sizes)
    past = frame.rolling(MEMORY, min_periods=14).quantile(QUANTILE).shift(1).to_numpy()
    count = frame.notna().rolling(MEMORY, min_periods=1).sum().shift(1).fillna(0.0).to_numpy()
    seen = sizes[np.isfinite(sizes)]
    fleet = float(np.quantile(seen, QUANTILE)) if len(seen) else 1.0
    own = np.where(np.isfinite(past), past, fleet)
    weight = np.where(np.isfinite(past), count, 0.0)
    ordinary = (weight * own + SHRINKAGE * fleet) / (weight + SHRINKAGE)
    return np.asarray(sizes / np.maximum(ordinary, 1e-9), dtype=np.float64)


def p_values(scores: FloatArray, among: BoolArray | None = None) -> FloatArray:
    """The share of ordinary days whose score is as large; NaN stays NaN.

    `among` are the days that are ordinary (all by default). Within them the p-values are uniform, which
    a test holds them to.
    """
    seen = scores[np.isfinite(scores) & (among if among is not None else True)]
    if len(seen) == 0:
        return np.full_like(scores, np.nan)
    ranked = np.sort(seen)
    above = len(ranked) - np.searchsorted(ranked, scores, side="left")
    p = np.asarray((above + 1) / (len(ranked) + 1), dtype=np.float64)
    near, far = np.quantile(ranked, [1 - _NEAR, 1 - _FAR])
    if far > near:
        tail = _FAR * np.exp(-np.log(_NEAR / _FAR) * (scores - far) / (far - near))
        p = np.where(scores > far, tail, p)
    return np.where(np.isfinite(scores), np.clip(p, _LEAST_P, 1.0), np.nan)
