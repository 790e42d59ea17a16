"""Conformal intervals: how far forecasts of this kind were off in the backtest.

Split conformal prediction (Vovk et al. 2005; Lei et al. 2018, "Distribution-Free Predictive
Inference for Regression"): the interval's half width is an empirical quantile of past absolute
errors, here in units of each series' own scale, so that the series of a level can be pooled.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from finops_assets.forecasting.history import FloatArray, IntArray

COVERAGES = (0.80, 0.95)
BUCKETS = (7, 30)
"""Last day of the first and of the second bucket of days ahead; the third has no end."""

MIN_RESIDUALS = 100
"""Fewer residuals than this say too little about a 95% quantile: a wider pool is asked."""

_POOLS: tuple[tuple[str, ...], ...] = (
    ("level", "metric", "currency", "model", "bucket"),
    ("level", "model", "bucket"),
    ("breadth", "model", "bucket"),
    ("model", "bucket"),
)
_UNKNOWN = {0.80: 3.0, 0.95: 6.0}
"""Half widths in scales where no backtest was possible at all; they grow with the root of the weeks."""


def bucket_of(step: IntArray | pd.Series) -> IntArray:
    """0, 1 or 2: which bucket of days ahead a step (1, 2, …) is in."""
    return np.searchsorted(np.asarray(BUCKETS), np.asarray(step), side="left").astype(np.int64)


def conformal_quantile(residuals: FloatArray, coverage: float) -> float:
    """The ⌈(n+1)·coverage⌉-th smallest absolute residual; infinite when n is too small for it."""
    rank = int(np.ceil((len(residuals) + 1) * coverage))
    return float(np.sort(np.abs(residuals))[rank - 1]) if rank <= len(residuals) else float("inf")


@dataclass(frozen=True)
class Calibration:
    """Half widths, in scales, by pool; see `half_widths`."""

    pools: dict[tuple[str, ...], dict[tuple[object, ...], tuple[float, ...]]] = field(default_factory=dict)

    def half_widths(self, level: str, metric: str, currency: str, model: str, steps: IntArray) -> FloatArray:
        """Half widths for 80% and 95%, shape (2, steps), never narrower further ahead."""
        names = {
            "level": level,
            "breadth": _breadth(level),
            "metric": metric,
            "currency": currency,
            "model": model,
        }
        by_bucket = np.array([self._widths(names, b) for b in range(len(BUCKETS) + 1)])
        by_bucket = np.maximum.accumulate(by_bucket, axis=0)
        widths: FloatArray = by_bucket[bucket_of(steps)].T
        return widths

    def _widths(self, names: dict[str, str], bucket: int) -> tuple[float, ...]:
        values: dict[str, object] = {**names, "bucket": bucket}
        for pool in _POOLS:
            found = self.pools.get(pool, {}).get(tuple(values[c] for c in pool))
            if found is not None:
                return found
        weeks = ((*BUCKETS, 90)[bucket] / 7) ** 0.5
        return tuple(_UNKNOWN[c] * weeks for c in COVERAGES)


def calibrate(errors: pd.DataFrame) -> Calibration:
    """Learn half widths from backtest errors (see `backtest.backtest` for the columns)."""
    if errors.empty:
        return Calibration()
    scored = errors.assign(
        residual=(errors["actual"] - errors["mean"]).abs() / errors["scale"],
        bucket=bucket_of(errors["step"]),
        breadth=errors["level"].astype("object").map(_breadth),
    )
    pools: dict[tuple[str, ...], dict[tuple[object, ...], tuple[float, ...]]] = {}
    for pool in _POOLS:
        enough = {}
        for key, group in scored.groupby(list(pool), sort=True, observed=True):
            if len(group) >= MIN_RESIDUALS:
                residuals = group["residual"].to_numpy()
                enough[tuple(key)] = tuple(conformal_quantile(residuals, c) for c in COVERAGES)
        pools[pool] = enough
    return Calibration(pools)


def with_coverage(errors: pd.DataFrame) -> pd.DataFrame:
    """The errors with `inside_80` and `inside_95`: whether an honest interval held the actual.

    Each origin is judged by intervals that were calibrated on the other origins only; null (NaN)
    where there is no other.
    """
    judged = errors.assign(inside_80=np.nan, inside_95=np.nan)
    for window in sorted(errors["window"].unique()):
        others = errors[errors["window"] != window]
        if others.empty:
            continue
        calibration = calibrate(others)
        mine = errors[errors["window"] == window]
        for key, group in mine.groupby(["level", "metric", "currency", "model"], sort=True, observed=True):
            level, metric, currency, model = (str(part) for part in key)
            widths = calibration.half_widths(level, metric, currency, model, group["step"].to_numpy())
            for column, width in zip(("inside_80", "inside_95"), widths, strict=True):
                low, high = band(group["mean"], width * group["scale"], group["low"], group["high"])
                actual = group["actual"].to_numpy()
                # Half a cent: intervals are stored in cents.
                inside = (actual >= low - 0.005) & (actual <= high + 0.005)
                judged.loc[group.index, column] = inside.astype(np.float64)
    return judged


def band(
    mean: FloatArray | pd.Series,
    half_width: FloatArray | pd.Series,
    low: float | pd.Series,
    high: float | pd.Series,
) -> tuple[FloatArray, FloatArray]:
    """(lower, upper) around the mean, inside what the series' sign allows."""
    centre, width = np.asarray(mean), np.asarray(half_width)
    return np.clip(centre - width, low, high), np.clip(centre + width, low, high)


def _breadth(level: str) -> str:
    return "broad" if level in {"total", "provider"} else "narrow"
