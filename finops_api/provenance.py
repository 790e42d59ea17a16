"""The address of the bill rows behind a figure: what GET /costs/rows is asked by to add up to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from dateutil.relativedelta import relativedelta

from finops_api.period import Period
from finops_assets.queries.costs import Filter, Granularity
from finops_assets.queries.filters import filter_texts

ROWS_PATH = "/api/v1/costs/rows"


def rows_url(
    days: Period,
    metric: str,
    currency: str | None = None,
    narrowed: Sequence[Filter] = (),
    *,
    as_of: date | None,
) -> str:
    """The address, relative to the API's host, of the rows that a figure adds up; None as all currencies."""
    params = [
        ("start_date", days.first.isoformat()),
        ("end_date", days.last.isoformat()),
        ("metric", metric),
        *([("currency", currency)] if currency is not None else []),
        *([("as_of", as_of.isoformat())] if as_of is not None else []),
        *(("filter", text) for text in filter_texts(narrowed)),
    ]
    return f"{ROWS_PATH}?{urlencode(params, quote_via=quote)}"


def rows_url_of(
    row: Mapping[str, Any], columns: Sequence[str], metric: str, *, as_of: date | None
) -> str | None:
    """The address of the rows of a table's row with first_day and last_day, by what it says of `columns`.

    None where it has no days: it has no rows, or they are another delivery's now. BillingCurrency is not one
    of the columns, it is the figure's currency.
    """
    if row["first_day"] is None:
        return None
    days = Period(row["first_day"], row["last_day"])
    narrowed = [Filter(c, (row[c],)) for c in columns if c != "BillingCurrency"]
    return rows_url(days, metric, row["BillingCurrency"], narrowed, as_of=as_of)


def group(
    narrowed: Sequence[Filter], columns: Sequence[str], values: Sequence[str | None]
) -> tuple[Filter, ...]:
    """The filters of one group: its value in place of what was asked about the same column."""
    kept = [f for f in narrowed if f.column not in columns]
    return (*kept, *(Filter(c, (v,)) for c, v in zip(columns, values, strict=True)))


def others(narrowed: Sequence[Filter], column: str, shown: Sequence[str | None]) -> tuple[Filter, ...]:
    """The filters of all values of a column but those that are shown."""
    return (*narrowed, Filter(column, tuple(shown), exclude=True))


_STEPS = {
    "day": relativedelta(days=1),
    "week": relativedelta(weeks=1),
    "month": relativedelta(months=1),
    "quarter": relativedelta(months=3),
    "year": relativedelta(years=1),
}


def step(days: Period, first: date | None, granularity: Granularity) -> Period:
    """The days of `days` that lie in the step of time that begins on `first`."""
    if first is None or granularity == "none":
        return days
    last = first + _STEPS[granularity] - timedelta(days=1)
    return Period(max(first, days.first), min(last, days.last))
