"""What is told of a budget: that it is at risk, that it will be crossed and when, that it is over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from finops_assets.alert_settings import Severity
from finops_assets.marts.budgets import scope_of
from finops_assets.normalize.tables import tag_column
from finops_assets.notify.choose import Subject

_SEVERITIES: dict[str, Severity] = {
    "crossed": "critical",
    "will_cross": "high",
    "at_risk": "medium",
    "on_track": "low",
}
_COSTS = {"BilledCost": "Billed cost", "EffectiveCost": "Effective cost"}


def budget_subjects(
    rows: Iterable[Mapping[str, Any]], dashboard: str, told: Collection[str] = ()
) -> list[Subject]:
    """What the current rows of budget_status give to tell; `dashboard` is the address of the pages.

    A subject's `impact` is what the period is expected to end over the amount by, at risk what it ends over
    in one case of ten, and below zero what is expected to be left; `share` is its part of the amount.
    A period that is on track is told of only when it was told of before: `told` has the subject_id of every
    alert that went out. One that has ended, or has no forecast and is not over, is nothing to tell of.
    """
    found = [_subject(row, dashboard) for row in rows if row["is_current"] and row["state"] in _SEVERITIES]
    return [s for s in found if s.state != "on_track" or s.subject_id in told]


def _subject(row: Mapping[str, Any], dashboard: str) -> Subject:
    impact, currency = _impact(row), row["BillingCurrency"]
    severity = _SEVERITIES[row["state"]]
    page = {"budget": row["budget"], "currency": currency, "metric": _COSTS[row["metric"]]}
    url = _address(dashboard, "budgets", list(page.items()))
    lines = [
        f"Budget {row['budget']}, {row['first_day']} to {row['last_day']}: {_said(row)}",
        f"Amount:   {row['amount']:,.2f} {currency} of {_COSTS[row['metric']].lower()}, {_scope(row)}",
        f"Spent:    {row['actual']:,.2f} {currency} by {row['data_until']}",
        *_forecast(row),
        f"Page: {url}",
        f"Bill rows: {_rows(row, dashboard)}",
    ]
    return Subject(
        subject_kind="budget",
        subject_id=f"{row['budget']}|{row['first_day']}",
        state=row["state"],
        severity=severity,
        impact=impact,
        currency=currency,
        title=f"[{severity}] Budget {row['budget']}: {_said(row)}",
        text="\n".join(lines),
        url=url,
        until=row["last_day"],
        share=impact / row["amount"],
        level=row["level"],
        provider=row["ServiceProviderName"],
        metric=row["metric"],
    )


def _impact(row: Mapping[str, Any]) -> Decimal:
    end = row["hi_80"] if row["state"] == "at_risk" else row["expected"]
    impact: Decimal = (row["actual"] if end is None else end) - row["amount"]
    return impact


def _said(row: Mapping[str, Any]) -> str:
    if row["state"] == "crossed":
        return f"over since {row['crossed_on']}"
    chance = f"{row['crossing_probability']:.0%} likely to end over"
    if row["state"] == "will_cross":
        return f"over by {row['crossing_day']}, {chance}"
    if row["state"] == "at_risk":
        return f"at risk, {chance}"
    return f"on track, {chance}"


def _forecast(row: Mapping[str, Any]) -> list[str]:
    if row["expected"] is None:
        return []
    currency = row["BillingCurrency"]
    return [
        f"Expected: {row['expected']:,.2f} {currency} by {row['last_day']}, "
        f"80% between {row['lo_80']:,.2f} and {row['hi_80']:,.2f}"
    ]


def _scope(row: Mapping[str, Any]) -> str:
    return " / ".join(_named(column, value) for column, value in scope_of(row)) or "all costs"


def _named(column: str, value: str) -> str:
    tag = column.removeprefix(tag_column(""))
    return value if tag == column else f"{tag} = {value}"


def _rows(row: Mapping[str, Any], dashboard: str) -> str:
    """The page of bill rows, asked as its own links ask it: `to` is the day after the last."""
    until = min(row["data_until"], row["last_day"]) + timedelta(days=1)
    params = [
        ("from", row["first_day"].isoformat()),
        ("to", until.isoformat()),
        ("metric", _COSTS[row["metric"]]),
        ("currency", row["BillingCurrency"]),
        *(("where", f"{n}:{column}:{value}") for n, (column, value) in enumerate(scope_of(row))),
    ]
    return _address(dashboard, "rows", params)


def _address(dashboard: str, page: str, params: list[tuple[str, str]]) -> str:
    return f"{dashboard.rstrip('/')}/{page}?{urlencode(params, quote_via=quote)}"
