"""Which state of the bills is published: its version, when, and the version of every table in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from finops_assets.queries.access import Reader, fetch


@dataclass(frozen=True)
class SnapshotTable:
    """One published table: the lake's version of it (None before its first commit), kind and rows.

    Version and rows are None for those who see a part of the bills only.
    """

    name: str
    version: int | None
    kind: str
    rows: int | None


@dataclass(frozen=True)
class Snapshot:
    """One publication. `run_id` is the Dagster run that made it, or '' outside of one."""

    version: int
    published_at: datetime
    run_id: str
    tables: tuple[SnapshotTable, ...]


def snapshot(warehouse: Reader) -> Snapshot:
    """The publication in force. Raises NotPublishedError."""
    rows = fetch(warehouse, "SELECT * FROM snapshot ORDER BY table_name").to_pylist()
    first = rows[0]
    return Snapshot(
        version=first["version"],
        published_at=first["published_at"].astimezone(UTC),
        run_id=first["run_id"],
        tables=tuple(
            SnapshotTable(r["table_name"], r["table_version"], r["table_kind"], r["table_rows"]) for r in rows
        ),
    )
