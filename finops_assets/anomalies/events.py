"""Days that left what was expected of them become events, with an exact impact."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa

from finops_assets.anomalies.isolation import isolation_scores
from finops_assets.anomalies.panel import SERIES_COLUMNS, BoolArray, FloatArray, Panel, read_panel
from finops_assets.anomalies.residuals import Residuals, seasonal_residuals

LAST_DAYS = 400
"""How far back events are looked for."""

THRESHOLD = 0.5
"""The combined score from which a day is an anomaly."""

HALF_SCORE_Z = 4.5
"""The residual, in robust standard deviations, whose score is one half."""

JOIN_Z = 2.5
"""A neighbouring day that leaves to the same side by this much belongs to the event."""

BRIDGED_DAYS = 2
"""So many ordinary days may lie inside an event: a weekend hides a shift of the working days."""

SHIFT_DAYS = 7
"""An event of a week or more is a new level rather than a spike or a drop."""

MIN_SHARE = 0.002
"""Below this share of a day's total cost (same metric and currency) an event is not worth a look."""

MIN_IMPACT = Decimal("1.00")
_CENT = Decimal("0.01")
_MONEY = pa.decimal128(38, 18)
_SEVERITIES = ((0.5, "critical"), (0.1, "high"), (0.02, "medium"))


@dataclass(frozen=True)
class Run:
    """Neighbouring anomalous days of one series: positions in the panel, last one included."""

    series: int
    first: int
    last: int
    score: float


def detect_events(features: pa.Table, *, last_days: int = LAST_DAYS) -> pa.Table:
    """The events of a `cost_features` table: COST_ANOMALIES' columns but status and first_seen.

    `actual` is the exact sum of the event's days, `expected` is rounded to cents and `impact` is their
    exact difference. Days that are still arriving are never part of an event. Deterministic; sorted
    by first day and series.
    """
    # The oldest judged day needs a history of its own, which gives no events.
    warm_up = 120
    panel = read_panel(features, last_days + warm_up)
    residuals = seasonal_residuals(panel)
    score = combined_score(panel, residuals)
    first_judged = max(0, len(panel.costs) - last_days)
    score[:first_judged] = 0.0
    totals = _daily_totals(panel)
    rows = [
        row for run in _runs(score, residuals) if (row := _event(panel, residuals, run, totals)) is not None
    ]
    rows.sort(key=lambda r: (r["first_day"], r["series_id"]))
    return pa.Table.from_pylist(rows, schema=EVENTS)


EVENTS = pa.schema(
    [
        ("anomaly_id", pa.string()),
        *((c, pa.string()) for c in SERIES_COLUMNS),
        ("first_day", pa.date32()),
        ("last_day", pa.date32()),
        ("kind", pa.string()),
        ("expected", _MONEY),
        ("actual", _MONEY),
        ("impact", _MONEY),
        ("score", pa.float64()),
        ("severity", pa.string()),
    ]
)
"""What `detect_events` gives."""


def combined_score(panel: Panel, residuals: Residuals) -> FloatArray:
    """0 to 1 for each day and series: two thirds the seasonal residual, one third the forest.

    The forest alone never raises a day: it confirms, or calms, a residual that is already large.
    """
    z = np.nan_to_num(np.abs(residuals.z))
    own = 1 - 0.5 ** ((z / HALF_SCORE_Z) ** 2)
    candidates = np.argwhere(z >= JOIN_Z)
    fleet = isolation_scores(panel, residuals, candidates.astype(np.float64))
    score = np.zeros_like(z)
    at = tuple(candidates.T)
    score[at] = (2 * own[at] + fleet) / 3
    return score


def _runs(score: FloatArray, residuals: Residuals) -> list[Run]:
    """Anomalous days with the days beside them that lean the same way; two others may lie between."""
    z = np.nan_to_num(residuals.z)
    found = []
    for series in np.flatnonzero((score >= THRESHOLD).any(axis=0)):
        mine = z[:, series]
        flagged = score[:, series] >= THRESHOLD
        until = -1
        for day in np.flatnonzero(flagged):
            if day <= until:
                continue
            leaning = np.sign(mine) == np.sign(mine[day])
            joined = leaning & ((np.abs(mine) >= JOIN_Z) | flagged)
            first, last = _stretch(joined, int(day), until)
            found.append(Run(int(series), first, last, float(score[first : last + 1, series].max())))
            until = last
    return found


def _stretch(joined: BoolArray, day: int, until: int) -> tuple[int, int]:
    first = day
    while first - 1 > until and joined[first - 1]:
        first -= 1
    last = day
    ahead = np.flatnonzero(joined[last + 1 :]) + last + 1
    for position in ahead:
        if position - last > BRIDGED_DAYS + 1:
            break
        last = int(position)
    return first, last


def _daily_totals(panel: Panel) -> FloatArray:
    """For each series, an ordinary day's total cost in its metric and currency."""
    typical = panel.costs.abs().tail(90).mean().fillna(0.0).to_numpy()
    names = panel.names.assign(typical=typical)
    totals = names[names["level"] == "total"].set_index(["metric", "BillingCurrency"])["typical"]
    largest = names.groupby(["metric", "BillingCurrency"], dropna=False)["typical"].max()
    keys = list(zip(names["metric"], names["BillingCurrency"], strict=True))
    return np.array([totals.get(k, largest.get(k, 0.0)) for k in keys], dtype=np.float64)


def _event(panel: Panel, residuals: Residuals, run: Run, totals: FloatArray) -> dict[str, object] | None:
    """The run as a row of the table, or None when it is not worth a look."""
    at = panel.table_row[run.first : run.last + 1, run.series]
    actual = sum((c.as_py() for c in panel.table["cost"].take(pa.array(at))), Decimal(0))
    days = slice(run.first, run.last + 1)
    cost = panel.costs.iloc[days, run.series].to_numpy(dtype=np.float64)
    wanted = float(np.nansum(cost - np.nan_to_num(residuals.residual[days, run.series])))
    expected = Decimal(repr(wanted)).quantize(_CENT)
    impact = actual - expected
    share = abs(float(impact)) / totals[run.series] if totals[run.series] > 0 else 1.0
    if abs(impact) < MIN_IMPACT or share < MIN_SHARE:
        return None
    first_day, last_day = (_date(panel.costs.index[i]) for i in (run.first, run.last))
    names = {c: _text(panel.names.iloc[run.series][c]) for c in SERIES_COLUMNS}
    return {
        "anomaly_id": anomaly_id(str(names["series_id"]), first_day),
        **names,
        "first_day": first_day,
        "last_day": last_day,
        "kind": _kind(impact, last_day - first_day),
        "expected": expected,
        "actual": actual,
        "impact": impact,
        "score": run.score,
        "severity": severity(share),
    }


def anomaly_id(series_id: str, first_day: date) -> str:
    """The event's stable name: later days of the same event do not change it."""
    return hashlib.sha256(f"{series_id}\0{first_day.isoformat()}".encode()).hexdigest()[:16]


def severity(share: float) -> str:
    """By impact as a share of an ordinary day's total cost."""
    return next((name for least, name in _SEVERITIES if share >= least), "low")


def _kind(impact: Decimal, length: timedelta) -> str:
    if length.days + 1 >= SHIFT_DAYS:
        return "level_shift"
    return "spike" if impact > 0 else "drop"


def _date(stamp: pd.Timestamp) -> date:
    return stamp.date()


def _text(value: object) -> str | None:
    return None if value is None or value is pd.NA or value != value else str(value)  # noqa: PLR0124 - NaN
