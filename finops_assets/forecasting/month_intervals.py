"""Conformal bands of months: how far months so far ahead were off in the backtest by month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pandas as pd

from finops_assets.forecasting.day_paths import POOLS, breadth
from finops_assets.forecasting.history import FloatArray, IntArray
from finops_assets.forecasting.intervals import COVERAGES, band, conformal_quantile

BUCKETS = (3, 6)
"""Last month of the first and of the second bucket of months ahead; the third has no end."""

_REACH = (3, 6, 12)
MIN_RESIDUALS = 40
"""Fewer residuals than this say too little about a 95% quantile: a wider pool is asked."""

_UNKNOWN = np.array([3.0, 6.0])
"""Half widths in scales where no backtest was possible at all; they grow with the root of the months."""

_Widths = dict[tuple[object, ...], FloatArray]


@dataclass(frozen=True)
class MonthBands:
    """Half widths by pool and bucket of months ahead, in scales."""

    pools: Mapping[tuple[str, ...], _Widths] = field(default_factory=dict)

    def half_widths(self, key: Mapping[str, object], steps: IntArray) -> FloatArray:
        """Half widths for 80% and 95%, shape (2, steps), never narrower further ahead.

        `key` has level, metric, currency and model. Beyond what was measured they grow with the root of the
        months ahead.
        """
        values = {**key, "breadth": breadth(str(key["level"]))}
        by_bucket = [self._widths(values, bucket) for bucket in range(len(_REACH))]
        reached, widest = 0, np.zeros(2)
        widths = []
        for bucket, found in enumerate(by_bucket):
            if found is not None:
                reached, widest = _REACH[bucket], np.maximum(widest, found)
            widths.append(widest)
        made = np.stack(widths)[bucket_of(steps)]
        if not reached:
            return np.outer(_UNKNOWN, np.sqrt(steps))
        grown: FloatArray = (made * np.sqrt(np.maximum(steps / reached, 1.0))[:, None]).T
        return grown

    def _widths(self, values: Mapping[str, object], bucket: int) -> FloatArray | None:
        for pool in POOLS:
            found = self.pools.get(pool, {}).get((*(values[c] for c in pool), bucket))
            if found is not None:
                return found
        return None


def bucket_of(steps: IntArray) -> IntArray:
    """0, 1 or 2: which bucket of months ahead a step (1, 2, …) is in."""
    return np.searchsorted(np.asarray(BUCKETS), steps, side="left").astype(np.int64)


def calibrate_months(errors: pd.DataFrame) -> MonthBands:
    """Learn half widths from errors (see `MonthBacktest.errors` for the columns)."""
    scored = pd.DataFrame(
        {
            **{c: errors[c] for c in ("level", "metric", "currency", "model")},
            "breadth": errors["level"].astype(object).map(breadth),
            "bucket": bucket_of(errors["step"].to_numpy()),
        }
    )
    residuals = ((errors["actual"] - errors["mean"]).abs() / errors["scale"]).to_numpy()
    pools: dict[tuple[str, ...], _Widths] = {}
    for pool in POOLS:
        groups = cast(
            "dict[tuple[object, ...], IntArray]",
            scored.groupby([*pool, "bucket"], sort=False, observed=True).indices,
        )
        pools[pool] = {
            key: np.array([conformal_quantile(residuals[rows], c) for c in COVERAGES])
            for key, rows in groups.items()
            if len(rows) >= MIN_RESIDUALS
        }
    return MonthBands(pools)


def with_month_coverage(errors: pd.DataFrame) -> pd.DataFrame:
    """The errors with `inside_80` and `inside_95`: whether an honest band held the actual.

    Each origin is judged by bands that were made of the other origins only; NaN where there is no other.
    """
    judged = errors.assign(inside_80=np.nan, inside_95=np.nan)
    names = ["level", "metric", "currency", "model"]
    for window in sorted(errors["window"].unique()):
        mine = errors[errors["window"] == window]
        bands = calibrate_months(errors[errors["window"] != window])
        if not any(bands.pools.values()):
            continue
        for key, group in mine.groupby(names, sort=False, observed=True):
            widths = bands.half_widths(dict(zip(names, key, strict=True)), group["step"].to_numpy())
            for column, width in zip(("inside_80", "inside_95"), widths, strict=True):
                low, high = band(group["mean"], width * group["scale"], group["low"], group["high"])
                actual = group["actual"].to_numpy()
                # Half a cent: bands are stored in cents.
                inside = (actual >= low - 0.005) & (actual <= high + 0.005)
                judged.loc[group.index, column] = inside.astype(np.float64)
    return judged
