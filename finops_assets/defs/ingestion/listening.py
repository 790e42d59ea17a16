"""A fetch told to the run's log, and which of its failures Dagster tries again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from finops_assets.sources.base import TransientError

_EVERY_SECONDS = 5.0


class RunLog:
    """Writes what a fetch says into the run's log: notes at once, progress every few seconds."""

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self._log = context.log
        self._begun: dict[str, float] = {}
        self._said_at = 0.0

    def advance(self, what: str, done: int, total: int | None) -> None:
        """Say how far `what` is, and how fast it comes, in megabytes."""
        now = time.monotonic()
        begun = self._begun.setdefault(what, now)
        if now - self._said_at < _EVERY_SECONDS:
            return
        self._said_at = now
        of = f" of {total / 1e6:,.1f}" if total else ""
        rate = done / 1e6 / max(now - begun, 0.001)
        self._log.info(f"fetching {what}: {done / 1e6:,.1f}{of} MB, {rate:,.1f} MB/s")

    def note(self, text: str) -> None:
        """Say it."""
        self._log.info(text)


@contextmanager
def retried_when_transient() -> Iterator[None]:
    """What may pass by itself asks Dagster for two more tries, a minute and more apart."""
    try:
        yield
    except TransientError as error:
        raise dg.RetryRequested(max_retries=2, seconds_to_wait=60) from error
