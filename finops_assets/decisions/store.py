"""What people decide, as against what bills say: a small SQLite file beside the lake.

Pages and the API write here while runs read; each row is appended and never changed, and the assets copy
them into the lake, where they are published and kept like everything else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS feedback (
    feedback_id TEXT PRIMARY KEY, anomaly_id TEXT NOT NULL, series_id TEXT NOT NULL, kind TEXT NOT NULL,
    first_day TEXT NOT NULL, last_day TEXT NOT NULL, impact TEXT NOT NULL, verdict TEXT NOT NULL,
    note TEXT NOT NULL, author TEXT NOT NULL, said_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS budgets (
    budget TEXT NOT NULL, definition TEXT NOT NULL, author TEXT NOT NULL, said_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS planned_changes (
    plan_id TEXT NOT NULL, definition TEXT NOT NULL, author TEXT NOT NULL, said_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS views (
    view TEXT NOT NULL, definition TEXT NOT NULL, author TEXT NOT NULL, said_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS alerts (
    alert_id TEXT NOT NULL, body TEXT NOT NULL, said_at TEXT NOT NULL
) STRICT;
"""


@contextmanager
def decisions(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the store, made if it is missing; commits at the end, rolls back on an error.

    Raises sqlite3.OperationalError when another writer holds it for more than ten seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=10)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)
        with connection:
            yield connection
    finally:
        connection.close()
