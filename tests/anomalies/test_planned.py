"""Planned changes keep their own days quiet, and nothing else."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from finops_assets.anomalies.planned import foreseen
from finops_assets.marts.plans import PLANNED_CHANGES

MARCH = date(2026, 3, 10)


def event(impact: int = 120, day: date = MARCH, days: int = 1, **given: Any) -> dict[str, Any]:
    return {
        "ServiceProviderName": "AWS",
        "BillingAccountId": None,
        "SubAccountId": None,
        "ServiceName": "EC2",
        "metric": "EffectiveCost",
        "BillingCurrency": "USD",
        "kind": "spike",
        "first_day": day,
        "last_day": day + timedelta(days=days - 1),
        "impact": Decimal(impact),
        **given,
    }


def plans(**given: Any) -> pa.Table:
    row = {
        "first_day": MARCH,
        "last_day": MARCH + timedelta(days=4),
        "ServiceProviderName": "AWS",
        "ServiceName": "EC2",
        "amount": Decimal(100),
        "BillingCurrency": "USD",
    }
    return pa.Table.from_pylist([{**row, **given}], schema=PLANNED_CHANGES.arrow_schema())


TOTAL: dict[str, Any] = {"ServiceProviderName": None, "ServiceName": None}


@pytest.mark.parametrize(
    ("found", "plan", "quiet"),
    [
        (event(), plans(), True),
        (event(day=MARCH + timedelta(days=4)), plans(), True),
        (event(day=MARCH - timedelta(days=1)), plans(), False),
        (event(day=MARCH + timedelta(days=5)), plans(), False),
        # It goes its way, and back at its end.
        (event(-120), plans(), False),
        (event(-120, day=MARCH + timedelta(days=5)), plans(), True),
        (event(-120, day=MARCH + timedelta(days=11)), plans(), False),
        # What stays may be seen some days later.
        (event(day=MARCH + timedelta(days=6)), plans(last_day=None), True),
        (event(day=MARCH + timedelta(days=7)), plans(last_day=None), False),
        # Of other costs, another cost or currency.
        (event(ServiceName="S3"), plans(), False),
        (event(metric="BilledCost"), plans(), True),
        (event(metric="BilledCost"), plans(metric="EffectiveCost"), False),
        (event(BillingCurrency="EUR"), plans(), False),
        (event(kind="missing_bill"), plans(), False),
        # A whole that holds the service moves by as much, or by something else.
        (event(360, days=3, **TOTAL), plans(), True),
        (event(900, **TOTAL), plans(), False),
        (event(**TOTAL), plans(amount=None, percent=Decimal(20)), False),
        (event(900), plans(amount=None, percent=Decimal(20)), True),
    ],
)
def test_which_events_are_foreseen(found: dict[str, Any], plan: pa.Table, quiet: bool) -> None:
    assert foreseen([found], plan) == [quiet]
    assert foreseen([found], None) == [False]
