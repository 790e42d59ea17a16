"""Subjects, as tests tell them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from finops_assets.alert_settings import Channel
from finops_assets.notify.choose import Subject

NOW = datetime(2026, 3, 20, 6, 10, tzinfo=UTC)


def subject(**given: Any) -> Subject:
    """An event of today that nothing was said of; what is given replaces that."""
    values: dict[str, Any] = {
        "subject_kind": "anomaly",
        "subject_id": "a1",
        "state": "raised",
        "severity": "high",
        "impact": Decimal("1500.00"),
        "currency": "USD",
        "title": "[high] AWS, EC2: +1,500.00 USD, 2026-03-19",
        "text": "Expected: 100.00 USD",
        "url": "https://finops.example.com/anomalies?event=a1",
        "until": date(2026, 3, 19),
        "share": Decimal(15),
        "level": "service",
        "provider": "AWS",
        "metric": "EffectiveCost",
    }
    return Subject(**{**values, **given})


def channel(**given: Any) -> Channel:
    """A channel as finops.toml gives it."""
    return Channel.model_validate(given)
