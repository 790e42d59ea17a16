"""Changes that someone marked in advance are no anomalies on their days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

SCOPE = ("ServiceProviderName", "BillingAccountId", "SubAccountId", "ServiceName")

LATE = timedelta(days=6)
"""A change that stays may be seen so many days after it began, and so may the end of one that passes."""

SAME_SIZE = 2.0
"""Of a series that holds more than the change, an event is of it up to this factor of its daily amount."""

_NEVER = frozenset({"missing_bill"})


def foreseen(events: Sequence[Mapping[str, Any]], planned: pa.Table | None) -> list[bool]:
    """For each event, whether a planned change (a row of `planned_changes`) explains it.

    It does when the event begins while the change comes or goes, goes its way, and is of costs that the
    change is of: all of them, or so many more that its size must be that of the stated amount. A bill that
    is missing is never foreseen.
    """
    plans = [] if planned is None else planned.to_pylist()
    return [event["kind"] not in _NEVER and any(_explains(p, event) for p in plans) for event in events]


def _explains(plan: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    if plan["metric"] not in {None, event["metric"]}:
        return False
    if plan["BillingCurrency"] not in {None, event["BillingCurrency"]}:
        return False
    size = plan["amount"] if plan["amount"] is not None else plan["percent"]
    rises, grows = event["impact"] > 0, size > 0
    if not (_comes(plan, event["first_day"]) if rises == grows else _goes(plan, event["first_day"])):
        return False
    scope = {c: plan[c] for c in SCOPE if plan[c] is not None}
    if all(event[c] == value for c, value in scope.items()):
        return True
    if plan["amount"] is None or any(event[c] not in {None, value} for c, value in scope.items()):
        return False
    days: int = (event["last_day"] - event["first_day"]).days + 1
    daily, stated = abs(event["impact"]) / days, abs(plan["amount"])
    return bool(float(stated) / SAME_SIZE <= float(daily) <= float(stated) * SAME_SIZE)


def _comes(plan: Mapping[str, Any], day: date) -> bool:
    """Whether a move that begins on this day is the change's own."""
    first: date = plan["first_day"]
    last = first + LATE if plan["last_day"] is None else plan["last_day"]
    return first <= day <= last


def _goes(plan: Mapping[str, Any], day: date) -> bool:
    """Whether a move the other way that begins on this day is its end."""
    last: date | None = plan["last_day"]
    return last is not None and last < day <= last + LATE
