"""The combination of several models' forecasts, weighted by what the backtest says of them.

A weight falls with the fourth power of the model's error. The errors are a series' own as far as it has
origins, and those of its group otherwise: few origins say little about one series, many series a lot about
their group (Bates & Granger 1969; shrunk as in Timmermann 2006). Near, middle and far days each have weights
of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from finops_assets.forecasting.history import FloatArray, IntArray
from finops_assets.forecasting.intervals import BUCKETS, bucket_of

NAME = "Combination"
MEMBERS = ("AutoETS", "HarmonicETS", "AutoTheta", "XGBoost", "SeasonalNaive")
"""Models that err differently: a smoothed level, a year, a trend, what other series did, the last week."""

_POWER = 4.0
_GROUP_ORIGINS = 1.0
"""The group's errors count as much as so many origins of the series itself."""

_FARTHEST = 1.5
"""A member whose error is this many times the best one's has no weight at all."""

_MIN_ERROR = 1e-9
_MOST = 1000
"""More than origins of a backtest, and days ahead."""

_HANDICAP = np.array([1.0, 1.0, 1.0, 1.0, 1.2])
"""The last week alone repeats its noise: it must have been clearly better to count as much."""

_COUNT = len(BUCKETS) + 1
_KEYS = ["level", "metric", "currency"]

Group = tuple[str, str, str]


@dataclass(frozen=True)
class Weights:
    """Weights by bucket of days ahead and member, shape (buckets, members): of a series that was judged by
    its position, of any other by its group. They sum to one, and are equal where nothing was learned.
    """

    series: Mapping[int, FloatArray] = field(default_factory=dict)
    groups: Mapping[Group, FloatArray] = field(default_factory=dict)

    def at(self, group: Group, series: int, steps: IntArray) -> FloatArray:
        """Weights for some days ahead, shape (members, steps)."""
        equal = np.full((_COUNT, len(MEMBERS)), 1 / len(MEMBERS))
        found = self.series.get(series, self.groups.get(group, equal))
        weights: FloatArray = found[bucket_of(steps)].T
        return weights


def combine(made: Mapping[str, FloatArray], group: Group, series: int, weights: Weights) -> FloatArray | None:
    """The weighted mean of one series' forecasts; None where only one member has any.

    Where a member has none, the others share its weight, as in the backtest.
    """
    if sum(name in made for name in MEMBERS) < 2:
        return None
    steps = np.arange(1, len(made[MEMBERS[-1]]) + 1)
    forecasts = np.stack([made.get(name, np.full(len(steps), np.nan)) for name in MEMBERS])
    return _mean(weights.at(group, series, steps).T, forecasts.T)


def _mean(weights: FloatArray, forecasts: FloatArray) -> FloatArray:
    """Weighted means of rows of members; of those that have a forecast (not NaN), the last one always."""
    known = ~np.isnan(forecasts)
    present = np.where(known, weights, 0.0)
    # Only members without a forecast have weight: the baseline stands in.
    present[:, -1] = np.where(present.sum(axis=1) > 0, present[:, -1], 1.0)
    mean: FloatArray = (present * np.where(known, forecasts, 0.0)).sum(axis=1) / present.sum(axis=1)
    return mean


@dataclass(frozen=True)
class Losses:
    """Mean absolute errors in units of the series' scale, shape (series, origins, buckets, members).

    NaN where a series has no such origin or day, or the member no forecast. `series` are their positions in
    the fleet, `groups` what each belongs to.
    """

    by_origin: FloatArray
    series: IntArray
    groups: list[Group]

    def weights(self, left_out: int | None = None) -> Weights:
        """What all origins say, or all but one: so that this one can be judged."""
        kept = self.by_origin if left_out is None else np.delete(self.by_origin, left_out, axis=1)
        origins = (~np.isnan(kept)).sum(axis=1)
        own = np.nansum(kept, axis=1) / np.maximum(origins, 1)
        members = (origins > 0).sum(axis=-1, keepdims=True)
        size = own.sum(axis=-1, keepdims=True) / np.maximum(members, 1)
        relative = np.where(size > 0, own / np.where(size > 0, size, 1.0), 1.0)
        shrunk = np.empty_like(own)
        groups: dict[Group, FloatArray] = {}
        for group in dict.fromkeys(self.groups):
            mine = np.array([g == group for g in self.groups])
            # Every series counts alike: what is shared is which model is better, not by how much.
            judged = origins[mine].sum(axis=0)
            sums = (relative[mine] * origins[mine]).sum(axis=0)
            profile = np.where(judged > 0, sums / np.maximum(judged, 1), np.inf)
            groups[group] = _weights(profile)
            prior = profile * np.where(size[mine] > 0, size[mine], 1.0)
            shrunk[mine] = (origins[mine] * own[mine] + _GROUP_ORIGINS * prior) / (
                origins[mine] + _GROUP_ORIGINS
            )
        made = _weights(shrunk)
        return Weights({int(s): made[i] for i, s in enumerate(self.series)}, groups)


def _weights(errors: FloatArray) -> FloatArray:
    """Weights from errors along the last axis; equal ones where none is known (all infinite)."""
    known = np.isfinite(errors)
    usable = np.where(known.any(axis=-1, keepdims=True), errors, 1.0)
    handicapped = np.maximum(usable, _MIN_ERROR) * _HANDICAP
    ratio = handicapped / handicapped.min(axis=-1, keepdims=True)
    raw = np.where(ratio > _FARTHEST, 0.0, ratio**-_POWER)
    weights: FloatArray = raw / raw.sum(axis=-1, keepdims=True)
    return weights


def learn(errors: pd.DataFrame) -> Weights:
    """Weights from a backtest (see `backtest.backtest` for the columns); equal ones from an empty one."""
    return Weights() if errors.empty else _losses(_wide(errors)).weights()


def judged(errors: pd.DataFrame) -> pd.DataFrame:
    """Errors of the combination at every origin, with weights that were learned on the others only."""
    days = _wide(errors)
    losses = _losses(days)
    place = np.searchsorted(losses.series, days["series"].to_numpy())
    forecasts = days[list(MEMBERS)].to_numpy()
    means = np.full(len(days), np.nan)
    windows = np.unique(days["window"].to_numpy())
    for origin, window in enumerate(windows.tolist()):
        learned = losses.weights(left_out=origin)
        table = np.stack([learned.series[int(s)] for s in losses.series])
        mine = np.flatnonzero(days["window"].to_numpy() == window)
        weights = table[place[mine], days["bucket"].to_numpy()[mine]]
        means[mine] = _mean(weights, forecasts[mine])
    rows = days.drop(columns=[*MEMBERS, "bucket"]).assign(mean=means)
    rows["model"] = pd.Categorical([NAME] * len(rows), categories=errors["model"].cat.categories)
    return rows[list(errors.columns)]


def _wide(errors: pd.DataFrame) -> pd.DataFrame:
    """One row a series, origin and day, a column a member; NaN where one has no forecast of an origin.

    The backtest puts the baseline's forecast in the place of one that is missing: a member that says what
    the baseline does on all days of an origin is taken for missing there.
    """
    wide = errors[errors["model"] == MEMBERS[-1]].drop(columns=["model"]).reset_index(drop=True)
    day = _codes(wide)
    order = np.argsort(day)
    _, origin = np.unique(wide["series"].to_numpy() * _MOST + wide["window"].to_numpy(), return_inverse=True)
    baseline = wide["mean"].to_numpy()
    for name in MEMBERS[:-1]:
        said = errors[errors["model"] == name]
        means = np.full(len(wide), np.nan)
        means[order[np.searchsorted(day, _codes(said), sorter=order)]] = said["mean"].to_numpy()
        differs = np.bincount(origin, ~np.isnan(means) & (means != baseline), minlength=1) > 0
        wide[name] = np.where(differs[origin], means, np.nan)
    wide[MEMBERS[-1]] = baseline
    return wide.drop(columns="mean").assign(bucket=bucket_of(wide["step"]))


def _codes(rows: pd.DataFrame) -> IntArray:
    """A number for each series, origin and day."""
    series, window, step = (rows[c].to_numpy().astype(np.int64) for c in ("series", "window", "step"))
    return (series * _MOST + window) * _MOST + step


def _losses(days: pd.DataFrame) -> Losses:
    """The losses of `_wide` rows, series in ascending order of their positions."""
    series, place = np.unique(days["series"].to_numpy(), return_inverse=True)
    windows, window = np.unique(days["window"].to_numpy(), return_inverse=True)
    shape = (len(series), len(windows), _COUNT)
    cell = np.ravel_multi_index((place, window, days["bucket"].to_numpy()), shape)
    size = int(np.prod(shape))
    scaled = (days[list(MEMBERS)].to_numpy() - days[["actual"]].to_numpy()) / days[["scale"]].to_numpy()
    # NaN spoils the sum of its cell: a member that has no forecast of a day has none of the origin.
    sums = np.stack([np.bincount(cell, np.abs(e), minlength=size) for e in scaled.T], axis=-1)
    count = np.bincount(cell, minlength=size)[:, None]
    means = np.where(count > 0, sums / np.maximum(count, 1), np.nan)
    first = days.drop_duplicates("series").sort_values("series")
    groups = list(zip(*(first[c].astype(str) for c in _KEYS), strict=True))
    return Losses(means.reshape(*shape, len(MEMBERS)), series, groups)
