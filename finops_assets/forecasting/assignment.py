"""Which models are tried on which series, and which of them a forecast still needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from finops_assets.forecasting.accuracy import Group
from finops_assets.forecasting.backtest import Candidates
from finops_assets.forecasting.boosted import DirectXGBoost
from finops_assets.forecasting.combination import MEMBERS
from finops_assets.forecasting.combination import NAME as COMBINATION
from finops_assets.forecasting.harmonic import TWO_YEARS, HarmonicETS
from finops_assets.forecasting.history import Series
from finops_assets.forecasting.models import MSTL, AutoETS, AutoTheta, Model
from finops_assets.forecasting.prophet import Prophet
from finops_assets.forecasting.public_holidays import Holidays

THOROUGH_SERIES = 60
"""How many series, largest money first, get the model search; the tail gets fixed, fast forms."""

PROPHET_SERIES, MSTL_SERIES = 10, 10
"""How many of these get the two slowest candidates."""

_MOST_WINDOWS, _LEAST_WINDOWS = 5, 2
_ORIGINS = 15_000
"""Origins of a backtest, all series together: as many windows as this gives, within these bounds."""


def assign_models(fleet: Sequence[Series], holidays: Holidays | None = None) -> Candidates:
    """Each series' candidates: the thorough search where the money is, fast forms in the tail.

    Totals and providers always count as money. Models that can know holidays know these.
    """
    size = [float(np.abs(s.history.values[-90:]).sum()) for s in fleet]
    order = sorted(range(len(fleet)), key=lambda i: (fleet[i].level not in {"total", "provider"}, -size[i]))
    windows = min(_MOST_WINDOWS, max(_LEAST_WINDOWS, _ORIGINS // max(1, len(fleet))))
    money = sorted(order[:THOROUGH_SERIES])
    tail = sorted(order[THOROUGH_SERIES:])
    return Candidates(
        assigned=(
            (AutoETS(thorough=True), money),
            (AutoETS(thorough=False), tail),
            (HarmonicETS(), [i for i, s in enumerate(fleet) if len(s.history) >= TWO_YEARS]),
            (AutoTheta(thorough=True), money),
            (AutoTheta(thorough=False), tail),
            (DirectXGBoost(holidays=holidays), range(len(fleet))),
            (MSTL(), whole_groups(fleet, money, MSTL_SERIES)),
            (Prophet(holidays=holidays), whole_groups(fleet, money, PROPHET_SERIES)),
        ),
        windows=[windows] * len(fleet),
    )


def whole_groups(fleet: Sequence[Series], among: Sequence[int], limit: int | None = None) -> list[int]:
    """The series `among` these whose whole group is among them, smallest groups first, up to `limit`.

    A model that knows only part of a group cannot become its champion; its fits would be for nothing.
    """
    members: dict[Group, list[int]] = {}
    for position, series in enumerate(fleet):
        members.setdefault(series.group, []).append(position)
    chosen: list[int] = []
    for group in sorted(members.values(), key=lambda g: (len(g), g)):
        if set(group) <= set(among) and (limit is None or len(chosen) + len(group) <= limit):
            chosen += group
    return sorted(chosen)


def needed(
    fleet: Sequence[Series], candidates: Candidates, winners: Mapping[Group, str]
) -> list[tuple[Model, Sequence[int]]]:
    """The models that champions are or combine, with their series; one that learns from all keeps all."""
    needed: list[tuple[Model, Sequence[int]]] = []
    for model, positions in candidates.assigned:
        wins = {model.name, COMBINATION} if model.name in MEMBERS else {model.name}
        used = [p for p in positions if winners.get(fleet[p].group) in wins]
        if used:
            needed.append((model, positions if isinstance(model, DirectXGBoost) else used))
    return needed
