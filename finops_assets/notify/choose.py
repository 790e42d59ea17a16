"""Which subjects are told through which channel, and when: pure, from what is and what was told before."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import get_args

from finops_assets.alert_settings import Channel, Severity
from finops_assets.decisions.alerts import Alert, Status

SEVERITIES: tuple[Severity, ...] = get_args(Severity)

FRESH = timedelta(days=7)
"""What a channel's first run tells; what was over before is only recorded as seen."""

PATIENCE = timedelta(minutes=15)
"""The wait after a first failure; it doubles with each."""


@dataclass(frozen=True)
class Subject:
    """Something that may be told: an event, or the state of a budget.

    `state` is what it is now: another state is told anew. `share` is the impact's size against what was
    expected, None where nothing was. `level`, `provider` and `metric` are None for what has none, which
    then no channel leaves out for it. `is_main` is false where another subject tells the same story at a
    better level: then only a channel that names this level hears of it. `until` is the last day it is about.
    `text` holds links and all.
    """

    subject_kind: str
    subject_id: str
    state: str
    severity: Severity
    impact: Decimal
    currency: str
    title: str
    text: str
    url: str
    until: date
    share: Decimal | None = None
    level: str | None = None
    provider: str | None = None
    metric: str | None = None
    is_main: bool = True


def is_worth(subject: Subject, channel: Channel) -> bool:
    """Whether a subject reaches every threshold of a channel. What nobody expected has any share.

    A refresh has nothing to measure: a channel hears of all or none.
    """
    if subject.subject_kind == "refresh":
        return channel.refreshes
    share = Decimal("Infinity") if subject.share is None else abs(subject.share)
    return (
        abs(subject.impact) >= channel.min_impact
        and share >= channel.min_share
        and SEVERITIES.index(subject.severity) >= SEVERITIES.index(channel.min_severity)
        and (subject.is_main if not channel.levels else subject.level in {None, *channel.levels})
        and (not channel.providers or subject.level is None or subject.provider in channel.providers)
        and (channel.metric is None or subject.metric is None or subject.metric == channel.metric)
    )


def is_news(subject: Subject, told: Sequence[Alert]) -> bool:
    """Whether a subject is other than it was told last: new, in another state, or worse.

    Worse is of a higher severity than was ever told in this state, or at least twice the impact.
    """
    if not told or told[-1].state != subject.state:
        return True
    same = [a for a in told if a.state == subject.state]
    severest = max(SEVERITIES.index(a.severity) for a in same)
    largest = max(abs(a.impact) for a in same)
    doubled = largest > 0 and abs(subject.impact) >= 2 * largest
    return SEVERITIES.index(subject.severity) > severest or doubled


def choose(
    subjects: Sequence[Subject], channels: Mapping[str, Channel], record: Sequence[Alert], now: datetime
) -> list[Alert]:
    """New alerts, the severest and largest first, waiting to be delivered.

    On a channel's first run, when the record knows nothing of it, what was over `FRESH` ago is `seen`.
    """
    chosen: list[Alert] = []
    for name, channel in channels.items():
        told: dict[tuple[str, str], list[Alert]] = {}
        for alert in record:
            if alert.channel == name:
                told.setdefault((alert.subject_kind, alert.subject_id), []).append(alert)
        oldest = now.date() - FRESH
        for subject in sorted(subjects, key=_urgency):
            before = told.get((subject.subject_kind, subject.subject_id), [])
            if is_worth(subject, channel) and is_news(subject, before):
                is_old = not told and subject.until < oldest
                chosen.append(_alert(subject, name, channel, "seen" if is_old else "waiting", now))
    return chosen


def due(record: Sequence[Alert], digest_hour: int, now: datetime) -> list[Alert]:
    """Alerts to try now: immediate ones, digests whose hour came since, and failures that waited enough."""
    return [a for a in record if _is_due(a, digest_hour, now)]


def _is_due(alert: Alert, digest_hour: int, now: datetime) -> bool:
    if alert.status == "failed" and alert.tried_at is not None:
        return now >= alert.tried_at + PATIENCE * int(2 ** (alert.attempts - 1))
    if alert.status != "waiting":
        return False
    if alert.mode == "immediate":
        return True
    today = now.replace(hour=digest_hour, minute=0, second=0, microsecond=0)
    newest = today if today <= now else today - timedelta(days=1)
    return alert.created_at < newest


def _alert(subject: Subject, name: str, channel: Channel, status: Status, now: datetime) -> Alert:
    return Alert(
        alert_id=uuid.uuid4().hex,
        channel=name,
        subject_kind=subject.subject_kind,
        subject_id=subject.subject_id,
        state=subject.state,
        severity=subject.severity,
        impact=subject.impact,
        currency=subject.currency,
        mode=channel.mode,
        title=subject.title,
        text=subject.text,
        status=status,
        created_at=now,
    )


def _urgency(subject: Subject) -> tuple[int, Decimal, str]:
    return (-SEVERITIES.index(subject.severity), -abs(subject.impact), subject.subject_id)
