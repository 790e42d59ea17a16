"""The publications that are kept: which of them was in force at the end of a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import duckdb

from finops_assets.warehouse import pointer

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotKeptError(Exception):
    """What was known on a day is not kept; the text names the oldest day that is."""

    def __init__(self, day: date, oldest: date) -> None:
        super().__init__(
            f"What was known on {day} is not kept: expected {oldest} or a later day, the end of which "
            "the oldest kept publication was in force on; [history] keep_days says how long they stay."
        )
        self.oldest = oldest


@dataclass(frozen=True)
class Kept:
    """One publication that can be read, and when it came into force (UTC)."""

    published: pointer.Published
    published_at: datetime


def kept(root: Path) -> list[Kept]:
    """All of them, oldest first; the last one is in force. Raises NotPublishedError, duckdb.Error."""
    current = pointer.current(root)
    found = []
    for path in pointer.files(root):
        published = pointer.Published(pointer.version_of(path), path)
        if published.version > current.version:  # of a publisher that was killed before its flip
            continue
        try:
            status = path.stat()
        except FileNotFoundError:  # expired since it was listed
            continue
        found.append(Kept(published, _published_at(path, status.st_ino, status.st_mtime_ns)))
    return found


def in_force(root: Path, day: date) -> pointer.Published:
    """The publication in force at the end of `day` (UTC): the newest one, for today and the future.

    Raises NotPublishedError before the first publication, NotKeptError for a day before the oldest kept.
    """
    known = kept(root)
    for one in reversed(known):
        if one.published_at.date() <= day:
            return one.published
    raise NotKeptError(day, known[0].published_at.date())


def last_day(one: Kept, replaced_at: datetime) -> date | None:
    """The last day at the end of which a publication was in force, or None when it was on no day's."""
    last = replaced_at.date() - timedelta(days=1)
    return last if last >= one.published_at.date() else None


@lru_cache(maxsize=1024)
def _published_at(path: Path, _inode: int, _changed: int) -> datetime:
    """Out of the file itself, which never changes; another file of its name has another inode or time."""
    with duckdb.connect(str(path), read_only=True) as connection:
        row = connection.execute("SELECT epoch_us(max(published_at)) FROM snapshot").fetchone()
    return _EPOCH + timedelta(microseconds=row[0] if row is not None else 0)
