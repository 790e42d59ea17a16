"""The combination of several models' forecasts, weighted by what the backtest says of them.

Weights are learned for a whole group of series and for near, middle and far days, never for a single
series: few numbers from many errors, so they hold on days that were not seen (Timmermann 2006).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pandas as pd

from finops_assets.forecasting.history import FloatArray, IntArray
from finops_assets.forecasting.intervals import BUCKETS, bucket_of

NAME = "Combination"
MEMBERS = ("AutoETS", "AutoTheta", "XGBoost", "SeasonalNaive")
"""Models that err differently: a smoothed level, a trend, what other series did, the last week."""

_STEPS = 4
"""Weights are multiples of a quarter."""

_EQUAL = np.full(len(MEMBERS), 1 / len(MEMBERS))
_MIN_DAYS = 60
"""Fewer errors than this choose no weights; equal ones stand then."""

Group = tuple[str, str, str]


@dataclass(frozen=True)
class Weights:
    """The members' weights by group and bucket of days ahead; they sum to one. Equal where not learned."""

    learned: Mapping[tuple[Group, int], FloatArray] = field(default_factory=dict)

    def at(self, group: Group, steps: IntArray) -> FloatArray:
        """Weights for some days ahead, shape (members, steps)."""
        buckets = [self.learned.get((group, b), _EQUAL) for b in range(len(BUCKETS) + 1)]
        return np.stack(buckets)[bucket_of(steps)].T


def combine(made: Mapping[str, FloatArray], group: Group, weights: Weights) -> FloatArray | None:
    """The weighted mean of one series' forecasts; None where only one member has any.

    Where a member has none, the baseline's stands in its place, as in the backtest.
    """
    if sum(name in made for name in MEMBERS) < 2:
        return None
    baseline = made[MEMBERS[-1]]
    forecasts = np.stack([made.get(name, baseline) for name in MEMBERS])
    combined: FloatArray = (weights.at(group, np.arange(1, len(baseline) + 1)) * forecasts).sum(axis=0)
    return combined


def learn(errors: pd.DataFrame) -> Weights:
    """The weights with the smallest sum of absolute errors, by group and bucket, from a backtest."""
    learned: dict[tuple[Group, int], FloatArray] = {}
    for key, days in _wide(errors).groupby(["level", "metric", "currency", "bucket"], observed=True):
        if len(days) >= _MIN_DAYS:
            level, metric, currency, bucket = key
            learned[(str(level), str(metric), str(currency)), int(str(bucket))] = _best(days)
    return Weights(learned)


def judged(errors: pd.DataFrame) -> pd.DataFrame:
    """Errors of the combination at every origin, with weights that were learned on the others only."""
    days = _wide(errors)
    means = np.full(len(days), np.nan)
    names = ["level", "metric", "currency"]
    for window in sorted(days["window"].unique()):
        weights = learn(errors[errors["window"] != window])
        mine = days[days["window"] == window]
        for key, part in mine.groupby(names, observed=True):
            level, metric, currency = (str(k) for k in key)
            weight = weights.at((level, metric, currency), part["step"].to_numpy())
            means[part.index] = (weight * part[list(MEMBERS)].to_numpy().T).sum(axis=0)
    rows = days.drop(columns=[*MEMBERS, "bucket"]).assign(mean=means)
    rows["model"] = pd.Categorical([NAME] * len(rows), categories=errors["model"].cat.categories)
    return rows[list(errors.columns)]


def _wide(errors: pd.DataFrame) -> pd.DataFrame:
    """One row a series, origin and day, a column a member; the baseline's forecast where one has none."""
    keys = ["series", "window", "step"]
    baseline = errors[errors["model"] == MEMBERS[-1]].reset_index(drop=True)
    days = pd.MultiIndex.from_frame(baseline[keys])
    wide = baseline.drop(columns=["model", "mean"])
    for name in MEMBERS:
        of_model = errors[errors["model"] == name].set_index(keys)["mean"].reindex(days).to_numpy()
        wide[name] = np.where(np.isnan(of_model), baseline["mean"], of_model)
    return wide.assign(bucket=bucket_of(wide["step"]))


def _best(days: pd.DataFrame) -> FloatArray:
    forecasts = days[list(MEMBERS)].to_numpy()
    actual = days["actual"].to_numpy()
    loss = [float(np.abs(forecasts @ weights - actual).sum()) for weights in _GRID]
    return _GRID[int(np.argmin(loss))]


def _grid() -> Sequence[FloatArray]:
    """All weights in quarters that sum to one."""
    choices = product(range(_STEPS + 1), repeat=len(MEMBERS))
    return [np.asarray(c, dtype=np.float64) / _STEPS for c in choices if sum(c) == _STEPS]


_GRID = _grid()
