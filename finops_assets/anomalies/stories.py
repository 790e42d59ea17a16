"""Events of the same money, days and direction at several levels are one story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from finops_assets.series import SERIES_COLUMNS

_NO_IDENTITY = {"series_id", "level", "SubAccountName", "metric", "BillingCurrency"}

OVERLAP = 1 / 3
"""Two events are of the same days when they share this much of the longer one's days."""

EXPLAINS = 0.2
"""A part belongs to the whole's story when it has at least this share of its impact."""

TWINS = 0.5
"""Two views of one bill, such as a service and an account or a tag, belong together from this likeness on."""


def story_ids(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each event, the anomaly_id of the one that tells its story best.

    That is the largest impact at the most specific level of the story. `events` have the columns of
    `events.EVENTS`; metric and currency are never mixed.
    """
    identity = [_identity(e) for e in events]
    story = list(range(len(events)))

    def head(i: int) -> int:
        while story[i] != i:
            story[i] = story[story[i]]
            i = story[i]
        return i

    order = sorted(range(len(events)), key=lambda i: events[i]["first_day"])
    for place, i in enumerate(order):
        for j in order[place + 1 :]:
            if events[j]["first_day"] > events[i]["last_day"]:
                break
            if _linked(events[i], events[j], identity[i], identity[j]):
                story[head(j)] = head(i)
    best: dict[int, int] = {}
    for i in range(len(events)):
        main = best.setdefault(head(i), i)
        if _weight(events[i], identity[i]) > _weight(events[main], identity[main]):
            best[head(i)] = i
    return [str(events[best[head(i)]]["anomaly_id"]) for i in range(len(events))]


def _identity(event: Mapping[str, Any]) -> dict[str, str]:
    """What of a bill the event's series is: a total is of everything."""
    # What is of no region or has no tag is a part of its own.
    part = {"region": "RegionId", "tag": "tag_value"}.get(event["level"])
    named = {
        c: event[c] or ""
        for c in SERIES_COLUMNS
        if c not in _NO_IDENTITY and (event[c] is not None or c == part)
    }
    return named or ({} if event["level"] == "total" else {"series_id": event["series_id"]})


def _linked(a: Mapping[str, Any], b: Mapping[str, Any], of_a: dict[str, str], of_b: dict[str, str]) -> bool:
    if (a["metric"], a["BillingCurrency"]) != (b["metric"], b["BillingCurrency"]):
        return False
    if (a["impact"] > 0) != (b["impact"] > 0) or _shared(a, b) < OVERLAP:
        return False
    size_a, size_b = float(abs(a["impact"])), float(abs(b["impact"]))
    if of_a.items() <= of_b.items():
        return size_b >= EXPLAINS * size_a
    if of_b.items() <= of_a.items():
        return size_a >= EXPLAINS * size_b
    provider = of_a.get("ServiceProviderName")
    same_bill = provider is not None and provider == of_b.get("ServiceProviderName")
    other_view = a["level"] != b["level"] and (same_bill or "tag" in {a["level"], b["level"]})
    clash = any(of_a[c] != of_b[c] for c in of_a.keys() & of_b.keys())
    return other_view and not clash and min(size_a, size_b) >= TWINS * max(size_a, size_b)


def _shared(a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
    common: int = (min(a["last_day"], b["last_day"]) - max(a["first_day"], b["first_day"])).days + 1
    longer: int = max((e["last_day"] - e["first_day"]).days + 1 for e in (a, b))
    return max(0, common) / longer


def _weight(event: Mapping[str, Any], identity: dict[str, str]) -> tuple[int, float, str]:
    return len(identity), float(abs(event["impact"])), str(event["anomaly_id"])
