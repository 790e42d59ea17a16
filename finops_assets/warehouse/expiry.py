"""Expiry: publications first, then the lake's files that none of those left reads.

A publication that nobody needs any more is set aside under another name, so that nobody opens it again, and
stays readable that way for the grace; only then does it go, and with it its claim on the lake's files.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb

from finops_assets.lake.expiry import expire_files
from finops_assets.lake.lake import Lake
from finops_assets.warehouse import history

GRACE_SECONDS = 3600
"""Readers in the middle of a query have this long to end it."""

_ASIDE = "expired"


def expire(root: Path, lake: Lake, *, keep_days: int, now: datetime) -> int:
    """Let go of what no longer has to be kept; the bytes that are free.

    Kept are the publication in force, those that were replaced less than the grace ago, and of each of the
    last `keep_days` days (UTC, before that of `now`) the one that was in force at its end.
    """
    known = history.kept(root)
    grace = timedelta(seconds=GRACE_SECONDS)
    for one, following in pairwise(known):
        replaced_at = history.published_at(following)
        last = history.last_day(history.published_at(one), replaced_at)
        of_a_day = last is not None and last >= now.date() - timedelta(days=keep_days)
        if not of_a_day and replaced_at < now - grace:
            one.path.rename(root / f"{_ASIDE}-{int(now.timestamp())}-{one.path.name}")
    freed = 0
    for path in root.glob(f"{_ASIDE}-*.duckdb"):
        if _set_aside_at(path) < now - grace:
            freed += path.stat().st_size
            path.unlink()
    readable = [p for p in root.glob("*.duckdb") if p.is_file()]
    return freed + expire_files(lake, {name for path in readable for name in _files(path)})


def _set_aside_at(path: Path) -> datetime:
    return datetime.fromtimestamp(int(path.name.split("-")[1]), UTC)


def _files(path: Path) -> list[str]:
    """The names of the lake's files that a publication's views read, out of the views themselves."""
    named = (
        r"SELECT unnest(regexp_extract_all(sql, '[^/'']+\.parquet')) FROM duckdb_views() WHERE NOT internal"
    )
    with duckdb.connect(str(path), read_only=True) as connection:
        return [row[0] for row in connection.execute(named).fetchall()]
