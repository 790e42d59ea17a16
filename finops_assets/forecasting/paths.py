"""Paths of errors: how a forecast went wrong day after day, kept whole.

A band of one day says nothing of a sum of days: errors of neighbouring days go together, as a level that
was missed stays missed. Whole paths of past origins hold that by themselves, so what a sum may come to is
read off the sums along them, and nothing is assumed of how days depend on each other.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from finops_assets.forecasting.history import FloatArray

MAX_PATHS = 200
"""Paths that are kept of a group: a probability read off them moves in half percents."""

MIN_PATHS = 20
"""Fewer paths than this do not say how errors go together."""

_KEYS = ["level", "metric", "currency"]


def error_paths(errors: pd.DataFrame, champions: Mapping[tuple[str, str, str], str]) -> pa.Table:
    """The paths of each group's champion, at most MAX_PATHS of a group.

    `errors` is the backtest's frame, a row a series, origin (window), model and day ahead (step): level,
    metric, currency, series, window, model, step, actual, mean, scale. `champions` gives the model of each
    (level, metric, currency). The longest paths of a group are kept where there are MIN_PATHS of them, all
    otherwise, evenly spaced over series and origins. Gives level, metric, BillingCurrency, path (from 0),
    ahead (from 1) and error: (actual - mean) / scale.
    """
    kept = [_sampled(errors, group, model) for group, model in sorted(champions.items())]
    rows = pd.concat(kept, ignore_index=True) if kept else errors.head(0).assign(path=0, error=0.0)
    return pa.table(
        {
            "level": pa.array(rows["level"].tolist(), pa.string()),
            "metric": pa.array(rows["metric"].tolist(), pa.string()),
            "BillingCurrency": pa.array(rows["currency"].tolist(), pa.string()),
            "path": pa.array(rows["path"].to_numpy().astype(np.int32)),
            "ahead": pa.array(rows["step"].to_numpy().astype(np.int32)),
            "error": pa.array(rows["error"].to_numpy().astype(np.float64)),
        }
    )


def _sampled(errors: pd.DataFrame, group: tuple[str, str, str], model: str) -> pd.DataFrame:
    mine = errors[errors["model"] == model]
    for column, value in zip(_KEYS, group, strict=True):
        mine = mine[mine[column] == value]
    mine = mine.assign(error=(mine["actual"] - mine["mean"]) / mine["scale"])
    lengths = mine.groupby(["series", "window"], sort=True)["step"].max()
    longest = lengths[lengths == lengths.max()]
    pool = longest if len(longest) >= MIN_PATHS else lengths
    spaced = np.unique(np.linspace(0, max(len(pool) - 1, 0), min(MAX_PATHS, len(pool))).astype(int))
    chosen = pool.iloc[spaced].index.to_frame(index=False).assign(path=np.arange(len(spaced)))
    found = mine.merge(chosen.astype(mine[["series", "window"]].dtypes), on=["series", "window"])
    return found.sort_values(["path", "step"])[[*_KEYS, "path", "step", "error"]]


def path_matrix(paths: pa.Table) -> FloatArray:
    """The errors of one group's paths, shape (paths, days ahead): a path that is short keeps its last error.

    Of no use, and with no rows, when there are fewer than MIN_PATHS.
    """
    path, ahead = paths["path"].to_numpy(), paths["ahead"].to_numpy()
    numbers, row = np.unique(path, return_inverse=True)
    if len(numbers) < MIN_PATHS:
        return np.empty((0, 0))
    matrix = np.full((len(numbers), int(ahead.max())), np.nan)
    matrix[row, ahead - 1] = paths["error"].to_numpy()
    held: FloatArray = pd.DataFrame(matrix).ffill(axis=1).bfill(axis=1).to_numpy()
    return held
