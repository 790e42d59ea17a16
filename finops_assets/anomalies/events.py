"""Days that left what was expected of them become events, with an exact impact."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from finops_assets.anomalies.arrivals import missing_bills, new_series
from finops_assets.anomalies.conformal import p_values
from finops_assets.anomalies.discovery import P_LIMIT, controlled_limit, ordinary_days
from finops_assets.anomalies.drift import Drift, drift_statistic
from finops_assets.anomalies.evidence import gather
from finops_assets.anomalies.feedback import silenced, threshold_factors
from finops_assets.anomalies.panel import FloatArray, Panel, read_panel
from finops_assets.anomalies.planned import foreseen
from finops_assets.anomalies.reasons import reason
from finops_assets.anomalies.residuals import WEEK, Residuals, seasonal_residuals
from finops_assets.anomalies.runs import Run, drift_runs, is_creeping, residual_runs
from finops_assets.anomalies.stories import story_ids
from finops_assets.series import SERIES_COLUMNS

LAST_DAYS = 400
"""How far back events are looked for."""

MIN_SHARE = 0.002
"""Below this share of a day's total cost (same metric and currency) an event is not worth a look."""

MIN_IMPACT = Decimal("1.00")
"""Below this amount of money neither."""

_CENT = Decimal("0.01")
_MONEY = pa.decimal128(38, 18)
_SEVERITIES = ((0.5, "critical"), (0.1, "high"), (0.02, "medium"))
_ALONE = "series"
"""The level of series that are no parts of one bill, and whose figures may be no money."""


def detect_events(
    features: pa.Table,
    *,
    last_days: int = LAST_DAYS,
    feedback: pa.Table | None = None,
    planned: pa.Table | None = None,
) -> pa.Table:
    """The events of a `cost_features` table: COST_ANOMALIES' columns but status, first_seen and data_at.

    `actual` is the exact sum of the event's days, `expected` is rounded to cents and `impact` is their
    exact difference. Days that are still arriving are never part of an event. `feedback` is what people
    said of earlier events (`feedback.FEEDBACK`), `planned` what they marked in advance (`planned_changes`).
    Deterministic; sorted by first day and series.
    """
    rows = event_rows(features, last_days=last_days, feedback=feedback, planned=planned)
    return pa.Table.from_pylist(rows, schema=EVENTS)


def event_rows(
    features: pa.Table,
    *,
    last_days: int = LAST_DAYS,
    feedback: pa.Table | None = None,
    planned: pa.Table | None = None,
) -> list[dict[str, Any]]:
    """The events as rows of EVENTS."""
    # The oldest judged day needs a history of its own, which gives no events.
    warm_up = 120
    panel = read_panel(features, last_days + warm_up)
    if panel.costs.empty:
        return []
    judged_from = max(0, len(panel.costs) - last_days)
    view = _View(panel, seasonal_residuals(panel), drift_statistic(panel.costs), _daily_totals(panel))
    rows = [row for found in _found(view, judged_from, feedback) if (row := view.row(*found)) is not None]
    # A spike on the very first day of a drift has the drift's name: the larger impact is the event.
    rows.sort(key=lambda r: abs(r["impact"]))
    rows = list({r["anomaly_id"]: r for r in rows}.values())
    rows.sort(key=lambda r: (r["first_day"], r["series_id"]))
    quiet = zip(silenced(rows, feedback), foreseen(rows, planned), strict=True)
    rows = [row for row, told in zip(rows, quiet, strict=True) if not any(told)]
    return [{**row, "story_id": story} for row, story in zip(rows, story_ids(rows), strict=True)]


EVENTS = pa.schema(
    [
        ("anomaly_id", pa.string()),
        *((c, pa.string()) for c in SERIES_COLUMNS),
        ("first_day", pa.date32()),
        ("last_day", pa.date32()),
        ("raised_on", pa.date32()),
        ("kind", pa.string()),
        ("expected", _MONEY),
        ("actual", _MONEY),
        ("impact", _MONEY),
        ("score", pa.float64()),
        ("p_value", pa.float64()),
        ("severity", pa.string()),
        ("reason", pa.string()),
        ("story_id", pa.string()),
    ]
)
"""What `detect_events` gives."""


def score_of(p: float) -> float:
    """0 to 1: one half at the largest p-value that is ever raised, near 1 far beyond ordinary days."""
    return float(1 - 0.5 * min(1.0, (p / P_LIMIT) ** 0.25))


def _found(view: _View, judged_from: int, feedback: pa.Table | None) -> list[tuple[Run, str | None]]:
    """The runs of the judged days, with their kind where it is not that of their length and side."""
    panel = view.panel
    factors = threshold_factors(feedback)
    factor = np.array([factors.get(str(s), 1.0) for s in panel.names["series_id"]], dtype=np.float64)
    evidence = gather(panel, view.residuals)
    p = evidence.p(ordinary_days(evidence, view.residuals))
    p[:judged_from] = np.nan
    widest = residual_runs(evidence, p, view.residuals, np.full(len(factor), P_LIMIT))
    limit = controlled_limit(widest, p)
    odd = residual_runs(evidence, p, view.residuals, np.minimum(limit**factor, P_LIMIT))
    missing = missing_bills(panel)
    gone = {(run.series, run.last): run.first for run in missing}
    # A drop that goes on to the newest day is the missing bill itself.
    odd = [r for r in odd if r.first < gone.get((r.series, len(panel.costs) - 1), len(panel.costs))]
    drift = np.where(np.isfinite(view.residuals.z), np.abs(view.drift.z), np.nan)
    creeping = drift_runs(view.drift, np.minimum(p_values(drift), P_LIMIT), factor, odd)
    return [
        *((run, "drift" if is_creeping(run, view.drift) else None) for run in odd),
        *((run, "drift") for run in creeping if run.raised >= judged_from),
        *((run, "missing_bill") for run in missing),
        *((run, kind) for run, kind in new_series(panel) if run.raised >= judged_from),
    ]


@dataclass(frozen=True)
class _View:
    """All that is known about the panel's days."""

    panel: Panel
    residuals: Residuals
    drift: Drift
    totals: FloatArray

    def row(self, run: Run, kind: str | None) -> dict[str, Any] | None:
        """The run as a row of the table, or None when it is not worth a look."""
        panel = self.panel
        at = panel.table_row[run.first : run.last + 1, run.series]
        actual = sum((c.as_py() for c in panel.table["cost"].take(pa.array(at[at >= 0]))), Decimal(0))
        names = {c: _text(panel.names.iloc[run.series][c]) for c in SERIES_COLUMNS}
        expected = Decimal(repr(self._expected(run, kind))).quantize(_CENT)
        impact = actual - expected
        total = self.totals[run.series]
        share = abs(float(impact)) / total if total > 0 else 1.0
        least = Decimal(0) if names["level"] == _ALONE else MIN_IMPACT
        if abs(impact) <= least or share < MIN_SHARE:
            return None
        first_day, last_day, raised_on = (
            panel.costs.index[i].date() for i in (run.first, run.last, run.raised)
        )
        kind = kind or _kind(impact, run)
        return {
            "anomaly_id": anomaly_id(str(names["series_id"]), first_day),
            **names,
            "first_day": first_day,
            "last_day": last_day,
            "raised_on": raised_on,
            "kind": kind,
            "expected": expected,
            "actual": actual,
            "impact": impact,
            "score": score_of(run.p),
            "p_value": run.p,
            "severity": severity(share),
            "reason": reason(kind, first_day, last_day, expected, actual, names["BillingCurrency"], run.p),
        }

    def _expected(self, run: Run, kind: str | None) -> float:
        """What the run's days would have cost."""
        days = slice(run.first, run.last + 1)
        cost = self.panel.costs.iloc[days, run.series].to_numpy(dtype=np.float64)
        if kind is not None and kind.startswith("new_"):
            return 0.0
        if kind == "missing_bill":
            usual = self.panel.costs.iloc[max(0, run.first - 28) : run.first, run.series]
            return float(usual.mean()) * int(np.isfinite(cost).sum())
        if run.is_drift:
            weekly = self.panel.costs.iloc[:, run.series].rolling(7, min_periods=5).median().iloc[days]
            usual_level = self.drift.usual[run.raised, run.series]
            ratio = usual_level / weekly.where(weekly > 0).to_numpy()
            return float(np.nansum(np.where(np.isfinite(ratio), cost * ratio, cost)))
        expected = cost - np.nan_to_num(self.residuals.residual[days, run.series])
        edges = (self.panel.is_month_start | self.panel.is_month_end)[days]
        # The level gets used to an event while it lasts: its second week would have cost what the first did.
        for day in range(WEEK, len(expected)):
            if not (edges[day] or edges[day - WEEK]):
                expected[day] = expected[day - WEEK]
        return float(np.nansum(np.where(np.isfinite(cost), expected, np.nan)))


def _daily_totals(panel: Panel) -> FloatArray:
    """For each series, an ordinary day's total cost in its metric and currency."""
    typical = panel.costs.abs().tail(90).mean().fillna(0.0).to_numpy()
    names = panel.names.assign(typical=typical)
    totals = names[names["level"] == "total"].set_index(["metric", "BillingCurrency"])["typical"]
    largest = names.groupby(["metric", "BillingCurrency"], dropna=False)["typical"].max()
    keys = list(zip(names["metric"], names["BillingCurrency"], strict=True))
    shared = np.array([totals.get(k, largest.get(k, 0.0)) for k in keys], dtype=np.float64)
    return np.where(names["level"] == _ALONE, typical, shared)


def anomaly_id(series_id: str, first_day: date) -> str:
    """The event's stable name: later days of the same event do not change it."""
    return hashlib.sha256(f"{series_id}\0{first_day.isoformat()}".encode()).hexdigest()[:16]


def severity(share: float) -> str:
    """By impact as a share of an ordinary day's total cost."""
    return next((name for least, name in _SEVERITIES if share >= least), "low")


def _kind(impact: Decimal, run: Run) -> str:
    if run.is_long:
        return "level_shift"
    return "spike" if impact > 0 else "drop"


def _text(value: str | float | None) -> str | None:
    return None if pd.isna(value) else str(value)
