"""Which months of which sources an ingestion takes in, and how Dagster names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Selection:
    """What to ingest: months 'YYYY-MM', first and last included, of some sources."""

    start: str
    end: str
    sources: tuple[str, ...]

    def months(self) -> list[str]:
        """Every month, in order."""
        first, last = (int(m[:4]) * 12 + int(m[5:]) - 1 for m in (self.start, self.end))
        return [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(first, last + 1)]

    def partitions(self) -> list[str]:
        """Dagster's keys: month first, since it sorts the dimensions by name."""
        return [f"{month}|{source}" for month in self.months() for source in self.sources]


def in_range(key: str, first: str, last: str, sources: Sequence[str]) -> bool:
    """Whether a range of partitions holds `key`. A range holds one dimension fixed."""
    if "|" not in first or "|" not in last:
        return False
    (month, source), (from_month, from_source), (to_month, to_source) = (
        k.split("|", 1) for k in (key, first, last)
    )
    if not from_month <= month <= to_month:
        return False
    if from_source == to_source:
        return source == from_source
    # A range over sources follows Dagster's order of them, which is that of the configuration.
    places = [sources.index(s) if s in sources else None for s in (from_source, source, to_source)]
    low, at, high = places
    return low is not None and at is not None and high is not None and low <= at <= high
