"""One round of telling: what is new is chosen, what is due is sent, and how that went is recorded."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from pathlib import Path

from finops_assets.alert_settings import Alerts
from finops_assets.decisions.alerts import Alert, record, recorded
from finops_assets.notify.choose import Subject, choose, due
from finops_assets.notify.deliver import send
from finops_assets.notify.message import message
from finops_assets.notify.webhook import post


def tell(store: Path, settings: Alerts, subjects: Sequence[Subject], now: datetime) -> list[Alert]:
    """Choose, send and record; the alerts that were chosen or tried, as they now stand.

    An alert is recorded before it is sent and after each attempt: a run that is killed between the two
    tells once more rather than never. A channel that fails stops no other.
    """
    with _one_at_a_time(store):
        fresh = choose(subjects, settings.channels, recorded(store), now)
        record(store, fresh)
        tried = [
            attempt
            for together in _messages(due(recorded(store), settings.digest_hour, now))
            for attempt in _attempt(store, settings, together, now)
        ]
    known = {a.alert_id: a for a in (*fresh, *tried)}
    return list(known.values())


def _messages(alerts: Sequence[Alert]) -> Iterator[list[Alert]]:
    """Alerts that go out in one message: each immediate one alone, a channel's digest together."""
    for alert in alerts:
        if alert.mode == "immediate":
            yield [alert]
    digests = sorted((a for a in alerts if a.mode == "digest"), key=lambda a: a.channel)
    for _, together in groupby(digests, key=lambda a: a.channel):
        yield list(together)


def _attempt(store: Path, settings: Alerts, alerts: Sequence[Alert], now: datetime) -> list[Alert]:
    channel = settings.channels.get(alerts[0].channel)
    if channel is None:
        error = "the channel is no longer configured"
        done = [replace(a, status="given_up", error=error, tried_at=now) for a in alerts]
    else:
        error = post(channel, alerts, now) if channel.secret_env else send(channel, *message(alerts))
        done = [_after(a, error, settings.max_attempts, now) for a in alerts]
    record(store, done)
    return done


def _after(alert: Alert, error: str, max_attempts: int, now: datetime) -> Alert:
    attempts = alert.attempts + 1
    tried = replace(alert, attempts=attempts, error=error, tried_at=now)
    if not error:
        return replace(tried, status="delivered", delivered_at=now)
    return replace(tried, status="given_up" if attempts >= max_attempts else "failed")


@contextmanager
def _one_at_a_time(store: Path) -> Iterator[None]:
    """Two runs at once would tell the same twice."""
    store.parent.mkdir(parents=True, exist_ok=True)
    with store.with_name(".alerts.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
