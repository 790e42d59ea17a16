"""Read the published warehouse: follow the pointer, keep a file open while queries still use it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Protocol

import duckdb

from finops_assets.engine.duckdb import configure
from finops_assets.schema import literal, quote
from finops_assets.warehouse import history, pointer

_PAST_OPEN = 2
"""How many earlier versions stay open: each has buffers of its own, and few are asked for at a time."""


NARROWED = "scope_"
"""What the names of databases begin with that show a part of a version only."""

_PUBLISHED = "published"


class Narrowing(Protocol):
    """A part of a version: a database of views that bear the names of its tables."""

    @property
    def name(self) -> str:
        """That of the database; begins with NARROWED. Two of one name show the same."""
        ...

    def build(self, connection: duckdb.DuckDBPyConnection, published: str) -> None:
        """Fill the database `name`, which is there and empty, with views over the database `published`."""
        ...


class _Open:
    """One open version, with the number of cursors that still read it."""

    def __init__(self, published: pointer.Published) -> None:
        self.published = published
        self.connection = configure(duckdb.connect(str(published.path), read_only=True))
        self.readers = 0
        self.retired = False
        self.is_past = False
        self._building = threading.Lock()
        self._parts: duckdb.DuckDBPyConnection | None = None
        self._built: set[str] = set()

    @contextmanager
    def cursor(self, narrowing: Narrowing | None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor on the whole version, or one that finds the tables of a part of it only."""
        if narrowing is None:
            with self.connection.cursor() as cursor:
                yield cursor
            return
        with self._part(narrowing).cursor() as cursor:
            cursor.execute(f"USE {quote(narrowing.name)}")
            yield cursor

    def close(self) -> None:
        """Close it, with all parts."""
        self.connection.close()
        if self._parts is not None:
            self._parts.close()

    def _part(self, narrowing: Narrowing) -> duckdb.DuckDBPyConnection:
        """The instance that has the part: one of its own, as a read-only one can take no views in.

        Its own database is empty, so a cursor that is not told its part finds nothing.
        """
        with self._building:
            if self._parts is None:
                parts = configure(duckdb.connect())
                parts.execute(
                    f"ATTACH {literal(str(self.published.path))} AS {quote(_PUBLISHED)} (READ_ONLY)"
                )
                self._parts = parts
            if narrowing.name not in self._built:
                self._parts.execute(f"ATTACH ':memory:' AS {quote(narrowing.name)}")
                try:
                    with self._parts.cursor() as cursor:
                        narrowing.build(cursor, _PUBLISHED)
                except BaseException:
                    self._parts.execute(f"DETACH {quote(narrowing.name)}")
                    raise
                self._built.add(narrowing.name)
            return self._parts


class Warehouse:
    """The published warehouse, safe to share between threads. Every question gets its own cursor."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._open: dict[int, _Open] = {}
        """By version, the one that was used last at the end."""

    def version(self) -> int:
        """The version in force. Raises NotPublishedError before the first publication."""
        return pointer.current(self._root).version

    def oldest_day(self) -> date:
        """The oldest day (UTC) that `as_of` knows. Raises NotPublishedError, duckdb.Error."""
        return history.oldest_day(self._root)

    def as_of(self, day: date) -> AsOf:
        """What was known at the end of `day` (UTC); for today and the future what is known now.

        Raises NotPublishedError before the first publication, NotKeptError for a day before the oldest kept.
        """
        return AsOf(self, history.in_force(self._root, day))

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor on the version in force; that version stays readable until the block ends."""
        with self.cursor_of(None) as cursor:
            yield cursor

    @contextmanager
    def cursor_of(
        self, published: pointer.Published | None, narrowing: Narrowing | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor on one version, or on the one in force; on all of it, or on a part."""
        held = self._acquire(published)
        try:
            with held.cursor(narrowing) as cursor:
                yield cursor
        finally:
            self._release(held)

    def close(self) -> None:
        """Close every open version once its last reader is done."""
        with self._lock:
            for version in list(self._open):
                self._retire(version)

    def _acquire(self, wanted: pointer.Published | None) -> _Open:
        with self._lock:
            current = pointer.current(self._root)
            published = wanted or current
            held = self._open.pop(published.version, None) or _Open(published)
            held.is_past = published.version != current.version
            self._open[published.version] = held
            past = [v for v, one in self._open.items() if one.is_past]
            for version, one in list(self._open.items()):
                replaced = version != current.version and not one.is_past
                # An expired version's file is set aside; nobody keeps it open for the next who asks.
                expired = not one.published.path.exists()
                if one is not held and (replaced or expired or version in past[:-_PAST_OPEN]):
                    self._retire(version)
            held.readers += 1
            return held

    def _release(self, held: _Open) -> None:
        with self._lock:
            held.readers -= 1
            if held.retired and held.readers == 0:
                held.close()

    def _retire(self, version: int) -> None:
        held = self._open.pop(version)
        held.retired = True
        if held.readers == 0:
            held.close()


@dataclass(frozen=True)
class AsOf:
    """The warehouse as it was known at the end of a day: one version of it."""

    _warehouse: Warehouse
    _published: pointer.Published
    _narrowing: Narrowing | None = None

    def version(self) -> int:
        """The version that was in force."""
        return self._published.version

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor on that version; it stays readable until the block ends."""
        with self._warehouse.cursor_of(self._published, self._narrowing) as cursor:
            yield cursor


@dataclass(frozen=True)
class NarrowedWarehouse:
    """A part of the warehouse, of whichever version is asked: it opens as the warehouse does."""

    _warehouse: Warehouse
    _narrowing: Narrowing

    def version(self) -> int:
        """The version in force. Raises NotPublishedError before the first publication."""
        return self._warehouse.version()

    def oldest_day(self) -> date:
        """The oldest day (UTC) that `as_of` knows. Raises NotPublishedError, duckdb.Error."""
        return self._warehouse.oldest_day()

    def as_of(self, day: date) -> AsOf:
        """The part of what was known at the end of `day`; raises what Warehouse.as_of raises."""
        return replace(self._warehouse.as_of(day), _narrowing=self._narrowing)

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor on the part of the version in force; that stays readable until the block ends."""
        with self._warehouse.cursor_of(None, self._narrowing) as cursor:
            yield cursor
