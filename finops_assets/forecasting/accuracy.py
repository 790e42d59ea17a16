"""How good each model was in the backtest, and which one wins its level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from finops_assets.forecasting.backtest import HORIZONS
from finops_assets.forecasting.combination import NAME as COMBINATION

Group = tuple[str, str, str]
"""(level, metric, currency)."""

_GROUP = ["level", "metric", "currency"]
_DECIDING_HORIZON = 30
_MARGIN = 1.05
"""A single model must be better than the combination by this: few origins are won narrowly by luck."""


def measure(errors: pd.DataFrame, horizons: Sequence[int] = HORIZONS) -> pd.DataFrame:
    """Errors by level, metric, currency, model and horizon (the days 1 to `horizon` of each origin).

    `errors` is `intervals.with_coverage` of a backtest. Only origins that reach the horizon count.
    Returns columns level, metric, currency, model, horizon, series, windows, wape, mase, bias,
    coverage_80, coverage_95; a measure whose divisor is zero is NaN.
    """
    rows = []
    for horizon in horizons:
        reached = errors[(errors["length"] >= horizon) & (errors["step"] <= horizon)]
        for key, group in reached.groupby([*_GROUP, "model"], sort=True, observed=True):
            rows.append(
                {
                    **dict(zip((*_GROUP, "model"), key, strict=True)),
                    "horizon": horizon,
                    "series": group["series"].nunique(),
                    "windows": group["window"].nunique(),
                    "wape": wape(group["actual"].to_numpy(), group["mean"].to_numpy()),
                    "mase": mase(group),
                    "bias": bias(group["actual"].to_numpy(), group["mean"].to_numpy()),
                    "coverage_80": group["inside_80"].mean(),
                    "coverage_95": group["inside_95"].mean(),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


COLUMNS = [
    *_GROUP,
    "model",
    "horizon",
    "series",
    "windows",
    "wape",
    "mase",
    "bias",
    "coverage_80",
    "coverage_95",
]


def wape(actual: np.ndarray, mean: np.ndarray) -> float:
    """Sum of absolute errors over sum of absolute actuals; NaN when nothing was spent."""
    return _ratio(float(np.abs(mean - actual).sum()), float(np.abs(actual).sum()))


def bias(actual: np.ndarray, mean: np.ndarray) -> float:
    """Sum of errors (forecast - actual) over sum of absolute actuals; NaN when nothing was spent."""
    return _ratio(float((mean - actual).sum()), float(np.abs(actual).sum()))


def mase(errors: pd.DataFrame) -> float:
    """Mean absolute error over the in-sample weekly naive's, averaged over series and origins.

    Hyndman & Koehler 2006. A series whose naive error is zero (constant) has no MASE and is left out.
    """
    absolute = (errors["mean"] - errors["actual"]).abs()
    by_origin = absolute.groupby([errors["series"], errors["window"]]).mean()
    naive = errors["naive_error"].groupby([errors["series"], errors["window"]]).first()
    usable = naive > 0
    return float((by_origin[usable] / naive[usable]).mean()) if usable.any() else float("nan")


def champions(measured: pd.DataFrame, baseline: str) -> dict[Group, str]:
    """The model of each group: lowest WAPE at 30 days (or the longest horizon below it that was
    reached), among those that are not worse than the baseline at any horizon. The combination is
    taken unless another is better by a twentieth.
    """
    chosen: dict[Group, str] = {}
    for key, group in measured.groupby(_GROUP, sort=True, observed=True):
        # A model that forecasts only some series of the group was not judged on the same days.
        judged = group.groupby("model", observed=True)["series"].min()
        everywhere = judged.index[judged == judged[baseline]]
        comparable = group[group["model"].isin(everywhere)]
        table = comparable.pivot_table(
            index="horizon", columns="model", values="wape", dropna=False, observed=True
        ).dropna(how="all")
        best = baseline
        if not table.empty:
            worse = (table.gt(table[baseline], axis=0)).any()
            eligible = [m for m in table.columns if not worse[m]]
            deciding = max((h for h in table.index if h <= _DECIDING_HORIZON), default=table.index.min())
            worth = {m: table.loc[deciding, m] * (_MARGIN if m != COMBINATION else 1.0) for m in eligible}
            best = min(eligible, key=lambda m: (worth[m], m != baseline, m))
        level, metric, currency = (str(part) for part in key)
        chosen[level, metric, currency] = best
    return chosen


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else float("nan")
