"""What a message says: of an event what it cost, why, and where to look; of many, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from finops_assets.decisions.alerts import Alert
from finops_assets.notify.choose import Subject

_COSTS = {"BilledCost": "Billed cost", "EffectiveCost": "Effective cost"}
_TELLING = ("cause", "ServiceName", "SubAccountName", "RegionId", "ChargeCategory", "ServiceProviderName")
_NO_CAUSE = {"(other)", "(unexplained)", "(elsewhere)", "(everywhere)"}
_CAUSES = 3


def anomaly_subject(
    event: Mapping[str, Any],
    drivers: Sequence[Mapping[str, Any]],
    filters: Sequence[tuple[str, str | None]],
    dashboard: str,
) -> Subject:
    """The subject of a row of cost_anomalies, its rows of anomaly_drivers, and what narrows its series.

    `filters` are columns and values under which the event's bill rows add up to its actual cost.
    """
    impact, currency, cost = event["impact"], event["BillingCurrency"], _COSTS[event["metric"]]
    share = impact / abs(event["expected"]) if event["expected"] else None
    name, days = _name(event), _days(event["first_day"], event["last_day"])
    page = {"event": event["anomaly_id"], "metric": cost, "currency": currency}
    url = _address(dashboard, "anomalies", [*page.items()])
    percent = "" if share is None else f" ({share * 100:+,.0f}%)"
    lines = [
        f"{event['kind'].replace('_', ' ').capitalize()} of {cost.lower()}, {days}, {event['status']}",
        event["reason"],
        f"Expected: {event['expected']:,.2f} {currency}",
        f"Actual:   {event['actual']:,.2f} {currency}",
        f"Impact:   {impact:+,.2f} {currency}{percent}",
        *_causes(drivers, currency),
        f"Page: {url}",
        f"Bill rows: {_rows(event, cost, filters, dashboard)}",
    ]
    return Subject(
        subject_kind="anomaly",
        subject_id=event["anomaly_id"],
        state="raised",  # its end is no news: what it has come to is, when that is twice as much
        severity=event["severity"],
        impact=impact,
        currency=currency,
        title=f"[{event['severity']}] {name}: {impact:+,.2f} {currency}, {days}",
        text="\n".join(lines),
        url=url,
        until=event["last_day"],
        share=share,
        level=event["level"],
        provider=event["ServiceProviderName"],
        metric=event["metric"],
        is_main=event["story_id"] == event["anomaly_id"],
    )


def refresh_subject(version: int, published_at: datetime, dashboard: str) -> Subject:
    """The subject of a publication: new figures can be asked for."""
    url = _address(dashboard, "sources", [])
    return Subject(
        subject_kind="refresh",
        subject_id=str(version),
        state="published",
        severity="low",
        impact=Decimal(0),
        currency="",
        title=f"Figures were refreshed: snapshot {version}",
        text=f"Published: {published_at:%Y-%m-%d %H:%M} UTC\nPage: {url}",
        url=url,
        until=published_at.date(),
    )


def message(alerts: Sequence[Alert]) -> tuple[str, str]:
    """Title and text of one message that tells these alerts, in their order. Amounts are never added up."""
    if len(alerts) == 1:
        return alerts[0].title, alerts[0].text
    kinds = {"anomaly": ("anomaly", "anomalies"), "refresh": ("refresh", "refreshes")}
    counts = []
    for kind in dict.fromkeys(a.subject_kind for a in alerts):
        number = sum(a.subject_kind == kind for a in alerts)
        one, many = kinds.get(kind, (kind, f"{kind}s"))
        counts.append(f"{number} {one if number == 1 else many}")
    text = "\n\n".join(f"{n}. {a.title}\n{a.text}" for n, a in enumerate(alerts, 1))
    return f"Cloud costs: {' and '.join(counts)}", text


def _name(event: Mapping[str, Any]) -> str:
    if event["level"] == "tag":
        return f"{event['tag_key']} = {event['tag_value'] or '(none)'}"
    account = event["SubAccountName"] or event["SubAccountId"] or event["BillingAccountId"]
    region = event["RegionId"] or "no region" if event["level"] == "region" else None
    parts = [p for p in (event["ServiceProviderName"], account, event["ServiceName"], region) if p]
    return ", ".join(parts) or "Total"


def _days(first: date, last: date) -> str:
    return f"{first:%Y-%m-%d}" if first == last else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _causes(drivers: Sequence[Mapping[str, Any]], currency: str) -> list[str]:
    """The largest contributions of the dimension that says most, of those that name a cause."""
    given = {d["dimension"] for d in drivers}
    order = [*(d for d in _TELLING if d in given), *sorted(given.difference(_TELLING))]
    for dimension in order:
        named = [d for d in drivers if d["dimension"] == dimension and d["value"] not in _NO_CAUSE]
        if named:
            named.sort(key=lambda d: (-abs(d["contribution"]), str(d["value"])))
            parts = [f"{d['value']} {d['contribution']:+,.2f} {currency}" for d in named[:_CAUSES]]
            return [f"By {dimension}: {'; '.join(parts)}"]
    return []


def _rows(
    event: Mapping[str, Any], cost: str, filters: Sequence[tuple[str, str | None]], dashboard: str
) -> str:
    """The page of bill rows, asked as its own links ask it: `to` is the day after the last."""
    params = [
        ("from", event["first_day"].isoformat()),
        ("to", (event["last_day"] + timedelta(days=1)).isoformat()),
        ("metric", cost),
        ("currency", event["BillingCurrency"]),
        *(("where", f"{n}:{column}:{value}") for n, (column, value) in enumerate(filters)),
    ]
    return _address(dashboard, "rows", params)


def _address(dashboard: str, page: str, params: Sequence[tuple[str, str]]) -> str:
    asked = f"?{urlencode(params, quote_via=quote)}" if params else ""
    return f"{dashboard.rstrip('/')}/{page}{asked}"
