"""Which days are raised: a bound on the share of false ones among all events of the fleet.

Benjamini and Hochberg's rule, over events instead of days: neighbouring odd days are one discovery (FDR of
clusters: Chumbley and Friston 2009). At the limit p, so many ordinary days are expected to be raised as
were judged times p; the largest p is taken at which they are no more than a given share of the events.
A fleet in which much happens is looked at closely, a calm one is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finops_assets.anomalies.evidence import Evidence
from finops_assets.anomalies.panel import BoolArray, FloatArray
from finops_assets.anomalies.residuals import Residuals
from finops_assets.anomalies.runs import Run, residual_runs

FALSE_SHARE = 0.15
"""Of the events of a fleet, at most this share is expected to be false."""

FALSE_DAYS_A_YEAR = 0.8
"""The budget: so many ordinary days of a series and year at most, whatever the share."""

STRICT_DAYS_A_YEAR = 0.1
"""At this many the events are plain, and say nothing of ordinary days."""

SETTLING_DAYS = 28
"""So long a series needs to get used to a new level: these days say nothing of ordinary ones either."""

_AFTER_DAYS = 3

P_LIMIT = FALSE_DAYS_A_YEAR / 365
"""The largest p-value that a day is ever raised at."""


def ordinary_days(evidence: Evidence, residuals: Residuals) -> BoolArray:
    """All days but those of plain events, and of the weeks in which their series settles after them."""
    ordinary = np.ones(evidence.oddness.shape, dtype=np.bool_)
    strict = np.full(evidence.oddness.shape[1], STRICT_DAYS_A_YEAR / 365)
    for run in residual_runs(evidence, evidence.p(), residuals, strict):
        after = SETTLING_DAYS if run.is_long else _AFTER_DAYS
        ordinary[max(0, run.first - 1) : run.last + 1 + after, run.series] = False
    return ordinary


def controlled_limit(runs: Sequence[Run], p: FloatArray) -> float:
    """The p-value that days are raised at.

    `runs` are the events at `P_LIMIT`, `p` is days × series, NaN where not judged. Without an
    event that keeps the bound it is what a single one would have to keep.
    """
    tests = max(1, int(np.isfinite(p).sum()))
    least = np.sort([run.p for run in runs])
    kept = least * tests <= FALSE_SHARE * np.arange(1, len(least) + 1)
    return float(least[kept][-1]) if kept.any() else min(P_LIMIT, FALSE_SHARE / tests)
