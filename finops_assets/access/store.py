"""The lock's own SQLite file beside the lake: API keys and the audit log. Nothing of it is ever published."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
    key_id TEXT PRIMARY KEY, hash BLOB NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, scope TEXT NOT NULL,
    created_at TEXT NOT NULL, expires_at TEXT, revoked_at TEXT, last_used_at TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS audit (
    at TEXT NOT NULL, principal TEXT NOT NULL, means TEXT NOT NULL, role TEXT NOT NULL, face TEXT NOT NULL,
    action TEXT NOT NULL, place TEXT NOT NULL, parameters TEXT NOT NULL, status INTEGER NOT NULL,
    request_id TEXT NOT NULL, client TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is appended to only'); END;
CREATE TRIGGER IF NOT EXISTS audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is appended to only'); END;
"""


def connect(path: Path) -> sqlite3.Connection:
    """A connection of one's own, usable from any thread one at a time; the file is made if it is missing.

    Only its owner may read the file. Raises sqlite3.OperationalError where it cannot be opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)
    connection = sqlite3.connect(path, timeout=10, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(_SCHEMA)
    return connection


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The store; commits at the end, rolls back on an error."""
    connection = connect(path)
    try:
        with connection:
            yield connection
    finally:
        connection.close()
