"""What is known in advance, as the fleet takes it: cleaned out of its past, and put into its forecasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from finops_assets.forecasting.backtest import sign_bounds
from finops_assets.forecasting.hierarchy import LEAF, Hierarchy
from finops_assets.forecasting.history import Series
from finops_assets.forecasting.planned import Planned, applied, cleaned, holds, touches
from finops_assets.forecasting.public_holidays import Holidays


@dataclass(frozen=True)
class Facts:
    """All that is known in advance."""

    planned: Sequence[Planned] = ()
    holidays: Holidays | None = None


NOTHING = Facts()


def newest_day(fleet: Sequence[Series]) -> np.datetime64:
    """The newest day that any series has."""
    return max((s.history.last_day for s in fleet), default=np.datetime64("1970-01-01"))


def without_planned(
    fleet: Sequence[Series],
    names: Sequence[Mapping[str, object]],
    hierarchy: Hierarchy,
    plans: Sequence[Planned],
) -> list[Series]:
    """The fleet with what was planned taken out of its past (`planned.cleaned`), each sum as its leaves.

    `names` has the names of each series, in the fleet's order.
    """
    if not plans:
        return list(fleet)
    newest, made = newest_day(fleet), list(fleet)
    for position, series in enumerate(fleet):
        if position in hierarchy.members:
            continue
        concerns = holds if series.level == LEAF else touches
        mine = [plan for plan in plans if concerns(plan, names[position])]
        made[position] = replace(series, history=cleaned(series.history, mine, newest))
    for position, leaves in hierarchy.members.items():
        made[position] = _as_leaves(fleet, made, position, leaves)
    return made


def _as_leaves(
    fleet: Sequence[Series], made: Sequence[Series], position: int, leaves: Sequence[int]
) -> Series:
    """A sum, changed by what its leaves were changed by on the days it has."""
    series = fleet[position]
    values = series.history.values.copy()
    for leaf in leaves:
        if made[leaf].history is fleet[leaf].history:
            continue
        change = made[leaf].history.values - fleet[leaf].history.values
        start = int((fleet[leaf].history.first_day - series.history.first_day).astype(np.int64))
        end = min(len(values), start + len(change))
        values[start:end] += change[: end - start]
    return replace(series, history=series.history.with_values(values))


def with_planned(
    fleet: Sequence[Series],
    names: Sequence[Mapping[str, object]],
    made: Mapping[int, pd.DataFrame],
    plans: Sequence[Planned],
) -> dict[int, pd.DataFrame]:
    """The forecasts of some series by position, with what is planned in those of the leaves among them."""
    leaves = {p: frame for p, frame in made.items() if fleet[p].level == LEAF}
    if not plans or not leaves:
        return dict(made)
    lowest = {p: sign_bounds(fleet[p].history)[0] for p in leaves}
    return {**made, **applied(leaves, {p: names[p] for p in leaves}, lowest, plans, newest_day(fleet))}
