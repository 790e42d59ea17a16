"""Rows of costs as answers tell them: each with its currency and the address of its bill rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from finops_api.deps import Reading
from finops_api.errors import invalid
from finops_api.period import Period
from finops_api.provenance import group, others, rows_url, step
from finops_api.wire import money
from finops_assets.queries.comparison import (
    COMPARED,
    WAYS,
    BadComparisonError,
    Days,
    compared_costs,
    compared_days,
)
from finops_assets.queries.costs import OTHER, CostQuery, costs
from finops_assets.queries.dimensions import CURRENCY

Row = dict[str, Any]


def frame(days: Period, metric: str) -> Row:
    """What every answer about a period begins with."""
    return {"start_date": days.first.isoformat(), "end_date": days.last.isoformat(), "metric": metric}


def other_days(days: Period, way: str | None) -> Days | None:
    """The period to compare with, None without `compare`. Raises a 422 problem."""
    if way is None:
        return None
    try:
        return compared_days(days.first, days.end, way)
    except BadComparisonError as error:
        raise invalid("compare", way, str(error), WAYS) from None


def days_of(other: Days) -> Period:
    """The same with both days included."""
    return Period(other.start, other.end - date.resolution)


def figures(
    reading: Reading, question: CostQuery, days: Period, other: Days | None = None
) -> tuple[list[Row], list[Row]]:
    """The rows of `question`, raw, and each as a figure; beside the other days where there are some."""
    if other is None:
        found = costs(reading.warehouse, question).to_pylist()
    else:
        found = compared_costs(reading.warehouse, question, other).to_pylist()
    return found, told(reading, question, days, found, other)


def whole(question: CostQuery) -> CostQuery:
    """The same costs in one sum a currency."""
    return replace(question, group_by=(), granularity="none", limit=None)


def told(
    reading: Reading, question: CostQuery, days: Period, found: list[Row], other: Days | None = None
) -> list[Row]:
    """Rows of costs as figures."""
    urls = _urls(reading, question, days, found)
    rows = [{**_sum(question, row), "rows_url": url} for row, url in zip(found, urls, strict=True)]
    if other is None:
        return [{**row, "compared": None} for row in rows]
    then = [_compared_row(row) for row in found]
    urls = _urls(reading, question, days_of(other), then)
    return [
        {
            **row,
            "compared": {**_then(question, f, t), "rows_url": url},
        }
        for row, f, t, url in zip(rows, found, then, urls, strict=True)
    ]


def total(figure: Row) -> Row:
    """A figure of one metric, compared with nothing."""
    return {name: figure[name] for name in ("currency", "cost", "row_count", "rows_url")}


def day(row: Mapping[str, Any]) -> str | None:
    """The first day of a row's step of time."""
    first = row.get("period")
    return first.isoformat() if first is not None else None


def _sum(question: CostQuery, row: Mapping[str, Any]) -> Row:
    costs_of = {metric: money(row[metric]) for metric in question.metrics}
    return {
        "currency": row[CURRENCY],
        "cost": costs_of[question.metric],
        "costs": costs_of,
        "row_count": row["x_RowCount"] or 0,
    }


def _compared_row(row: Row) -> Row:
    """The other period's half of a row, named as a row of its own."""
    then = {k.removeprefix(COMPARED): v for k, v in row.items() if k.startswith(COMPARED)}
    return {**row, **then}


def _then(question: CostQuery, now: Row, then: Row) -> Row:
    """The other period's sum, and by how much it is now more."""
    before = then[question.metric] or Decimal(0)
    change = (now[question.metric] or Decimal(0)) - before
    summed = {k: v for k, v in _sum(question, then).items() if k != "currency"}
    return {
        **summed,
        "period": day(then),
        "change": money(change),
        "change_ratio": round(float(change / before), 6) if before else None,
    }


def _urls(reading: Reading, question: CostQuery, days: Period, found: list[Row]) -> list[str | None]:
    """For each row that `question` gave, the address of the bill rows that it adds up.

    Null for what is left of several columns beyond a limit, which no filter can name, and for a step that
    these days do not have.
    """
    urls: list[str | None] = []
    for row in found:
        values = [row[c] for c in question.groups]
        narrowed = group(question.filters, question.groups, values)
        if question.limit is not None and OTHER in values:
            if len(values) > 1:
                urls.append(None)
                continue
            same = [r[question.groups[0]] for r in found if r[CURRENCY] == row[CURRENCY]]
            shown = list(dict.fromkeys(v for v in same if v != OTHER))
            narrowed = others(question.filters, question.groups[0], shown)
        if question.granularity != "none" and row["period"] is None:
            urls.append(None)
            continue
        # What was converted is shown as it was billed: in every currency.
        currency = question.currency if question.convert_to else row[CURRENCY]
        within = step(days, row.get("period"), question.granularity)
        urls.append(rows_url(within, question.metric, currency, narrowed, as_of=reading.as_of))
    return urls
