"""Read the published warehouse: follow the pointer, keep a file open while queries still use it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from finops_assets.engine.duckdb import configure
from finops_assets.warehouse import pointer


class _Open:
    """One open version, with the number of cursors that still read it."""

    def __init__(self, published: pointer.Published) -> None:
        self.version = published.version
        self.connection = configure(duckdb.connect(str(published.path), read_only=True))
        self.readers = 0
        self.retired = False


class Warehouse:
    """The published warehouse, safe to share between threads. Every question gets its own cursor."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._open: _Open | None = None

    def version(self) -> int:
        """The version in force. Raises NotPublishedError before the first publication."""
        return pointer.current(self._root).version

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor on the version in force; that version stays readable until the block ends."""
        held = self._acquire()
        try:
            with held.connection.cursor() as cursor:
                yield cursor
        finally:
            self._release(held)

    def close(self) -> None:
        """Close the open version once its last reader is done."""
        with self._lock:
            if self._open is not None:
                self._retire(self._open)
                self._open = None

    def _acquire(self) -> _Open:
        with self._lock:
            published = pointer.current(self._root)
            if self._open is None or self._open.version != published.version:
                fresh = _Open(published)
                if self._open is not None:
                    self._retire(self._open)
                self._open = fresh
            self._open.readers += 1
            return self._open

    def _release(self, held: _Open) -> None:
        with self._lock:
            held.readers -= 1
            if held.retired and held.readers == 0:
                held.connection.close()

    def _retire(self, held: _Open) -> None:
        held.retired = True
        if held.readers == 0:
            held.connection.close()
