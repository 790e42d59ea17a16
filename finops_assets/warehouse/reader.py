"""Read the published warehouse: follow the pointer, keep a file open while queries still use it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from finops_assets.engine.duckdb import configure
from finops_assets.warehouse import history, pointer

_PAST_OPEN = 2
"""How many earlier versions stay open: each has buffers of its own, and few are asked for at a time."""


class _Open:
    """One open version, with the number of cursors that still read it."""

    def __init__(self, published: pointer.Published) -> None:
        self.published = published
        self.connection = configure(duckdb.connect(str(published.path), read_only=True))
        self.readers = 0
        self.retired = False
        self.is_past = False


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
    def cursor_of(self, published: pointer.Published | None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor on one version, or on the one in force."""
        held = self._acquire(published)
        try:
            with held.connection.cursor() as cursor:
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
                held.connection.close()

    def _retire(self, version: int) -> None:
        held = self._open.pop(version)
        held.retired = True
        if held.readers == 0:
            held.connection.close()


@dataclass(frozen=True)
class AsOf:
    """The warehouse as it was known at the end of a day: one version of it."""

    _warehouse: Warehouse
    _published: pointer.Published

    def version(self) -> int:
        """The version that was in force."""
        return self._published.version

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor on that version; it stays readable until the block ends."""
        with self._warehouse.cursor_of(self._published) as cursor:
            yield cursor
