"""Costs beside those of another period: step by step, group by group, with what came and what went."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pyarrow as pa
from dateutil.relativedelta import relativedelta

from finops_assets.queries.access import Reader, fetch
from finops_assets.queries.costs import CostQuery, first_day_sql, summed_sql, top_sql
from finops_assets.queries.dimensions import CURRENCY
from finops_assets.schema import MONEY, quote

WAYS = {
    "previous_period": "as many days just before; of whole months, as many months before",
    "previous_month": "the same days one month earlier",
    "previous_year": "the same days one year earlier",
    "2025-01-01..2025-01-31": "those days, both included",
}
"""What can be compared with, by how it is asked for."""

COMPARED = "compared_"
"""Begins the columns of the other period."""

_DAYS = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})")


class BadComparisonError(ValueError):
    """A text that names no other period; it says what is wrong."""


@dataclass(frozen=True)
class Days:
    """From `start` up to, not including, `end`."""

    start: date
    end: date


def compared_days(start: date, end: date, way: str) -> Days:
    """The days to hold those from `start` to before `end` against. Raises BadComparisonError."""
    try:
        if way == "previous_period":
            whole = (end.year - start.year) * 12 + end.month - start.month
            if start.day == 1 and end.day == 1 and whole > 0:
                return Days(start - relativedelta(months=whole), start)
            return Days(start - (end - start), start)
        if way == "previous_month":
            return _earlier(start, end, relativedelta(months=1))
        if way == "previous_year":
            return _earlier(start, end, relativedelta(years=1))
        given = _DAYS.fullmatch(way)
        if given is None:
            raise BadComparisonError(f"{way!r} names no period.")
        first, last = (date.fromisoformat(text) for text in given.groups())
        if last < first:
            raise BadComparisonError(f"{way!r} ends before it begins; both days are included.")
        return Days(first, last + timedelta(days=1))
    except (ValueError, OverflowError) as error:
        if isinstance(error, BadComparisonError):
            raise
        raise BadComparisonError(f"{way!r} is no period of the calendar.") from None


def compared_costs(warehouse: Reader, q: CostQuery, other: Days) -> pa.Table:
    """The costs of `q`, and beside them those of the other days; ordered by step, then cost descending.

    Columns as `costs` gives them, and `compared_` before the same names for the other days. Steps are put
    beside each other by their number; a step that only the other days have has no `period`. Null where one
    of the two has no row. A limit keeps the groups that are largest in either. Raises as `costs`.
    """
    return fetch(warehouse, *_compared_sql(warehouse, q, other))


def changes(warehouse: Reader, q: CostQuery, other: Days) -> pa.Table:
    """The costs of `q` by group with what they were in the other days, the costliest first.

    Columns: the groups, BillingCurrency, the metric, x_RowCount, before, change; what one of the two does not
    have is zero there. The granularity and the limit of `q` are left out. Raises as `costs`.
    """
    sql, params = _compared_sql(warehouse, replace(q, granularity="none", limit=None), other)
    metric, keys = quote(q.metric), ", ".join([*map(quote, q.groups), CURRENCY])
    then = f"coalesce({quote(COMPARED + q.metric)}, 0)"
    return fetch(
        warehouse,
        f"SELECT {keys}, coalesce({metric}, 0)::{MONEY} AS {metric}, coalesce(x_RowCount, 0) AS x_RowCount, "
        f"{then}::{MONEY} AS before, (coalesce({metric}, 0) - {then})::{MONEY} AS change "
        f"FROM ({sql}) ORDER BY {metric} DESC, before DESC, {keys}",
        params,
    )


def _compared_sql(warehouse: Reader, q: CostQuery, other: Days) -> tuple[str, list[object]]:
    """The SQL of `compared_costs`, and what is bound to it."""
    now, now_params = summed_sql(warehouse, q)
    then, then_params = summed_sql(warehouse, q.over(other.start, other.end))
    sums = [*q.metrics, "x_RowCount"]
    steps = q.granularity != "none"
    keys = [*map(quote, q.groups), CURRENCY]
    sides = " UNION ALL BY NAME ".join(
        f"SELECT {', '.join([*_place(q, start, steps=steps), *keys, *(_named(c, prefix) for c in sums)])} "
        f"FROM ({side})"
        for side, start, prefix in ((now, q.start, ""), (then, other.start, COMPARED))
    )
    added = [c for prefix in ("", COMPARED) for c in (prefix + s for s in sums)]
    places = ["step"] if steps else []
    both = (
        f"SELECT {', '.join([*places, *keys, *(f'sum({quote(c)}) AS {quote(c)}' for c in added)])} "
        f"FROM ({sides}) GROUP BY ALL"
    )
    metric, before = quote(q.metric), quote(COMPARED + q.metric)
    if q.limit is not None and q.groups:
        both = top_sql(both, q, places, added, f"greatest(abs({metric}), abs({before}))")
    columns = [*(_dates(q, other) if steps else []), *keys, *map(_summed, added)]
    order = ", ".join([*places, f"{metric} DESC NULLS LAST", f"{before} DESC NULLS LAST", *keys])
    return f"SELECT {', '.join(columns)} FROM ({both}) ORDER BY {order}", [*now_params, *then_params]


def _earlier(start: date, end: date, by: relativedelta) -> Days:
    """The same days earlier: of whole months whole months, and a day that there is not is left out."""
    if start.day == 1 and end.day == 1:
        return Days(start - by, end - by)
    return Days(start - by, end - timedelta(days=1) - by + timedelta(days=1))


def _place(q: CostQuery, start: date, *, steps: bool) -> list[str]:
    """How many steps after the first one a row is; the start is a date, so no text of a caller's."""
    if not steps:
        return []
    first = first_day_sql(q.granularity, f"DATE '{start.isoformat()}'")
    return [f"date_diff('{q.granularity}', {first}, period) AS step"]


def _named(column: str, prefix: str) -> str:
    return f"{quote(column)} AS {quote(prefix + column)}"


def _summed(column: str) -> str:
    """Counts are whole numbers again; DuckDB adds them up as wider ones."""
    name = quote(column)
    return f"CAST({name} AS BIGINT) AS {name}" if column.endswith("x_RowCount") else name


def _dates(q: CostQuery, other: Days) -> list[str]:
    """The first day of the step in both periods; null where a period has no such step."""

    def of(start: date, end: date, name: str) -> str:
        first = first_day_sql(q.granularity, f"DATE '{start.isoformat()}'")
        day = f"CAST({first} + to_{q.granularity}s(CAST(step AS INTEGER)) AS DATE)"
        return f"CASE WHEN {day} < DATE '{end.isoformat()}' THEN {day} END AS {name}"

    return [of(q.start, q.end, "period"), of(other.start, other.end, f"{COMPARED}period")]
