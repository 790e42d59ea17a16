"""What is there for the first time, and what stopped arriving."""

from __future__ import annotations

import numpy as np

from finops_assets.anomalies.panel import FloatArray, Panel
from finops_assets.anomalies.runs import Run

NEW_KINDS = {
    "service": "new_service",
    "account_service": "new_service",
    "region": "new_region",
    "account": "new_account",
    "billing_account": "new_account",
    "series": "new_series",
}
"""The levels whose first cost is news, and what that news is called."""

BILLED_LEVELS = frozenset({"provider", "account", "billing_account"})
"""The levels that a bill of their own comes for."""

NEW_AFTER = 28
"""A first cost is news so many days after the data of its provider began."""

NEW_DAYS = 7
"""The event is the first week."""

MISSING_DAYS = 2
"""A bill is missing when the newest so many days, or more, are zero."""

_USUAL_DAYS = 28
_NOTHING = 0.01
_GO_ON = 0.5


def new_series(panel: Panel) -> list[tuple[Run, str]]:
    """The first week of each series that began well after its provider did, and its kind.

    `raised` is the first day with a cost. Days that are zero before it do not count as begun.
    """
    costs = np.nan_to_num(panel.costs.to_numpy(dtype=np.float64))
    begun = np.abs(costs) > 0
    first = np.where(begun.any(axis=0), begun.argmax(axis=0), len(costs))
    provider = _keys(
        panel, [c for c in ("ServiceProviderName", "metric", "BillingCurrency") if c in panel.names]
    )
    began = {k: min(first[i] for i in np.flatnonzero(provider == k)) for k in set(provider.tolist())}
    found = []
    for series, level in enumerate(panel.names["level"]):
        day = int(first[series])
        if level not in NEW_KINDS or day >= len(costs) or day < began[provider[series]] + NEW_AFTER:
            continue
        there = np.flatnonzero(panel.table_row[: day + NEW_DAYS, series] >= 0)
        found.append((Run(series, day, int(there[-1]), day, 0.0), NEW_KINDS[level]))
    return found


def missing_bills(panel: Panel) -> list[Run]:
    """Series of a provider or an account whose newest days are zero, while the others' go on.

    The series must have cost something on nine of ten of the 28 days before; the rest of its level (same
    metric and currency) must bring in at least half of what it usually does.
    """
    costs = panel.costs.to_numpy(dtype=np.float64)
    group = _keys(panel, [c for c in ("level", "metric", "BillingCurrency") if c in panel.names])
    found = []
    for series, level in enumerate(panel.names["level"]):
        mine = costs[:, series]
        if level not in BILLED_LEVELS or len(mine) < _USUAL_DAYS + MISSING_DAYS or not np.isfinite(mine[-1]):
            continue
        usual = float(np.nanmedian(np.abs(mine[-4 * _USUAL_DAYS :])))
        some = np.flatnonzero(np.abs(np.nan_to_num(mine)) > _NOTHING * usual)
        if usual <= 0 or len(some) == 0:
            continue
        first = int(some[-1]) + 1
        before = mine[max(0, first - _USUAL_DAYS) : first]
        busy = float(np.mean(np.abs(np.nan_to_num(before)) > _NOTHING * usual))
        if len(mine) - first < MISSING_DAYS or len(before) < _USUAL_DAYS or busy < 0.9:
            continue
        rest = np.flatnonzero((group == group[series]) & (np.arange(len(group)) != series))
        if _go_on(costs[:, rest], first):
            found.append(Run(series, first, len(mine) - 1, first + MISSING_DAYS - 1, 0.0))
    return found


def _go_on(others: FloatArray, first: int) -> bool:
    """Whether the other series bring in what they usually do on the days from `first` on."""
    sums = np.nansum(others, axis=1)
    usual = float(np.median(sums[max(0, first - _USUAL_DAYS) : first]))
    return usual > 0 and float(np.median(sums[first:])) >= _GO_ON * usual


def _keys(panel: Panel, columns: list[str]) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    parts = panel.names[columns].fillna("").astype(str)
    return np.array(["\0".join(row) for row in parts.itertuples(index=False)], dtype=np.str_)
