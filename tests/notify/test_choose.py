"""Who is told of what: thresholds, no repeats, what is worse, what is old, and when it is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from finops_assets.decisions.alerts import Alert
from finops_assets.notify.choose import Subject, choose, due, is_worth
from tests.notify.subjects import NOW, channel, subject

HOOK = {"url": "json://localhost"}


@pytest.mark.parametrize(
    ("of_channel", "of_subject", "told"),
    [
        ({"min_impact": "1500"}, {}, True),
        ({"min_impact": "1500.01"}, {}, False),
        ({"min_impact": "100"}, {"impact": Decimal(-500)}, True),
        ({"min_share": 0.2}, {"share": Decimal("0.2")}, True),
        ({"min_share": 0.2}, {"share": Decimal("-0.5")}, True),
        ({"min_share": 0.2}, {"share": Decimal("0.19")}, False),
        ({"min_share": 100}, {"share": None}, True),
        ({"min_severity": "high"}, {"severity": "high"}, True),
        ({"min_severity": "high"}, {"severity": "medium"}, False),
        ({"levels": ["account"]}, {}, False),
        ({"levels": ["account", "service"]}, {}, True),
        ({"levels": ["account"]}, {"level": None, "provider": None}, True),
        ({"providers": ["Microsoft"]}, {}, False),
        ({"providers": ["AWS"]}, {}, True),
        ({"providers": ["AWS"]}, {"level": "total", "provider": None}, False),
        ({}, {"metric": "BilledCost"}, False),
        ({"metric": "BilledCost"}, {"metric": "BilledCost"}, True),
        ({}, {"metric": None}, True),
    ],
)
def test_all_thresholds_must_be_reached(
    of_channel: dict[str, Any], of_subject: dict[str, Any], told: bool
) -> None:
    assert is_worth(subject(**of_subject), channel(**{**HOOK, **of_channel})) is told


def told(given: Subject, record: list[Alert], now: datetime = NOW) -> list[Alert]:
    return choose([given], {"finance": channel(**HOOK)}, record, now)


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({}, False),
        ({"impact": Decimal("2999.99"), "title": "other"}, False),
        ({"impact": Decimal(3000)}, True),
        ({"impact": Decimal(-3000)}, True),
        ({"severity": "critical"}, True),
        ({"severity": "low", "impact": Decimal(10)}, False),
        ({"state": "crossed"}, True),
    ],
)
def test_what_was_told_is_told_again_only_when_it_is_worse_or_another(
    change: dict[str, Any], again: bool
) -> None:
    record = told(subject(), [])
    assert [a.status for a in record] == ["waiting"]
    for status in ("waiting", "delivered", "failed", "given_up", "seen"):
        known = [replace(a, status=status) for a in record]
        assert bool(told(subject(**change), known)) is again


def test_a_severity_that_falls_and_rises_again_is_no_news() -> None:
    record = told(subject(severity="medium"), [])
    record += told(subject(severity="critical"), record, NOW + timedelta(hours=1))
    assert len(record) == 2
    assert not told(subject(severity="medium"), record)
    assert not told(subject(severity="critical"), record)


def test_a_state_that_comes_back_is_told() -> None:
    record = told(subject(state="on_track"), [])
    record += told(subject(state="will_cross"), record, NOW + timedelta(hours=1))
    assert len(told(subject(state="on_track"), record)) == 1


def test_the_first_run_of_each_channel_does_not_flood() -> None:
    old = subject(subject_id="old", until=NOW.date() - timedelta(days=8))
    week = subject(subject_id="week", until=NOW.date() - timedelta(days=7))
    first = choose([old, week], {"finance": channel(**HOOK)}, [], NOW)
    assert {a.subject_id: a.status for a in first} == {"old": "seen", "week": "waiting"}
    assert not choose([old, week], {"finance": channel(**HOOK)}, first, NOW + timedelta(days=1))
    later = choose(
        [old, week], {"finance": channel(**HOOK), "team": channel(**HOOK)}, first, NOW + timedelta(days=1)
    )
    assert {(a.channel, a.subject_id, a.status) for a in later} == {
        ("team", "old", "seen"),
        ("team", "week", "seen"),
    }
    # After its first run a channel hears of what is old as well: it is new to the record.
    late = subject(subject_id="late", until=date(2026, 1, 5))
    assert [a.status for a in choose([late], {"finance": channel(**HOOK)}, first, NOW)] == ["waiting"]


def test_the_severest_and_largest_come_first() -> None:
    given = [
        subject(subject_id="small", impact=Decimal(10)),
        subject(subject_id="critical", severity="critical", impact=Decimal(1)),
        subject(subject_id="large", impact=Decimal(-90)),
    ]
    found = choose(given, {"finance": channel(**HOOK)}, [], NOW)
    assert [a.subject_id for a in found] == ["critical", "large", "small"]


@pytest.mark.parametrize(
    ("hour", "minutes", "is_due"),
    [
        (7, 0, False),  # it is 06:10, chosen then
        (7, 49, False),
        (7, 50, True),  # 07:00
        (6, 60, False),  # the hour was over when it was chosen: tomorrow
        (6, 60 * 24 - 11, False),
        (6, 60 * 24 - 10, True),
    ],
)
def test_a_digest_is_due_when_its_hour_comes(hour: int, minutes: int, is_due: bool) -> None:
    (waiting,) = choose([subject()], {"team": channel(mode="digest", **HOOK)}, [], NOW)
    assert bool(due([waiting], hour, NOW + timedelta(minutes=minutes))) is is_due


def test_a_failure_waits_twice_as_long_each_time() -> None:
    (alert,) = told(subject(), [])
    assert due([alert], 7, NOW) == [alert]
    for attempts, minutes in ((1, 15), (2, 30), (3, 60), (4, 120)):
        failed = replace(alert, status="failed", attempts=attempts, tried_at=NOW)
        assert not due([failed], 7, NOW + timedelta(minutes=minutes, seconds=-1))
        assert due([failed], 7, NOW + timedelta(minutes=minutes)) == [failed]
    for status in ("delivered", "given_up", "seen"):
        assert not due([replace(alert, status=status)], 7, datetime(2027, 1, 1, tzinfo=UTC))
