"""The record of alerts: what was told through which channel, and how that went.

Each attempt appends a row; of the rows of one alert the newest says how it stands.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pyarrow as pa

from finops_assets.alert_settings import Mode, Severity
from finops_assets.decisions.store import decisions
from finops_assets.marts.alerts import ALERTS

Status: TypeAlias = Literal["waiting", "delivered", "failed", "given_up", "seen"]


@dataclass(frozen=True)
class Alert:
    """One subject told, or to be told, through one channel. `text` is what the message says of it."""

    alert_id: str
    channel: str
    subject_kind: str
    subject_id: str
    state: str
    severity: Severity
    impact: Decimal
    currency: str
    mode: Mode
    title: str
    text: str
    status: Status
    created_at: datetime
    attempts: int = 0
    error: str = ""
    tried_at: datetime | None = None
    delivered_at: datetime | None = None


def record(store: Path, alerts: Sequence[Alert]) -> None:
    """Append how these alerts now stand. Raises sqlite3.OperationalError when the store is held."""
    now = datetime.now(UTC).isoformat()
    with decisions(store) as connection:
        connection.executemany(
            "INSERT INTO alerts (alert_id, body, said_at) VALUES (?, ?, ?)",
            [(a.alert_id, json.dumps(asdict(a), default=str), now) for a in alerts],
        )


def recorded(store: Path) -> list[Alert]:
    """Every alert as it stands, in the order in which they were first recorded."""
    if not store.is_file():  # nothing was ever told: a reader makes no file
        return []
    with decisions(store) as connection:
        rows = connection.execute(
            "SELECT body FROM alerts JOIN (SELECT min(rowid) AS first, max(rowid) AS newest FROM alerts "
            "GROUP BY alert_id) ON alerts.rowid = newest ORDER BY first"
        ).fetchall()
    return [_read(json.loads(body)) for (body,) in rows]


def alerts_table(alerts: Sequence[Alert]) -> pa.Table:
    """The alerts as rows of the table `alerts`."""
    rows = [{**asdict(a), "BillingCurrency": a.currency} for a in alerts]
    return pa.Table.from_pylist(rows, schema=ALERTS.arrow_schema())


def _read(body: dict[str, Any]) -> Alert:
    for name in ("created_at", "tried_at", "delivered_at"):
        body[name] = None if body[name] is None else datetime.fromisoformat(body[name])
    return Alert(**{**body, "impact": Decimal(body["impact"])})
