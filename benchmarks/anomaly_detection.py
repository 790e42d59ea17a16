"""How well anomalies are found, beside five usual ways, on fleets whose anomalies are known.

    python -m benchmarks.anomaly_detection              # the reported seeds, some ten minutes
    python -m benchmarks.anomaly_detection --seeds 3 4  # others
    python -m benchmarks.anomaly_detection --ours-only  # without the usual ways, a minute

Prints for each fleet and detector: precision, recall and F1 of events, false events a series-year, mean
delay in days of what is no drift (from the first odd day to the day whose cost raised it), mean delay of
drifts, which creep and are counted apart, and recall of anomalies over half of a series' mean a day; for
ours the worst seed too. An event that shares a day with an anomaly of its series found it; further events
inside the same anomaly count neither way. Thresholds of the others are those of the best F1 on the
calibration seed, and STL and Prophet see the days to come; ours is fixed in the code and looks back only.
The slow ones are shown the first 40 series of each fleet of the first seed.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import date

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.anomaly_fleets import WARM_UP, Fleet, Floats, made_fleet, real_fleet
from finops_assets.anomalies.events import event_rows
from finops_assets.anomalies.table import features_of_table

CALIBRATION_SEED = 1
SEEDS = (11, 12)
SIZES = ((100, 420), (100, 730), (300, 420))
REAL_SEEDS = 3
"""Anomalies are put into the real series, which are few, so many times for each seed."""

SLOW_SERIES = 40


@dataclass(frozen=True)
class Found:
    """An event: positions of its first and last day, and of the day whose cost raised it."""

    series: str
    first: int
    last: int
    raised: int


def ours(fleet: Fleet) -> list[Found]:
    rows = event_rows(features_of_table(fleet.table()), last_days=10_000)
    return [
        Found(r["series_id"], *(_position(fleet, r[c]) for c in ("first_day", "last_day", "raised_on")))
        for r in rows
    ]


def _position(fleet: Fleet, day: date) -> int:
    return (day - fleet.first_day).days


def over_mean(fleet: Fleet) -> dict[str, Floats]:
    """The share by which a day is over the mean of the 30 days before."""
    return {
        name: (pd.Series(v) / pd.Series(v).rolling(30, min_periods=14).mean().shift(1) - 1).abs().to_numpy()
        for name, v in fleet.series.items()
    }


def robust_z(fleet: Fleet) -> dict[str, Floats]:
    """Distance from the median of the 28 days before in median absolute deviations."""
    found = {}
    for name, v in fleet.series.items():
        past = pd.Series(v).rolling(28, min_periods=14)
        median = past.median().shift(1)
        mad = past.apply(lambda w: np.median(np.abs(w - np.median(w))), raw=True).shift(1)
        floor = 0.01 * median.abs() + 0.01
        found[name] = ((pd.Series(v) - median).abs() / (1.4826 * mad + floor)).to_numpy()
    return found


def raw_forest(fleet: Fleet) -> dict[str, Floats]:
    """How isolated a day's own cost is in its series."""
    from sklearn.ensemble import IsolationForest

    found = {}
    for name, v in fleet.series.items():
        there = np.isfinite(v)
        column = v[there].reshape(-1, 1)
        score = np.full(len(v), np.nan)
        if len(column) >= 30:
            score[there] = -IsolationForest(n_estimators=50, random_state=0).fit(column).score_samples(column)
        found[name] = score
    return found


def stl(fleet: Fleet) -> dict[str, Floats]:
    """The remainder of a weekly STL of the whole series in median absolute deviations."""
    from statsforecast.mstl import mstl

    found = {}
    for name, v in fleet.series.items():
        there = np.isfinite(v)
        score = np.full(len(v), np.nan)
        if there.sum() >= 28:
            left = mstl(v[there], period=7, stl_kwargs={"robust": True})["remainder"].to_numpy()
            mad = np.median(np.abs(left - np.median(left)))
            score[there] = np.abs(left) / (1.4826 * mad + 0.01)
        found[name] = score
    return found


def prophet_interval(fleet: Fleet) -> dict[str, Floats]:
    """How many half widths of Prophet's 99% interval, fitted to the whole series, a day is off."""
    from prophet import Prophet

    logging.getLogger("cmdstanpy").disabled = True
    found = {}
    for name, v in fleet.series.items():
        there = np.isfinite(v)
        score = np.full(len(v), np.nan)
        if there.sum() >= 28:
            days = pd.date_range(fleet.first_day, periods=len(v))
            frame = pd.DataFrame({"ds": days[there], "y": v[there]})
            model = Prophet(interval_width=0.99, uncertainty_samples=200, daily_seasonality=False)
            np.random.seed(0)
            said = model.fit(frame, seed=0).predict(frame)
            half = (said["yhat_upper"] - said["yhat_lower"]).to_numpy() / 2
            score[there] = np.abs(v[there] - said["yhat"].to_numpy()) / np.maximum(half, 0.01)
        found[name] = score
    return found


def first_series(fleet: Fleet, count: int) -> Fleet:
    """The fleet's first so many series."""
    kept = dict(list(fleet.series.items())[:count])
    return replace(fleet, series=kept, truth=tuple(t for t in fleet.truth if t.series in kept))


BASELINES: dict[str, tuple[Callable[[Fleet], dict[str, Floats]], Iterable[float]]] = {
    "fixed % over the mean": (over_mean, (0.3, 0.5, 0.75, 1.0, 1.5)),
    "robust z-score": (robust_z, (3.5, 5.0, 7.0, 10.0, 15.0)),
    "IsolationForest, raw": (raw_forest, (0.6, 0.65, 0.7, 0.75, 0.8)),
    "STL + MAD": (stl, (4.0, 6.0, 8.0, 12.0, 20.0)),
    "Prophet's interval": (prophet_interval, (1.0, 1.5, 2.0, 3.0, 5.0)),
}
SLOW = frozenset({"IsolationForest, raw", "STL + MAD", "Prophet's interval"})
"""These are shown the first series of each fleet of the first seed."""


def runs_over(scores: dict[str, Floats], threshold: float) -> list[Found]:
    """Neighbouring days over the threshold are one event."""
    found = []
    for name, score in scores.items():
        days = np.flatnonzero(np.nan_to_num(score) > threshold)
        for run in np.split(days, np.flatnonzero(np.diff(days) > 3) + 1):
            if len(run):
                found.append(Found(name, int(run[0]), int(run[-1]), int(run[0])))
    return found


@dataclass(frozen=True)
class Measured:
    """The figures of one detector on one or more fleets."""

    precision: float
    recall: float
    f1: float
    false_a_year: float
    delay: float
    drift_delay: float
    large_recall: float
    by_kind: dict[str, float]


def measure(fleets: list[Fleet], found: list[list[Found]]) -> Measured:
    hits: list[bool] = []
    large: list[bool] = []
    delays: list[int] = []
    drifts: list[int] = []
    false = 0
    kinds: dict[str, list[bool]] = {}
    for fleet, events in zip(fleets, found, strict=True):
        judged = [e for e in events if e.raised >= WARM_UP]
        explained = set()
        for truth in fleet.truth:
            mine = [
                e
                for e in judged
                if e.series == truth.series and e.first <= truth.last and e.last >= truth.first
                and e.raised >= truth.first
            ]  # fmt: skip
            explained.update(mine)
            hits.append(bool(mine))
            kinds.setdefault(truth.kind, []).append(bool(mine))
            if truth.size > 0.5:
                large.append(bool(mine))
            if mine:
                delay = min(e.raised for e in mine) - truth.first
                (drifts if truth.kind == "drift" else delays).append(delay)
        false += sum(e not in explained for e in judged)
    recall = float(np.mean(hits))
    precision = sum(hits) / max(1, sum(hits) + false)
    return Measured(
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / max(1e-9, precision + recall),
        false_a_year=false / sum(f.years for f in fleets),
        delay=float(np.mean(delays)) if delays else float("nan"),
        drift_delay=float(np.mean(drifts)) if drifts else float("nan"),
        large_recall=float(np.mean(large)) if large else float("nan"),
        by_kind={k: float(np.mean(v)) for k, v in sorted(kinds.items())},
    )


def fleets_of(seeds: Iterable[int]) -> dict[str, list[Fleet]]:
    """Fleets by name, one a seed."""
    seeds = list(seeds)
    made = {
        f"made up, {n} series x {d} days": [made_fleet(n, d, 1000 * s + n + d) for s in seeds]
        for n, d in SIZES
    }
    real = [real_fleet(REAL_SEEDS * s + n) for s in seeds for n in range(REAL_SEEDS)]
    return {**made, "real series, anomalies put in": real}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--ours-only", action="store_true")
    asked = parser.parse_args()
    console = Console(width=150)
    table = RichTable(title=f"Anomaly detection, seeds {', '.join(map(str, asked.seeds))}")
    for heading in ("Fleet", "Detector"):
        table.add_column(heading)
    for heading in ("Precision", "Recall", "F1", "False/yr", "Delay", "Drift delay", "Recall > 1/2"):
        table.add_column(heading, justify="right")
    kinds = RichTable(title="Our recall by kind")
    calibration = {} if asked.ours_only else fleets_of([CALIBRATION_SEED])
    for name, fleets in fleets_of(asked.seeds).items():
        found = [ours(f) for f in fleets]
        best = measure(fleets, found)
        _show(table, name, "ours", best)
        _show(
            table,
            "",
            "ours, worst seed",
            _worst([measure([f], [e]) for f, e in zip(fleets, found, strict=True)]),
        )
        if not kinds.columns:
            for heading in ("Fleet", *best.by_kind):
                kinds.add_column(heading)
        kinds.add_row(
            name, *(f"{best.by_kind.get(str(c.header), float('nan')):.2f}" for c in kinds.columns[1:])
        )
        for label, (score, thresholds) in {} if asked.ours_only else BASELINES.items():
            count = SLOW_SERIES if label in SLOW else 10_000
            known = [first_series(f, count) for f in calibration[name][:1]]
            shown = [first_series(f, count) for f in fleets[: 1 if label in SLOW else None]]
            known_scores = [score(f) for f in known]
            chosen = max(
                thresholds,
                key=lambda t: measure(known, [runs_over(s, t) for s in known_scores]).f1,
            )
            _show(
                table,
                "",
                f"{label} ({chosen:g})",
                measure(shown, [runs_over(score(f), chosen) for f in shown]),
            )
    console.print(table)
    console.print(kinds)


def _worst(seeds: list[Measured]) -> Measured:
    """Each figure of the seed that has the worst of it."""
    least = {"precision", "recall", "f1", "large_recall"}
    figures = {
        f.name: (min if f.name in least else max)(getattr(m, f.name) for m in seeds)
        for f in fields(Measured)
        if f.name != "by_kind"
    }
    return Measured(**figures, by_kind={})


def _show(table: RichTable, fleet: str, detector: str, m: Measured) -> None:
    figures = (m.precision, m.recall, m.f1, m.false_a_year, m.delay, m.drift_delay, m.large_recall)
    table.add_row(fleet, detector, *(f"{v:.2f}" for v in figures))


if __name__ == "__main__":
    main()
