"""What people said of earlier events: what was expected is not raised again, and thresholds adapt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

FEEDBACK = pa.schema(
    [
        ("series_id", pa.string()),
        ("kind", pa.string()),
        ("first_day", pa.date32()),
        ("last_day", pa.date32()),
        ("impact", pa.decimal128(38, 18)),
        ("verdict", pa.string()),
        ("said_at", pa.timestamp("us", "UTC")),
    ]
)
"""The columns that are read of a table of feedback; verdict is expected, planned, real or resolved."""

SAME_SIZE = 2.0
"""On the same day of a month, a daily impact within this factor is the one that was judged."""

SAME_LEVEL = 1.15
"""On any other day, within this one."""

HIGHEST, LOWEST = 1.5, 0.8
"""The bounds of a series' threshold factor."""

_UP, _DOWN = 0.125, 0.1
_CALM = frozenset({"expected", "planned"})


def threshold_factors(feedback: pa.Table | None) -> dict[str, float]:
    """series_id → the factor on its threshold (on -log10 of the p-value); 1 for a series not named.

    The first 'expected' changes nothing, each further one adds an eighth up to 1.5; each 'real' takes a
    tenth, down to 0.8.
    """
    said: dict[str, list[str]] = {}
    for row in _newest(feedback):
        said.setdefault(row["series_id"], []).append(row["verdict"])
    factors = {}
    for series, verdicts in said.items():
        more = _UP * max(0, verdicts.count("expected") - 1)
        factors[series] = min(HIGHEST, max(LOWEST, 1 + more - _DOWN * verdicts.count("real")))
    return factors


def silenced(events: Sequence[Mapping[str, Any]], feedback: pa.Table | None) -> list[bool]:
    """For each event, whether one like it was judged expected or planned before.

    Like it: the same series, kind and direction, later than the judged one, and either on the same day
    of the month (from its first, its last, or the same weekday of it: the second Tuesday) with up to
    twice or half the daily impact, or on any day with nearly the same one. The judged event itself stays
    in the table. The newest word on an event counts.
    """
    judged: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in _newest(feedback):
        if row["verdict"] in _CALM:
            judged.setdefault((row["series_id"], row["kind"]), []).append(row)
    return [
        any(_alike(event, row) for row in judged.get((event["series_id"], event["kind"]), []))
        for event in events
    ]


def _newest(feedback: pa.Table | None) -> list[dict[str, Any]]:
    """The last word on each event."""
    if feedback is None:
        return []
    last: dict[tuple[str, str, date], dict[str, Any]] = {}
    for row in feedback.select(FEEDBACK.names).sort_by("said_at").to_pylist():
        last[row["series_id"], row["kind"], row["first_day"]] = row
    return list(last.values())


def _alike(event: Mapping[str, Any], judged: Mapping[str, Any]) -> bool:
    if event["first_day"] <= judged["last_day"] or (event["impact"] > 0) != (judged["impact"] > 0):
        return False
    now, before = _daily(event), _daily(judged)
    if now == 0 or before == 0:
        return False
    factor = max(now, before) / min(now, before)
    same_day = bool(_places(event["first_day"]) & _places(judged["first_day"]))
    return factor <= (SAME_SIZE if same_day else SAME_LEVEL)


def _daily(row: Mapping[str, Any]) -> float:
    days: int = (row["last_day"] - row["first_day"]).days + 1
    return abs(float(row["impact"])) / days


def _places(day: date) -> set[tuple[str, int, int]]:
    """Where a day lies in its month."""
    next_month = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return {
        ("from the first", day.day, 0),
        ("from the last", (next_month - day).days, 0),
        ("weekday", (day.day - 1) // 7, day.weekday()),
    }
