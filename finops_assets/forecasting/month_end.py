"""How right a month's total was, as the daily forecast saw it on a day inside that month."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from finops_assets.forecasting.accuracy import COLUMNS, bias, wape
from finops_assets.forecasting.backtest import HORIZONS, origins
from finops_assets.forecasting.day_paths import DayPaths, last_steps
from finops_assets.forecasting.history import FloatArray, Series

NAME = "month_end"
_GROUP = ["level", "metric", "currency", "model"]


def measure_month_end(
    paths: DayPaths, judged: Sequence[Series], horizons: Sequence[int] = HORIZONS
) -> pd.DataFrame:
    """Errors of the totals of the months in which the backtest's origins lie.

    `judged` are the series that were backtested, by their position in `paths`. The days before the origin
    were known, so the error of a total is that of its other days, held against the whole total. A month
    that ends after the backtest's last day is left out. Coverage is of the bands of the other origins.
    Returns the columns of `accuracy.measure`; mase is NaN: a total is not held against a day's naive error.
    """
    facts = paths.facts
    at = list(zip(facts["series"], facts["window"], facts["length"], strict=True))
    found = {(s, w, n): _origin(judged[s], w, n, horizons) for s, w, n in dict.fromkeys(at)}
    origin = {path: day for path, day in found.items() if day is not None}
    known = {path: _known(judged[path[0]], day) for path, day in origin.items()}
    placed = [row for row, path in enumerate(at) if path in origin]
    left = np.zeros(len(at), dtype=np.int64)
    left[placed] = last_steps([origin[at[row]] for row in placed], facts["length"].to_numpy()[placed])
    rows = np.flatnonzero(left > 0)
    months = facts.iloc[rows].assign(
        left=left[rows],
        error=paths.error[rows, left[rows]],
        total=paths.actual[rows, left[rows]] + np.array([known[at[row]] for row in rows]),
    )
    months = _with_coverage(months, paths)
    measured = []
    for key, group in months.groupby(_GROUP, sort=True):
        total = group["total"].to_numpy()
        said = total + group["error"].to_numpy()
        measured.append(
            {
                **dict(zip(_GROUP, key, strict=True)),
                "horizon": NAME,
                "series": group["series"].nunique(),
                "windows": group["window"].nunique(),
                "wape": wape(total, said),
                "mase": np.nan,
                "bias": bias(total, said),
                "coverage_80": group["inside_80"].mean(),
                "coverage_95": group["inside_95"].mean(),
            }
        )
    return pd.DataFrame(measured, columns=COLUMNS)


def _origin(series: Series, window: int, length: int, horizons: Sequence[int]) -> np.datetime64 | None:
    """The first day ahead of an origin; None of a series whose history has another first day since."""
    cuts = origins(len(series.history), horizons, window + 1)
    if len(cuts) <= window or cuts[window][1] != length:
        return None
    return series.history.first_day + cuts[window][0]


def _known(series: Series, origin: np.datetime64) -> float:
    """What the month of the origin had cost before it."""
    month = origin.astype("datetime64[M]").astype("datetime64[D]")
    history = series.history
    start, end = ((day - history.first_day).astype(np.int64) for day in (month, origin))
    return float(history.values[max(int(start), 0) : int(end)].sum())


def _with_coverage(months: pd.DataFrame, paths: DayPaths) -> pd.DataFrame:
    months = months.assign(inside_80=np.nan, inside_95=np.nan)
    window = paths.facts["window"].to_numpy()
    for key, group in months.groupby([*_GROUP, "window", "left"], sort=True):
        named = dict(zip([*_GROUP, "window", "left"], key, strict=True))
        others = np.asarray(window != named["window"], dtype=np.bool_)
        widths = paths.widths_among(others, named, 1, int(str(named["left"])))
        if widths is None:
            continue
        off: FloatArray = (group["error"].abs() / group["scale"]).to_numpy()
        for column, width in zip(("inside_80", "inside_95"), widths, strict=True):
            months.loc[group.index, column] = (off <= width).astype(np.float64)
    return months
