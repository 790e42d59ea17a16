"""Publish: write a new read-only DuckDB file of everything in the lake, then flip the pointer to it.

Small tables and marts are copied native and sorted; the large ones (`costs`, `raw_*`) become views over
the exact Parquet files of this version, so publishing does not copy the bill. What the new file then
gives is held against what it should add up to before anyone reads it.
"""

from __future__ import annotations

import fcntl
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
from finops_assets.warehouse.expiry import expire

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
    """What publishing did: the version in force, whether it is a new one, how many totals it was held to, and
    bytes that expiry freed."""

    version: int
    path: Path
    changed: bool
    rows: dict[str, int]
    freed: int
    held: int


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
    """The new file does not add up to its bills and was not put in force; the text says where."""

    def __init__(self, residuals: Sequence[Residual], held: int, in_force: int | None) -> None:
        self.residuals = tuple(residuals)
        self.held = held
        left = "nothing is published" if in_force is None else f"version {in_force} stays in force"
        named = [str(r) for r in residuals[:_NAMED]]
        if len(residuals) > _NAMED:
            named.append(f"and {len(residuals) - _NAMED} more")
        super().__init__(
            f"expected what is published to add up to the accepted bills, found {len(residuals)} of {held} "
            f"totals that do not; {left}. A refresh of these months is under way or failed (run it again), "
            "or a file of theirs was changed in the lake:\n" + "\n".join(named)
        )


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
    hold: str = "",
) -> Publication:
    """Publish the newest version of each table, unless the published one holds them already; then expire.

    Of each of the last `keep_days` days the publication that was in force at its end stays readable.

    `hold` is SQL that asks the new file how it adds up, in rows of `quality`; they are kept in it.
    Raises NotReconciledError when one did not pass, duckdb.Error or OSError when the new file cannot be
    written or read; the old one then stays in force.
    """
    root.mkdir(parents=True, exist_ok=True)
    with _lock(root):
        # Reading each version number once, before any file list, is what makes the snapshot one state:
        # a run that commits meanwhile is in the next publication, never half in this one.
        versions = {t.name: lake.version(t) for t in (*native, *views)}
        current = _published(root)
        changed = current is None or _versions(current.path) != versions
        if current is None or changed:
            old = current
            version = old.version + 1 if old is not None else 1
            current = pointer.Published(version, root / pointer.file_name(version))
            current.path.unlink(missing_ok=True)  # left by a publisher that was killed before its flip
            _write(current, lake, engine, versions, native, views, run_id)
            residuals = _hold(current.path, engine, hold) if hold else []
            if residuals:
                held = _count_held(current.path)
                current.path.unlink()
                raise NotReconciledError(residuals, held, None if old is None else old.version)
            pointer.point_to(root, version)
        freed = expire(root, lake, keep_days=keep_days, now=now())
        return Publication(
            current.version, current.path, changed, _rows(current.path), freed, _count_held(current.path)
        )


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


def _hold(path: Path, engine: DuckDBEngine, sql: str) -> list[Residual]:
    """Ask the written file, opened anew as a reader would, how it adds up: the totals that differ."""
    with engine.open(path) as connection:
        connection.execute(f"CREATE TABLE {HELD} AS {sql}")
        failed = connection.execute(
            f"SELECT {SOURCE}, {MONTH}, stage, metric, BillingCurrency, expected, found FROM {HELD} "
            "WHERE NOT passed ORDER BY ALL"
        ).fetchall()
    return [Residual(*row) for row in failed]


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


@contextmanager
def _lock(root: Path) -> Iterator[None]:
    """One publisher at a time: publishing reads the current version and writes the next."""
    with (root / ".publish.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
