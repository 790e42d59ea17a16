"""Publish: write a new read-only DuckDB file of everything in the lake, then flip the pointer to it.

Small tables and marts are copied native and sorted; the large ones (`costs`, `raw_*`) become views over
the exact Parquet files of this version, so publishing does not copy the bill. What the new file then
gives is held against what it should add up to before anyone reads it.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb

from finops_assets.engine.duckdb import DuckDBEngine, scan
from finops_assets.lake.lake import Lake
from finops_assets.schema import MONTH, SOURCE, Table, quote
from finops_assets.warehouse import pointer

GRACE_SECONDS = 3600
"""A replaced file is kept this long for readers in the middle of a query."""

_SNAPSHOT = """
CREATE TABLE snapshot (
    version BIGINT, published_at TIMESTAMPTZ, run_id VARCHAR,
    table_name VARCHAR, table_version BIGINT, table_kind VARCHAR, table_rows BIGINT
)
"""


HELD = "published_quality"
"""The table, in the published file only, of how that file adds up."""

_NAMED = 20
"""How many of the totals that differ an error's text names."""


@dataclass(frozen=True)
class Publication:
    """What publishing did: the version in force, whether it is new, how many totals it was held to."""

    version: int
    path: Path
    changed: bool
    rows: dict[str, int]
    held: int = 0


@dataclass(frozen=True)
class Residual:
    """One total of the new file that is not what it should be."""

    source: str
    month: str
    stage: str
    metric: str
    currency: str
    expected: Decimal
    found: Decimal

    def __str__(self) -> str:
        return (
            f"{self.source} {self.month}, {self.stage}, {self.metric} in {self.currency}: expected "
            f"{_plain(self.expected)}, found {_plain(self.found)} (residual "
            f"{_plain(self.found - self.expected)})"
        )


class NotReconciledError(Exception):
    """The new file does not add up to its bills, and was not put in force; the text names every total."""

    def __init__(self, residuals: Sequence[Residual], held: int, in_force: int | None) -> None:
        self.residuals = tuple(residuals)
        self.held = held
        left = "nothing is published" if in_force is None else f"version {in_force} stays in force"
        named = [str(r) for r in residuals[:_NAMED]]
        if len(residuals) > _NAMED:
            named.append(f"and {len(residuals) - _NAMED} more")
        super().__init__(
            f"expected what is published to add up to the accepted bills, found {len(residuals)} of {held} "
            f"totals that do not; {left}. Refresh these months:\n" + "\n".join(named)
        )


def publish(
    lake: Lake,
    engine: DuckDBEngine,
    root: Path,
    *,
    native: Sequence[Table],
    views: Sequence[Table],
    run_id: str = "",
    hold: str = "",
) -> Publication:
    """Publish the newest version of each table. Does nothing when the published one already holds them.

    `hold` is SQL that asks the new file how it adds up, in rows of `quality`; they are kept in it.
    Raises NotReconciledError when one did not pass, duckdb.Error or OSError when the new file cannot be
    written or read; the old one then stays in force.
    """
    root.mkdir(parents=True, exist_ok=True)
    with _lock(root):
        # Reading each version number once, before any file list, is what makes the snapshot one state:
        # a run that commits meanwhile is in the next publication, never half in this one.
        versions = {t.name: lake.version(t) for t in (*native, *views)}
        now = _published(root)
        if now is not None and _versions(now.path) == versions:
            return Publication(now.version, now.path, False, _rows(now.path), _count_held(now.path))
        version = now.version + 1 if now is not None else 1
        path = root / pointer.file_name(version)
        path.unlink(missing_ok=True)  # left by a publisher that was killed before its flip
        rows = _write(path, lake, engine, version, versions, native, views, run_id)
        held, residuals = _hold(path, engine, hold) if hold else (0, [])
        if residuals:
            path.unlink()
            raise NotReconciledError(residuals, held, None if now is None else now.version)
        pointer.point_to(root, version)
        _expire(root, keep=path)
        return Publication(version, path, True, rows, held)


def published_versions(root: Path) -> dict[str, int | None]:
    """Table → the version that is published. Raises NotPublishedError."""
    return _versions(pointer.current(root).path)


def _write(
    path: Path,
    lake: Lake,
    engine: DuckDBEngine,
    version: int,
    versions: dict[str, int | None],
    native: Sequence[Table],
    views: Sequence[Table],
    run_id: str,
) -> dict[str, int]:
    rows: dict[str, int] = {}
    published_at = datetime.now(UTC)
    with engine.open(path) as connection:
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
            counted = connection.execute(f"SELECT count(*) FROM {quote(table.name)}").fetchone()
            rows[table.name] = 0 if counted is None else int(counted[0])
            connection.execute(
                "INSERT INTO snapshot VALUES (?, ?, ?, ?, ?, ?, ?)",
                [version, published_at, run_id, table.name, at, kind, rows[table.name]],
            )
    return rows


def _hold(path: Path, engine: DuckDBEngine, sql: str) -> tuple[int, list[Residual]]:
    """Ask the written file, opened anew as a reader would, how it adds up: totals held, those that differ."""
    with engine.open(path) as connection:
        connection.execute(f"CREATE TABLE {HELD} AS {sql}")
        failed = connection.execute(
            f"SELECT {SOURCE}, {MONTH}, stage, metric, BillingCurrency, expected, found FROM {HELD} "
            "WHERE NOT passed ORDER BY ALL"
        ).fetchall()
        counted = connection.execute(f"SELECT count(*) FROM {HELD}").fetchone()
    return (0 if counted is None else int(counted[0])), [Residual(*row) for row in failed]


def _count_held(path: Path) -> int:
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(
            "SELECT estimated_size FROM duckdb_tables() WHERE table_name = ?", [HELD]
        ).fetchone()
    return 0 if found is None else int(found[0])


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


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


def _expire(root: Path, keep: Path) -> None:
    oldest = time.time() - GRACE_SECONDS
    for path in root.glob("warehouse-*.duckdb"):
        if path != keep and path.stat().st_mtime < oldest:
            path.unlink()


@contextmanager
def _lock(root: Path) -> Iterator[None]:
    """One publisher at a time: publishing reads the current version and writes the next."""
    with (root / ".publish.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
