"""The daily backtest as whole paths: what the sum of some days ahead was off by.

A month's total is a sum of days, and errors of neighbouring days go together. So its band is not made of
the days' bands: it is a quantile of how far past sums of the same days ahead were off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from finops_assets.forecasting.history import BoolArray, FloatArray, IntArray
from finops_assets.forecasting.intervals import COVERAGES, conformal_quantile

MIN_SUMS = 20
"""Fewer past sums than this say too little about a 95% quantile: a wider pool is asked."""

POOLS: tuple[tuple[str, ...], ...] = (
    ("level", "metric", "currency", "model"),
    ("level", "model"),
    ("breadth", "model"),
    ("model",),
)
"""Whose errors are pooled: those of the same kind first, then those of ever more."""


def breadth(level: str) -> str:
    """Totals and providers, whose ups and downs even out, apart from everything under them."""
    return "broad" if level in {"total", "provider"} else "narrow"


@dataclass(frozen=True)
class DayPaths:
    """One row a series, origin and model.

    `facts` has level, breadth, metric, currency, series, window, model, length (days ahead) and scale.
    `error` and `actual` are running sums of mean - actual and of actual over the days ahead, shape
    (paths, 1 + days ahead): the sum of days a to b is [b] - [a - 1]; NaN beyond a path's length.
    """

    facts: pd.DataFrame
    error: FloatArray
    actual: FloatArray
    _places: dict[tuple[str, ...], Mapping[tuple[object, ...], IntArray]] = field(default_factory=dict)

    def half_widths(self, key: Mapping[str, object], first: int, last: int) -> tuple[float, ...] | None:
        """Half widths for 80% and 95% of the sum of days `first` to `last`, in scales of the series.

        `key` has level, metric, currency and model. None where too few past paths reach so far.
        """
        return self.widths_among(np.ones(len(self.facts), dtype=np.bool_), key, first, last)

    def widths_among(
        self, usable: BoolArray, key: Mapping[str, object], first: int, last: int
    ) -> tuple[float, ...] | None:
        """`half_widths` from the paths that are `usable` only."""
        if last >= self.error.shape[1]:
            return None
        values = {**key, "breadth": breadth(str(key["level"]))}
        scale = self.facts["scale"].to_numpy()
        for pool in POOLS:
            rows = self._pool(pool).get(tuple(values[c] for c in pool))
            if rows is None:
                continue
            rows = rows[usable[rows]]
            off = np.abs(self.error[rows, last] - self.error[rows, first - 1]) / scale[rows]
            off = off[np.isfinite(off)]
            if len(off) >= MIN_SUMS:
                return tuple(conformal_quantile(off, c) for c in COVERAGES)
        return None

    def _pool(self, pool: tuple[str, ...]) -> Mapping[tuple[object, ...], IntArray]:
        if pool not in self._places:
            found = self.facts.groupby(list(pool), sort=False, observed=True).indices
            self._places[pool] = {
                k if isinstance(k, tuple) else (k,): np.asarray(v, dtype=np.int64) for k, v in found.items()
            }
        return self._places[pool]


def day_paths(errors: pd.DataFrame) -> DayPaths:
    """The paths of a backtest's errors (`backtest.backtest` for the columns), in its order of rows."""
    step = errors["step"].to_numpy().astype(np.int64)
    starts = np.flatnonzero(step == 1)
    lengths = np.diff(np.r_[starts, len(step)])
    days = int(lengths.max()) if len(lengths) else 0
    names = ["level", "metric", "currency", "series", "window", "model", "scale"]
    facts = errors.iloc[starts][names].reset_index(drop=True)
    for column in ("level", "metric", "currency", "model"):
        facts[column] = facts[column].astype(str)
    facts["breadth"] = facts["level"].map(breadth)
    facts["length"] = lengths
    row = np.repeat(np.arange(len(starts)), lengths)

    def running(values: pd.Series) -> FloatArray:
        wide = np.full((len(starts), days + 1), np.nan)
        wide[:, 0] = 0.0
        wide[row, step] = values.to_numpy()
        summed: FloatArray = np.cumsum(wide, axis=1)
        return summed

    return DayPaths(facts, running(errors["mean"] - errors["actual"]), running(errors["actual"]))


def last_steps(days: Sequence[np.datetime64], lengths: IntArray) -> IntArray:
    """Of each origin's first day ahead: how many days are left in its month, 0 where the path is shorter."""
    first = np.asarray(days, dtype="datetime64[D]")
    end = (first.astype("datetime64[M]") + 1).astype("datetime64[D]")
    left = (end - first).astype(np.int64)
    return np.where(left <= lengths, left, 0)
