"""Publish: write a new read-only DuckDB file of everything in the lake, then flip the pointer to it.

Small tables and marts are copied native and sorted; the large ones (`costs`, `raw_*`) become views over
the exact Parquet files of this version, so publishing does not copy the bill.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from finops_assets.engine.duckdb import DuckDBEngine, scan
from finops_assets.lake.lake import Lake
from finops_assets.schema import Table, quote
from finops_assets.warehouse import pointer
from finops_assets.warehouse.expiry import expire

_SNAPSHOT = """
CREATE TABLE snapshot (
    version BIGINT, published_at TIMESTAMPTZ, run_id VARCHAR,
    table_name VARCHAR, table_version BIGINT, table_kind VARCHAR, table_rows BIGINT
)
"""


@dataclass(frozen=True)
class Publication:
    """What publishing did: the version in force, whether it is a new one, and bytes that expiry freed."""

    version: int
    path: Path
    changed: bool
    rows: dict[str, int]
    freed: int


def now() -> datetime:
    """The moment that a publication is of, and that its age is counted from."""
    return datetime.now(UTC)


def publish(
    lake: Lake,
    engine: DuckDBEngine,
    root: Path,
    *,
    native: Sequence[Table],
    views: Sequence[Table],
    keep_days: int,
    run_id: str = "",
) -> Publication:
    """Publish the newest version of each table, unless the published one holds them already; then expire.

    Of each of the last `keep_days` days the publication that was in force at its end stays readable.

    Raises duckdb.Error or OSError when the new file cannot be written; the old one then stays in force.
    """
    root.mkdir(parents=True, exist_ok=True)
    with _lock(root):
        # Reading each version number once, before any file list, is what makes the snapshot one state:
        # a run that commits meanwhile is in the next publication, never half in this one.
        versions = {t.name: lake.version(t) for t in (*native, *views)}
        current = _published(root)
        changed = current is None or _versions(current.path) != versions
        if current is None or changed:
            version = current.version + 1 if current is not None else 1
            current = pointer.Published(version, root / pointer.file_name(version))
            current.path.unlink(missing_ok=True)  # left by a publisher that was killed before its flip
            _write(current, lake, engine, versions, native, views, run_id)
            pointer.point_to(root, version)
        freed = expire(root, lake, keep_days=keep_days, now=now())
        return Publication(current.version, current.path, changed, _rows(current.path), freed)


def published_versions(root: Path) -> dict[str, int | None]:
    """Table → the version that is published. Raises NotPublishedError."""
    return _versions(pointer.current(root).path)


def _write(
    published: pointer.Published,
    lake: Lake,
    engine: DuckDBEngine,
    versions: dict[str, int | None],
    native: Sequence[Table],
    views: Sequence[Table],
    run_id: str,
) -> None:
    with engine.open(published.path) as connection:
        connection.execute(_SNAPSHOT)
        for table in (*native, *views):
            at = versions[table.name]
            relation = scan(table, () if at is None else lake.files(table, version=at))
            kind = "table" if table in native else "view"
            order = ", ".join(quote(c) for c in table.order_by) if kind == "table" else ""
            connection.execute(
                f"CREATE {kind.upper()} {quote(table.name)} AS {relation}"
                + (f" ORDER BY {order}" if order else "")
            )
            connection.execute(
                f"INSERT INTO snapshot SELECT ?, NULL, ?, ?, ?, ?, count(*) FROM {quote(table.name)}",
                [published.version, run_id, table.name, at, kind],
            )
        # Stamped last: it comes into force with the flip that follows, not when its first table was copied.
        connection.execute("UPDATE snapshot SET published_at = ?", [now()])


def _published(root: Path) -> pointer.Published | None:
    try:
        found = pointer.current(root)
    except pointer.NotPublishedError:
        return None
    return found if found.path.is_file() else None


def _versions(path: Path) -> dict[str, int | None]:
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("SELECT table_name, table_version FROM snapshot").fetchall()
    return dict(rows)


def _rows(path: Path) -> dict[str, int]:
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("SELECT table_name, table_rows FROM snapshot").fetchall()
    return dict(rows)


@contextmanager
def _lock(root: Path) -> Iterator[None]:
    """One publisher at a time: publishing reads the current version and writes the next."""
    with (root / ".publish.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
