"""Which series add up to which, and the forecasts and backtests of those that are sums of others.

The leaves are forecast, and so are regions and tag values; every level above the leaves is the exact sum of
its leaves, and the regions of a provider and the values of a tag key are scaled to the sum that they cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from finops_assets.forecasting.backtest import (
    BASELINE,
    HORIZONS,
    origins,
    scale_of,
    sign_bounds,
    weekly_naive_error,
)
from finops_assets.forecasting.history import FloatArray, Series
from finops_assets.forecasting.reconcile import Cents, bottom_up, scale_to, to_cents

BOTTOM_UP = "BottomUp"
"""The model of a series that is the sum of its leaves' forecasts."""

LEAF = "account_service"
_ABOVE: Mapping[str, tuple[str, ...]] = {
    "total": (),
    "provider": ("ServiceProviderName",),
    "billing_account": ("ServiceProviderName", "BillingAccountId"),
    "account": ("ServiceProviderName", "SubAccountId"),
    "service": ("ServiceProviderName", "ServiceName"),
}
_SAME = ("metric", "BillingCurrency")


@dataclass(frozen=True)
class Hierarchy:
    """Positions in a fleet: `members` of each sum, and `cuts`, series that share one sum between them."""

    members: Mapping[int, Sequence[int]] = field(default_factory=dict)
    cuts: Mapping[tuple[int, str], Sequence[int]] = field(default_factory=dict)


def hierarchy_of(names: pd.DataFrame) -> Hierarchy:
    """The hierarchy of series, of which `names` has one row each in the fleet's order.

    A series without a leaf in the fleet is forecast by itself.
    """
    names = names.reset_index(drop=True)
    members: dict[int, Sequence[int]] = {}
    leaves = names[names["level"] == LEAF]
    for level, columns in _ABOVE.items():
        keys = [*_SAME, *columns]
        found = {key: group.index.tolist() for key, group in leaves.groupby(keys, dropna=True, sort=True)}
        for position, row in names[names["level"] == level][keys].iterrows():
            if mine := found.get(tuple(row)):
                members[int(str(position))] = mine
    sums = names.loc[sorted(members)]
    return Hierarchy(members, _cuts(names, sums))


def _cuts(names: pd.DataFrame, sums: pd.DataFrame) -> dict[tuple[int, str], Sequence[int]]:
    parents = {
        "region": ("provider", ["ServiceProviderName"]),
        "tag": ("total", []),
    }
    cuts: dict[tuple[int, str], list[int]] = {}
    for level, (above, columns) in parents.items():
        of = {tuple(row): int(str(at)) for at, row in _rows(sums, above, columns)}
        for position, row in _rows(names, level, columns):
            parent = of.get(tuple(row))
            if parent is not None:
                key = str(names.loc[position, "tag_key"]) if level == "tag" else level
                cuts.setdefault((parent, f"{level} {key}"), []).append(int(str(position)))
    return dict(cuts)


def _rows(names: pd.DataFrame, level: str, columns: Sequence[str]) -> list[tuple[int, pd.Series]]:
    rows = names[names["level"] == level][[*_SAME, *columns]]
    return [(int(str(at)), row) for at, row in rows.iterrows()]


def errors_of_sums(
    fleet: Sequence[Series],
    members: Mapping[int, Sequence[int]],
    errors: pd.DataFrame,
    winners: Mapping[tuple[str, str, str], str],
    horizons: Sequence[int] = HORIZONS,
) -> pd.DataFrame:
    """The backtest of each sum: what its leaves' champions said on the same day, added up, and what came.

    `errors` is the leaves' own backtest (`backtest.backtest`, with positions in `fleet`) and gives the
    columns. A leaf that had not begun counts nothing, and one that was too young for a backtest its naive
    forecast. The models are BottomUp and, beside it, the sum's own seasonal naive.
    """
    said = _said(fleet, errors, winners, horizons)
    windows = 1 if errors.empty else int(errors["window"].max()) + 1
    parts = []
    for position, leaves in members.items():
        series = fleet[position]
        for window, (cut, horizon) in enumerate(origins(len(series.history), horizons, windows)):
            training = series.history.before(cut)
            day = series.history.first_day + cut
            low, high = sign_bounds(training)
            means = {
                BOTTOM_UP: np.sum([_on(fleet, said, leaf, day, horizon) for leaf in leaves], axis=0),
                BASELINE.name: _naive(series, cut, horizon),
            }
            for model, mean in means.items():
                parts.append(
                    pd.DataFrame(
                        {
                            "level": series.level,
                            "metric": series.metric,
                            "currency": series.currency,
                            "series": position,
                            "scale": scale_of(training),
                            "naive_error": weekly_naive_error(training),
                            "low": low,
                            "high": high,
                            "window": window,
                            "length": horizon,
                            "model": model,
                            "step": np.arange(1, horizon + 1),
                            "actual": series.history.values[cut : cut + horizon],
                            "mean": np.clip(mean, low, high),
                        }
                    )
                )
    made = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(errors.columns))
    return made.astype({c: "category" for c in ("level", "metric", "currency", "model")})


def _said(
    fleet: Sequence[Series],
    errors: pd.DataFrame,
    winners: Mapping[tuple[str, str, str], str],
    horizons: Sequence[int],
) -> dict[tuple[int, np.datetime64], FloatArray]:
    """(leaf, day of the origin) → what its champion said of that day and those after."""
    if errors.empty:
        return {}
    wanted = {s: winners.get(fleet[s].group, BASELINE.name) for s in errors["series"].unique()}
    mine = errors[errors["model"].astype(str) == errors["series"].map(wanted)]
    said = {}
    for key, rows in mine.groupby(["series", "window"], sort=False):
        series, window = (int(str(k)) for k in key)
        history = fleet[series].history
        cut, _ = origins(len(history), horizons, window + 1)[window]
        said[series, history.first_day + cut] = rows.sort_values("step")["mean"].to_numpy()
    return said


def _on(
    fleet: Sequence[Series],
    said: Mapping[tuple[int, np.datetime64], FloatArray],
    leaf: int,
    day: np.datetime64,
    horizon: int,
) -> FloatArray:
    """What was or would have been said of a leaf on a day."""
    mean = said.get((leaf, day))
    if mean is not None and len(mean) >= horizon:
        return mean[:horizon]
    seen = int((day - fleet[leaf].history.first_day).astype(np.int64))
    return _naive(fleet[leaf], seen, horizon) if seen > 0 else np.zeros(horizon)


def _naive(series: Series, seen: int, horizon: int) -> FloatArray:
    mean = BASELINE.forecast([series.history.before(seen)], horizon)[0]
    assert mean is not None  # noqa: S101 - the baseline forecasts any history of a day
    return mean


@dataclass(frozen=True)
class Reconciled:
    """Cents for the days after each series' last, by position: `sums` of leaves, `cuts` scaled to them."""

    sums: Mapping[int, Cents]
    cuts: Mapping[int, Cents]


def reconcile(
    fleet: Sequence[Series], hierarchy: Hierarchy, means: Mapping[int, FloatArray], horizon: int
) -> Reconciled:
    """Add leaves up and scale cuts, `horizon` days from each sum's own last day on.

    `means` are the forecasts of leaves and cuts, from each one's own last day on. Where a leaf's day has
    already come while its sum's has not (another provider's bill is later), the actual cost counts.
    Raises ValueError for a leaf whose forecast does not reach to the end of its sum's.
    """
    if not hierarchy.members:
        return Reconciled({}, {})
    last = {p: fleet[p].history.last_day for p in (*hierarchy.members, *means)}
    first = min(last.values()) + 1
    end = max(last[p] for p in hierarchy.members) + horizon
    days = int((end - first).astype(np.int64)) + 1
    whole = {p: _from(fleet[p], mean, first, days) for p, mean in means.items()}
    leaves = sorted({leaf for mine in hierarchy.members.values() for leaf in mine})
    short = [p for p in leaves if last[p] + len(means[p]) < end]
    if short:
        raise ValueError(f"the forecasts of series {short} end before {end}, the last day of their sums")
    _, parents = bottom_up(
        {str(p): whole[p] for p in leaves},
        {str(p): [str(leaf) for leaf in mine] for p, mine in hierarchy.members.items()},
    )
    at = {p: int((last[p] + 1 - first).astype(np.int64)) for p in last}
    sums = {p: parents[str(p)][at[p] : at[p] + horizon] for p in hierarchy.members}
    cuts: dict[int, Cents] = {}
    for (parent, _), mine in hierarchy.cuts.items():
        shared = range(at[parent], at[parent] + horizon)
        by_day = [scale_to([float(whole[p][d]) for p in mine], parents[str(parent)][d]) for d in shared]
        for place, p in enumerate(mine):
            own = to_cents(whole[p])
            for d, cents in zip(shared, by_day, strict=True):
                own[d] = cents[place]
            cuts[p] = own[at[p] : at[p] + horizon]
    return Reconciled(sums, cuts)


def _from(series: Series, mean: FloatArray, first: np.datetime64, days: int) -> FloatArray:
    """`days` days from `first` on: what has come, then what is forecast, then (of a cut) nothing."""
    history = series.history
    come = int((first - history.first_day).astype(np.int64))
    known = history.values[come:] if come >= 0 else np.r_[np.zeros(-come), history.values]
    whole = np.zeros(days)
    both = np.r_[known, mean][:days]
    whole[: len(both)] = both
    return whole
