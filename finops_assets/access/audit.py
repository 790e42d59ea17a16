"""Who saw and changed what: rows that are appended and never changed."""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import astuple, dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeAlias

from finops_assets.access.store import connect, opened

_LOG = logging.getLogger(__name__)

_LONGEST = 2000
"""Characters of parameters that are kept: a longer query says who it was all the same."""
_AT_ONCE = 500


@dataclass(frozen=True)
class Entry:
    """One request or page: who, what and how it ended. `at` is UTC; `status` is 0 where there is none."""

    at: datetime
    principal: str
    means: str
    role: str
    face: str
    """api or dashboard."""
    action: str
    """The method, or 'open' of a page."""
    place: str
    """The route as it is declared with its values, or the page."""
    parameters: str
    status: int
    request_id: str
    client: str


@dataclass(frozen=True)
class Kept:
    """An entry with its number, which grows."""

    number: int
    entry: Entry


_Waiting: TypeAlias = tuple[tuple[object, ...], Future[None]]
"""A row, and who waits for it."""


class AuditLog:
    """Writes entries by a thread of its own, many in one commit."""

    def __init__(self, store: Path) -> None:
        self._connection = connect(store)
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="audit", daemon=True)
        self._thread.start()

    def append(self, entry: Entry) -> Future[None]:
        """Take an entry in; the result is there once it is on disk, or the error that kept it from there."""
        written: Future[None] = Future()
        written.set_running_or_notify_cancel()  # from here on nobody cancels it
        self._queue.put((_row(entry), written))
        return written

    def close(self) -> None:
        """Write what is left, then close."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _write(self) -> None:
        while True:
            batch = [self._queue.get()]
            while len(batch) < _AT_ONCE and not self._queue.empty():
                batch.append(self._queue.get())
            given = [one for one in batch if one is not None]
            self._keep(given)
            if len(given) < len(batch):
                return

    def _keep(self, given: Sequence[_Waiting]) -> None:
        """Write all in one commit, or each alone where one cannot be; every waiter gets its answer."""
        try:
            with self._connection:
                self._connection.executemany(_INSERT, [row for row, _ in given])
        except Exception as error:  # noqa: BLE001 - without this thread every later change would hang
            # The store itself fails, or there is nobody else to keep: each alone would fail as well.
            if isinstance(error, sqlite3.OperationalError) or len(given) == 1:
                _LOG.exception("%d entries of the audit log could not be written", len(given))
                for _, written in given:
                    written.set_exception(error)
                return
            for one in given:
                self._keep([one])
        else:
            for _, written in given:
                written.set_result(None)


def entries(
    store: Path,
    *,
    principal: str | None = None,
    since: date | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Kept]:
    """The newest entries first: of one principal, from a day (UTC) on, and before the number `before`."""
    if not store.is_file():
        return []
    with opened(store) as connection:
        rows: Sequence[tuple[Any, ...]] = connection.execute(
            f"SELECT rowid, {_COLUMNS} FROM audit WHERE (?1 IS NULL OR principal = ?1) "
            "AND (?2 IS NULL OR at >= ?2) AND (?3 IS NULL OR rowid < ?3) ORDER BY rowid DESC LIMIT ?4",
            (principal, None if since is None else since.isoformat(), before, limit),
        ).fetchall()
    return [Kept(number, Entry(datetime.fromisoformat(at), *rest)) for number, at, *rest in rows]


_COLUMNS = ", ".join(field.name for field in fields(Entry))
_INSERT = f"INSERT INTO audit ({_COLUMNS}) VALUES ({', '.join('?' * len(fields(Entry)))})"


def _row(entry: Entry) -> tuple[object, ...]:
    at, *rest = astuple(entry)
    return (_text(at), *(_encodable(v[:_LONGEST]) if isinstance(v, str) else v for v in rest))


def _encodable(text: str) -> str:
    """Half a surrogate pair, as a client may send it, is none that SQLite can store."""
    return text.encode("utf-8", "replace").decode()


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
