"""Conformal intervals: how far forecasts of this kind were off in the backtest.

Split conformal prediction (Vovk et al. 2005; Lei et al. 2018, "Distribution-Free Predictive
Inference for Regression"): the interval's half width is an empirical quantile of past absolute
errors. Errors are counted in a unit of each series' own, so that the series of a level can be pooled:
how far this model was off on this series at other origins, shrunk to what is usual at the level by the
number of these origins. Series that were easy to forecast have narrow bands, then, and the others wide ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from finops_assets.forecasting.history import BoolArray, FloatArray, IntArray

COVERAGES = (0.80, 0.95)
BUCKETS = (7, 30)
"""Last day of the first and of the second bucket of days ahead; the third has no end."""

MIN_RESIDUALS = 100
"""Fewer residuals than this say too little about a 95% quantile: a wider pool is asked."""

_POOLS: tuple[tuple[str, ...], ...] = (
    ("level", "metric", "currency", "model"),
    ("level", "model"),
    ("breadth", "model"),
    ("model",),
)
_USUAL_ORIGINS = 2.0
"""What is usual at the level counts as much as so many origins of the series itself."""

_LEAST_UNIT = 1e-6
_MOST_ROWS = 1_000_000
"""Quantiles of more rows than this are taken from so many of them, drawn by a fixed seed."""

_COUNT = len(BUCKETS) + 1


def bucket_of(step: IntArray | pd.Series) -> IntArray:
    """0, 1 or 2: which bucket of days ahead a step (1, 2, …) is in."""
    return np.searchsorted(np.asarray(BUCKETS), np.asarray(step), side="left").astype(np.int64)


def conformal_quantile(residuals: FloatArray, coverage: float) -> float:
    """The ⌈(n+1)·coverage⌉-th smallest absolute residual; infinite when n is too small for it."""
    rank = int(np.ceil((len(residuals) + 1) * coverage))
    return float(np.sort(np.abs(residuals))[rank - 1]) if rank <= len(residuals) else float("inf")


@dataclass(frozen=True)
class Pool:
    """Of each key of a pool: the mean absolute error in scales, half widths in units, shape (keys, 2), and
    whether it has residuals enough. `key_of` gives the key of each series, model and bucket.
    """

    key_of: IntArray
    usual: FloatArray
    half_widths: FloatArray
    is_enough: BoolArray


@dataclass(frozen=True)
class Calibration:
    """Half widths in scales, shape (buckets, coverages), by (series, model); of what was not in the backtest
    by pool and key. See `half_widths`.
    """

    of_series: Mapping[tuple[int, str], FloatArray] = field(default_factory=dict)
    of_pools: Mapping[tuple[object, ...], FloatArray] = field(default_factory=dict)

    def half_widths(
        self, group: tuple[str, str, str], model: str, steps: IntArray, series: int | None = None
    ) -> FloatArray:
        """Half widths for 80% and 95% in scales, shape (2, steps), never narrower further ahead.

        Of the series at this position of the backtest's fleet; of one that was not in it where None.
        """
        widths = None if series is None else self.of_series.get((series, model))
        if widths is None:
            values = _values(group, model)
            by_bucket = [self._of_new(values, bucket) for bucket in range(_COUNT)]
            widths = np.maximum.accumulate(np.stack(by_bucket), axis=0)
        found: FloatArray = widths[bucket_of(steps)].T
        return found

    def _of_new(self, values: Mapping[str, object], bucket: int) -> FloatArray:
        for pool in _POOLS:
            found = self.of_pools.get((pool, *(values[c] for c in pool), bucket))
            if found is not None:
                return found
        return _unknown(bucket)


def calibrate(errors: pd.DataFrame) -> Calibration:
    """Learn half widths from backtest errors (see `backtest.backtest` for the columns)."""
    if errors.empty:
        return Calibration()
    residuals = Residuals.of(errors)
    pools = residuals.pools(None)
    widths = residuals.half_widths(pools, None)
    of_series = {
        (int(residuals.series[s]), residuals.models[m]): widths[s, m]
        for s, m in zip(*np.nonzero(residuals.count.any(axis=(2, 3))), strict=True)
    }
    of_pools: dict[tuple[object, ...], FloatArray] = {}
    for names, pool in zip(_POOLS, pools, strict=True):
        _, first = np.unique(pool.key_of, return_index=True)
        for place in first:
            s, m, bucket = np.unravel_index(place, pool.key_of.shape)
            key = pool.key_of[s, m, bucket]
            if pool.is_enough[key]:
                values = _values(residuals.groups[s], residuals.models[m])
                of_pools[names, *(values[c] for c in names), int(bucket)] = (
                    pool.usual[key] * pool.half_widths[key]
                )
    return Calibration(of_series, of_pools)


def with_coverage(errors: pd.DataFrame) -> pd.DataFrame:
    """The errors with `inside_80` and `inside_95`: whether an honest interval held the actual.

    Each origin is judged by intervals that were calibrated on the other origins only; null (NaN)
    where there is no other.
    """
    inside = np.full((len(COVERAGES), len(errors)), np.nan)
    residuals = Residuals.of(errors)
    windows = residuals.count.shape[-1]
    for window in range(windows) if windows > 1 else ():
        widths = residuals.half_widths(residuals.pools(window), window)
        mine = np.flatnonzero(residuals.window == window)
        of_rows = widths.reshape(-1, len(COVERAGES))[residuals.cell[mine]]
        rows = errors.iloc[mine]
        actual = rows["actual"].to_numpy()
        for i, width in enumerate(of_rows.T):
            low, high = band(rows["mean"], width * rows["scale"], rows["low"], rows["high"])
            # Half a cent: intervals are stored in cents.
            inside[i, mine] = (actual >= low - 0.005) & (actual <= high + 0.005)
    return errors.assign(inside_80=inside[0], inside_95=inside[1])


@dataclass(frozen=True)
class Residuals:
    """The backtest's absolute errors in scales: one a row of it, with its window and its cell, which is the
    place of its series, model and bucket; and their `count` and `total`, shape (series, models, buckets,
    windows).
    """

    absolute: FloatArray
    window: IntArray
    cell: IntArray
    series: IntArray
    groups: list[tuple[str, str, str]]
    models: list[str]
    count: FloatArray
    total: FloatArray

    @classmethod
    def of(cls, errors: pd.DataFrame) -> Residuals:
        """Those of a backtest."""
        series, place = np.unique(errors["series"].to_numpy(), return_inverse=True)
        codes, models = pd.factorize(errors["model"].astype(str) if errors.empty else errors["model"])
        _, window = np.unique(errors["window"].to_numpy(), return_inverse=True)
        absolute = ((errors["actual"] - errors["mean"]).abs() / errors["scale"]).to_numpy(np.float64)
        shape = (len(series), len(models), _COUNT)
        cell = np.ravel_multi_index((place, codes, bucket_of(errors["step"])), shape)
        windows = int(window.max(initial=-1)) + 1
        at, size = cell * windows + window, int(np.prod(shape)) * windows
        first = errors.drop_duplicates("series").sort_values("series")
        return cls(
            absolute=absolute,
            window=window,
            cell=cell,
            series=series,
            groups=list(zip(*(first[c].astype(str) for c in ("level", "metric", "currency")), strict=True)),
            models=[str(m) for m in models],
            count=np.bincount(at, minlength=size).reshape(*shape, windows).astype(np.float64),
            total=np.bincount(at, absolute, minlength=size).reshape(*shape, windows).astype(np.float64),
        )

    def pools(self, left_out: int | None) -> list[Pool]:
        """What each pool says, of all windows or of all but one."""
        rows = np.arange(len(self.cell)) if left_out is None else np.flatnonzero(self.window != left_out)
        if len(rows) > _MOST_ROWS:
            rows = np.sort(np.random.default_rng(7).choice(rows, _MOST_ROWS, replace=False))
        made = []
        for names in _POOLS:
            key_of = self._keys(names)
            keys = key_of.ravel()[self.cell[rows]]
            size = int(key_of.max()) + 1
            count = np.bincount(keys, minlength=size)
            usual = np.bincount(keys, self.absolute[rows], minlength=size) / np.maximum(count, 1)
            # A row's unit is of the origins other than its own: as it will be when a new day is forecast.
            units = np.stack(
                [self._units(usual[key_of], {w, left_out}) for w in range(self.count.shape[-1])], axis=-1
            )
            unit = units.reshape(-1, units.shape[-1])[self.cell[rows], self.window[rows]]
            residuals = self.absolute[rows] / unit
            widths = np.zeros((size, len(COVERAGES)))
            order = np.argsort(keys, kind="stable")
            for key, of_key in enumerate(np.split(residuals[order], np.cumsum(count)[:-1])):
                if len(of_key) >= MIN_RESIDUALS:
                    widths[key] = [conformal_quantile(of_key, c) for c in COVERAGES]
            made.append(Pool(key_of, usual, widths, count >= MIN_RESIDUALS))
        return made

    def half_widths(self, pools: Sequence[Pool], left_out: int | None) -> FloatArray:
        """In scales, shape (series, models, buckets, coverages): of each from the first pool that knows."""
        shape = (*self.count.shape[:3], len(COVERAGES))
        widths = np.broadcast_to(np.stack([_unknown(b) for b in range(_COUNT)]), shape).copy()
        for pool in reversed(pools):
            known = pool.is_enough[pool.key_of]
            unit = self._units(pool.usual[pool.key_of], {left_out})
            widths[known] = (unit[..., None] * pool.half_widths[pool.key_of])[known]
        accumulated: FloatArray = np.maximum.accumulate(widths, axis=2)
        return accumulated

    def _units(self, usual: FloatArray, left_out: set[int | None]) -> FloatArray:
        """The mean error of each cell at the origins that are not left out, shrunk to what is usual."""
        kept = [w for w in range(self.count.shape[-1]) if w not in left_out]
        count, total = self.count[..., kept], self.total[..., kept]
        origins = (count > 0).sum(axis=-1)
        own = np.where(origins > 0, total.sum(axis=-1) / np.maximum(count.sum(axis=-1), 1), 0.0)
        unit: FloatArray = (origins * own + _USUAL_ORIGINS * usual) / (origins + _USUAL_ORIGINS)
        return np.maximum(unit, _LEAST_UNIT)

    def _keys(self, names: Sequence[str]) -> IntArray:
        """The key of each series, model and bucket in a pool."""
        values = [_values(group, "") for group in self.groups]
        by_series = pd.factorize(pd.Series([tuple(v[c] for c in names if c != "model") for v in values]))[0]
        models, buckets = np.arange(len(self.models)), np.arange(_COUNT)
        keys = (by_series[:, None, None] * len(models) + models[:, None]) * _COUNT + buckets
        return np.asarray(keys, dtype=np.int64)


def band(
    mean: FloatArray | pd.Series,
    half_width: FloatArray | pd.Series,
    low: float | pd.Series,
    high: float | pd.Series,
) -> tuple[FloatArray, FloatArray]:
    """(lower, upper) around the mean, inside what the series' sign allows."""
    centre, width = np.asarray(mean), np.asarray(half_width)
    return np.clip(centre - width, low, high), np.clip(centre + width, low, high)


def _values(group: tuple[str, str, str], model: str) -> dict[str, object]:
    level, metric, currency = group
    breadth = "broad" if level in {"total", "provider"} else "narrow"
    return {"level": level, "breadth": breadth, "metric": metric, "currency": currency, "model": model}


def _unknown(bucket: int) -> FloatArray:
    """Half widths in scales where no backtest was possible at all; they grow with the root of the weeks."""
    weeks: float = ((*BUCKETS, 90)[bucket] / 7) ** 0.5
    return np.array([3.0, 6.0]) * weeks
