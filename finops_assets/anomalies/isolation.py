"""IsolationForest over features of the residuals, across the whole fleet.

It sees what the size of one residual cannot: several odd days in a row, an odd share of the fleet's
money, an odd size for that weekday. Raw costs would only find the large series.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from finops_assets.anomalies.panel import FloatArray, Panel
from finops_assets.anomalies.residuals import WEEK, Residuals

_TREES = 100
_SAMPLE = 512
_ORDINARY = 20_000
_SEED = 0


def isolation_scores(panel: Panel, residuals: Residuals, candidates: FloatArray) -> FloatArray:
    """How isolated each candidate day is, 0 (like the fleet's ordinary days) to 1 (unlike any).

    `candidates` is (n, 2): day and series positions. The forest is grown on a sample of all days; a
    score is where a day lies between the fleet's 99th percentile and the theoretical maximum.
    Deterministic, one thread.
    """
    from sklearn.ensemble import IsolationForest  # noqa: PLC0415 - costs seconds, loaded on use

    features = _features(panel, residuals)
    judged = np.isfinite(residuals.z)
    if len(candidates) == 0:
        return np.empty(0)
    at = candidates.astype(np.int64)
    ordinary = features[judged]
    keep = np.random.default_rng(_SEED).permutation(len(ordinary))[:_ORDINARY]
    sample = ordinary[np.sort(keep)]
    forest = IsolationForest(
        n_estimators=_TREES, max_samples=min(_SAMPLE, len(sample)), random_state=_SEED, n_jobs=1
    ).fit(sample)
    usual = float(np.quantile(-forest.score_samples(sample), 0.99))
    isolated = -forest.score_samples(features[at[:, 0], at[:, 1]])
    top = max(0.85, usual + 0.05)
    return np.asarray(np.clip((isolated - usual) / (top - usual), 0.0, 1.0), dtype=np.float64)


def _features(panel: Panel, residuals: Residuals) -> FloatArray:
    """(days, series, features): size, direction, duration, relative size, share of the fleet, weekday."""
    z = pd.DataFrame(residuals.z)
    size = _signed_log(z)
    relative = pd.DataFrame(residuals.residual / np.maximum(np.abs(residuals.level), 0.01))
    share = pd.DataFrame(residuals.residual / np.maximum(_fleet_totals(panel), 0.01))
    weekend = np.broadcast_to((panel.calendar.dayofweek >= 5)[:, None], z.shape)
    columns = (
        size,
        size.rolling(3, min_periods=1).mean(),
        size.rolling(WEEK, min_periods=1).mean(),
        size - size.shift(1).fillna(0.0),
        _signed_log(relative),
        _signed_log(share),
        pd.DataFrame(weekend.astype(np.float64)),
    )
    stacked = np.stack([np.nan_to_num(c.to_numpy(dtype=np.float64)) for c in columns], axis=-1)
    return np.asarray(stacked, dtype=np.float64)


def _signed_log(values: pd.DataFrame) -> pd.DataFrame:
    """log(1 + |x|) with the sign of x: large values stay apart, but not by orders of magnitude."""
    array = values.to_numpy(dtype=np.float64)
    return pd.DataFrame(np.sign(array) * np.log1p(np.abs(array)))


def _fleet_totals(panel: Panel) -> FloatArray:
    """For each day and series, the sum of all series of that metric and currency.

    Each level repeats the money of the others, which is the same for all days: shares stay comparable.
    """
    groups = panel.names["metric"].str.cat(panel.names["BillingCurrency"], na_rep="").to_numpy()
    absolute = np.nan_to_num(np.abs(panel.costs.to_numpy(dtype=np.float64)))
    totals: FloatArray = np.zeros_like(absolute)
    for group in sorted(set(groups)):
        mine = groups == group
        totals[:, mine] = absolute[:, mine].sum(axis=1, keepdims=True)
    return totals
