"""Odd days of a series that belong together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finops_assets.anomalies.drift import SPAN, Drift
from finops_assets.anomalies.evidence import Evidence
from finops_assets.anomalies.panel import BoolArray, FloatArray
from finops_assets.anomalies.residuals import WEEK, Residuals

JOIN_Z = 2.5
"""A neighbouring day that leaves to the same side by this much belongs to the event."""

BEGIN_Z = 1.0
"""Days of an odd sum that lean this much are the event's from its first on."""

BRIDGED_DAYS = 2
"""So many ordinary days may lie inside an event: a weekend hides a shift of the working days."""

SHIFT_DAYS = 7
"""An event of a week or more is a new level rather than a spike or a drop."""

DRIFT_Z = 4.5
"""The change of level, in robust standard deviations, that is a drift."""


@dataclass(frozen=True)
class Run:
    """Neighbouring odd days of one series: positions in the panel, last one included.

    `raised` is the day whose cost first made it an event, `p` the least p-value of its days.
    """

    series: int
    first: int
    last: int
    raised: int
    p: float
    is_drift: bool = False

    @property
    def is_long(self) -> bool:
        """Whether it lasts a week or more."""
        return self.last - self.first + 1 >= SHIFT_DAYS


def residual_runs(evidence: Evidence, p: FloatArray, residuals: Residuals, limit: FloatArray) -> list[Run]:
    """Days whose p-value keeps to their series' `limit`, with the days beside them that lean the same way."""
    z = np.nan_to_num(residuals.z)
    flagged = np.nan_to_num(p, nan=1.0) <= limit
    found = []
    for series in np.flatnonzero(flagged.any(axis=0)):
        mine, odd, side = z[:, series], flagged[:, series], evidence.side[:, series]
        until = -WEEK
        for day in np.flatnonzero(odd):
            window = int(evidence.window[day, series])
            # A sum that still holds days of the event before is no news of its own.
            if day <= until or (day - window < until and np.abs(mine[day]) < JOIN_Z):
                continue
            leaning = np.sign(mine) == side[day]
            joined = leaning & ((np.abs(mine) >= JOIN_Z) | (odd & (np.abs(mine) >= BEGIN_Z)))
            begin = _beginning(mine * side[day], int(day), window, until)
            first, last = _stretch(joined, begin, int(day), until)
            least = float(np.nanmin(p[first : last + 1, series]))
            found.append(Run(int(series), first, last, int(day), least))
            until = last
    return found


def _beginning(leaning: FloatArray, day: int, window: int, until: int) -> int:
    earliest = max(0, until + 1, day - window + 1)
    inside = np.flatnonzero(leaning[earliest : day + 1] >= BEGIN_Z)
    return earliest + int(inside[0]) if len(inside) else day


def _stretch(joined: BoolArray, first: int, day: int, until: int) -> tuple[int, int]:
    while first - 1 > max(until, -1) and joined[first - 1]:
        first -= 1
    last = day
    ahead = np.flatnonzero(joined[last + 1 :]) + last + 1
    for position in ahead:
        # The same weekday a week later goes on with a weekend that has changed.
        weekly = position - WEEK >= first and joined[position - WEEK]
        if position - last > (WEEK if weekly else BRIDGED_DAYS + 1):
            break
        last = int(position)
    return first, last


def is_creeping(run: Run, drift: Drift) -> bool:
    """Whether a long run is the beginning of a drift: the four weeks from it on go by small steps."""
    ahead = np.abs(drift.z[run.first : run.last + SPAN + 1, run.series])
    return run.is_long and bool((ahead >= DRIFT_Z).any())


def drift_runs(drift: Drift, p: FloatArray, factor: FloatArray, others: list[Run]) -> list[Run]:
    """Stretches of drift; a new level that was raised within them is news already, and no drift."""
    levels = [(r.series, r.first, r.last) for r in others if r.is_long]
    found = []
    odd = np.abs(drift.z) >= DRIFT_Z * factor
    for series in np.flatnonzero(odd.any(axis=0)):
        known = [(first, last) for s, first, last in levels if s == series]
        until = -1
        for day in np.flatnonzero(odd[:, series]):
            if day <= until:
                continue
            first = max(0, int(day) - SPAN + 1)
            last = int(day)
            same = np.sign(drift.z[:, series]) == np.sign(drift.z[day, series])
            for position in np.flatnonzero(odd[:, series] & same):
                if last < position <= last + WEEK:
                    last = int(position)
            until = last + SPAN
            earliest = min(first, int(day) - int(drift.span[day, series])) - WEEK
            if any(f <= last and end >= earliest for f, end in known):
                continue
            least = float(np.nanmin(p[day : last + 1, series]))
            found.append(Run(int(series), first, last, int(day), least, is_drift=True))
    return found
