"""How questions reach the published warehouse: every other module here asks through this one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Protocol, cast

import duckdb
import pyarrow as pa

from finops_assets.access.scope import Scope
from finops_assets.queries.scope import Scoped
from finops_assets.schema import quote
from finops_assets.settings import Settings
from finops_assets.warehouse.history import NotKeptError
from finops_assets.warehouse.pointer import NotPublishedError
from finops_assets.warehouse.reader import NARROWED, NarrowedWarehouse, Warehouse

WarehouseError = duckdb.Error
"""A published file that cannot be read or asked."""

__all__ = [
    "NotKeptError",
    "NotPublishedError",
    "Pinned",
    "Reader",
    "Versions",
    "Warehouse",
    "WarehouseError",
    "as_known_on",
    "fetch",
    "listening",
    "open_warehouse",
    "pinned",
    "stream",
    "within",
]


class Reader(Protocol):
    """What a question needs: the published warehouse, or one version of it held fast."""

    def version(self) -> int:
        """The version that answers. Raises NotPublishedError before the first publication."""
        ...

    def cursor(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A cursor of one's own. Raises NotPublishedError before the first publication."""
        ...


class Versions(Reader, Protocol):
    """The published warehouse, or the part of it that somebody may see."""

    def oldest_day(self) -> date:
        """The oldest day (UTC) that `as_of` knows. Raises NotPublishedError."""
        ...

    def as_of(self, day: date) -> Reader:
        """What was known at the end of `day`. Raises NotPublishedError, NotKeptError."""
        ...


@dataclass(frozen=True)
class Pinned:
    """One version, held open while several questions are asked: they all see the same state."""

    _version: int
    _cursor: duckdb.DuckDBPyConnection
    _database: str

    def version(self) -> int:
        """The version that is held."""
        return self._version

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Another cursor on the same version, and on the same part of it."""
        with self._cursor.cursor() as cursor:
            if self._database.startswith(NARROWED):  # a new cursor knows nothing of its parent's
                cursor.execute(f"USE {quote(self._database)}")
            yield cursor


def open_warehouse(settings: Settings) -> Warehouse:
    """The published warehouse of these settings, safe to share between threads; nothing is opened yet."""
    return Warehouse(settings.paths.warehouse)


def within(warehouse: Warehouse, scope: Scope) -> Versions:
    """The warehouse as somebody with this scope sees it: no question finds any other row."""
    return warehouse if scope.is_whole else NarrowedWarehouse(warehouse, Scoped(scope))


def as_known_on(warehouse: Versions, day: date | None) -> Reader:
    """The warehouse as it was known at the end of `day` (UTC); None, today and the future: as it is now.

    Raises NotPublishedError, and NotKeptError for a day before the oldest that is kept.
    """
    return warehouse if day is None else warehouse.as_of(day)


@contextmanager
def pinned(warehouse: Reader) -> Iterator[Pinned]:
    """Hold the version in force until the block ends. Raises NotPublishedError."""
    with warehouse.cursor() as cursor:
        row = cursor.execute("SELECT max(version), current_database() FROM snapshot").fetchone()
        version, database = row if row is not None else (0, "")
        yield Pinned(int(version), cursor, database)


def fetch(warehouse: Reader, sql: str, params: Sequence[object] = ()) -> pa.Table:
    """The rows of `sql` as Arrow, decimals as decimal128, times in UTC. Values are bound, never pasted."""
    began = time.perf_counter()
    with warehouse.cursor() as cursor:
        found = cast("pa.Table", cursor.sql(sql, params=list(params) or None).to_arrow_table())
    for listener in _LISTENERS:
        listener(time.perf_counter() - began)
    return found


_LISTENERS: list[Callable[[float], None]] = []


@contextmanager
def listening(listener: Callable[[float], None]) -> Iterator[None]:
    """Tell `listener` the seconds of every question that the warehouse answers, until the block ends."""
    _LISTENERS.append(listener)
    try:
        yield
    finally:
        _LISTENERS.remove(listener)


@contextmanager
def stream(
    warehouse: Reader, sql: str, params: Sequence[object] = (), *, rows: int = 20_000
) -> Iterator[pa.RecordBatchReader]:
    """The same as batches of about `rows` rows, read while they are taken, until the block ends."""
    with warehouse.cursor() as cursor:
        yield cursor.sql(sql, params=list(params) or None).to_arrow_reader(rows)
