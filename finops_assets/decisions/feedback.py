"""What people say of an event: whether it was expected, planned, real or is resolved, and why.

Each word is a row of the store that is never changed; of several words about one event the newest counts.
A row keeps the event as it was when it was judged, so it stays readable when the event is made anew.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import pyarrow as pa

from finops_assets.decisions.store import decisions
from finops_assets.marts.anomalies import ANOMALY_FEEDBACK

Verdict: TypeAlias = Literal["expected", "planned", "real", "resolved"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Feedback:
    """One word about one event; the fields are the columns of `anomaly_feedback`."""

    feedback_id: str
    anomaly_id: str
    series_id: str
    kind: str
    first_day: date
    last_day: date
    impact: Decimal
    verdict: Verdict
    note: str
    author: str
    said_at: datetime


def record(
    store: Path,
    event: Mapping[str, Any],
    verdict: Verdict,
    *,
    note: str = "",
    author: str = "",
    said_at: datetime | None = None,
) -> Feedback:
    """Append a word about `event`, a row of cost_anomalies; it counts from now on.

    Raises ValueError for a verdict that is none, sqlite3.OperationalError when the store is held.
    """
    if verdict not in VERDICTS:
        raise ValueError(f"expected a verdict of {', '.join(VERDICTS)}, found {verdict!r}")
    said = Feedback(
        feedback_id=uuid.uuid4().hex,
        anomaly_id=event["anomaly_id"],
        series_id=event["series_id"],
        kind=event["kind"],
        first_day=event["first_day"],
        last_day=event["last_day"],
        impact=event["impact"],
        verdict=verdict,
        note=note.strip(),
        author=author.strip(),
        said_at=said_at or datetime.now(UTC),
    )
    with decisions(store) as connection:
        connection.execute(f"INSERT INTO feedback VALUES ({', '.join('?' * 11)})", _texts(said))
    return said


def said(store: Path, anomaly_id: str | None = None, *, until: date | None = None) -> list[Feedback]:
    """What was said, of one event or of all, by the end of the day `until` (UTC); the oldest first."""
    if not store.is_file():  # nobody has said anything: a reader makes no file
        return []
    with decisions(store) as connection:
        rows = connection.execute(
            f"SELECT {', '.join(f.name for f in fields(Feedback))} FROM feedback "
            "WHERE (?1 IS NULL OR anomaly_id = ?1) AND (?2 IS NULL OR substr(said_at, 1, 10) <= ?2) "
            "ORDER BY said_at, rowid",
            (anomaly_id, None if until is None else until.isoformat()),
        ).fetchall()
    return [_read(row) for row in rows]


def newest(store: Path, *, until: date | None = None) -> dict[str, Feedback]:
    """The word that counts of each event, by anomaly_id."""
    return {f.anomaly_id: f for f in said(store, until=until)}


def feedback_table(words: list[Feedback]) -> pa.Table:
    """The words as rows of `anomaly_feedback`."""
    return pa.Table.from_pylist([vars(f) for f in words], schema=ANOMALY_FEEDBACK.arrow_schema())


def _texts(said: Feedback) -> list[str]:
    """SQLite has neither days nor decimals: their texts keep every digit, and sort as they should."""
    at = said.said_at.astimezone(UTC).isoformat(timespec="microseconds")
    return [*(f"{v:f}" if isinstance(v, Decimal) else str(v) for v in astuple(said)[:-1]), at]


def _read(row: tuple[str, ...]) -> Feedback:
    given: dict[str, Any] = dict(zip((f.name for f in fields(Feedback)), row, strict=True))
    for name in ("first_day", "last_day"):
        given[name] = date.fromisoformat(given[name])
    given["impact"], given["said_at"] = Decimal(given["impact"]), datetime.fromisoformat(given["said_at"])
    return Feedback(**given)
