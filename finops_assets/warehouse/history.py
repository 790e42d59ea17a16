"""The publications that are kept: which of them was in force at the end of a day."""

from __future__ import annotations

from bisect import bisect_right
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


def kept(root: Path) -> list[pointer.Published]:
    """All of them, oldest first; the last one is in force. Raises NotPublishedError."""
    current = pointer.current(root)
    if not current.path.is_file():
        raise pointer.NotPublishedError(
            f"{root / pointer.POINTER} names {current.path.name}, which is not there."
        )
    found = (pointer.Published(pointer.version_of(path), path) for path in pointer.files(root))
    # A later version is of a publisher that was killed before its flip.
    return [one for one in found if one.version <= current.version]


def in_force(root: Path, day: date) -> pointer.Published:
    """The publication in force at the end of `day` (UTC): the newest one, for today and the future.

    Raises NotPublishedError before the first publication, NotKeptError for a day before the oldest kept.
    """
    known = kept(root)
    try:
        # Halving asks few of them when they came into force: opening a file takes tens of milliseconds.
        found = bisect_right(known, day, key=lambda one: published_at(one).date())
        if found == 0:
            raise NotKeptError(day, published_at(known[0]).date())
    except FileNotFoundError:  # one expired since it was listed
        return in_force(root, day)
    return known[found - 1]


def oldest_day(root: Path) -> date:
    """The oldest day that `in_force` knows. Raises NotPublishedError."""
    return published_at(kept(root)[0]).date()


def published_at(one: pointer.Published) -> datetime:
    """When a publication came into force (UTC). Raises FileNotFoundError once it expired, duckdb.Error."""
    status = one.path.stat()
    return _published_at(one.path, status.st_ino, status.st_mtime_ns)


def last_day(published: datetime, replaced: datetime) -> date | None:
    """The last day at whose end a publication was in force, or None when it was at no day's."""
    last = replaced.date() - timedelta(days=1)
    return last if last >= published.date() else None


@lru_cache(maxsize=1024)
def _published_at(path: Path, _inode: int, _changed: int) -> datetime:
    """Out of the file itself, which never changes; another file of its name has another inode or time."""
    with duckdb.connect(str(path), read_only=True) as connection:
        row = connection.execute("SELECT epoch_us(max(published_at)) FROM snapshot").fetchone()
    return _EPOCH + timedelta(microseconds=row[0] if row is not None else 0)
