"""The bill rows behind a figure: a page of them, or all of them as a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Query, Request, Response

from finops_api import filters, pagination
from finops_api.deps import NOT_MODIFIED
from finops_api.errors import InvalidParameterProblem, NotAcceptableProblem, NotPublishedProblem, problems
from finops_api.formats import DESCRIPTION, TABULAR, CurrentFormattedReading
from finops_api.period import period
from finops_api.provenance import rows_url
from finops_api.v1.costs.figures import frame
from finops_api.v1.costs.schemas import RowsAnswer, RowsQuery
from finops_api.wire import money, plain
from finops_assets.queries.access import Reader
from finops_assets.queries.rows import RowQuery, cost_rows, every_row, filterable_columns

router = APIRouter(
    prefix="/costs",
    tags=["costs"],
    responses={
        **problems(InvalidParameterProblem, NotPublishedProblem, NotAcceptableProblem),
        **NOT_MODIFIED,
        **TABULAR,
    },
)

_PAGE = 100


@router.get(
    "/rows",
    response_model=RowsAnswer,
    summary="The bill rows behind a figure",
    description="The rows that `GET /costs` with the same period, filters, metric and currency adds up.\n\n"
    "The most expensive first, a page at a time: follow the Link header's `next` until there is none. "
    "Filters may also name columns that costs cannot be grouped by, such as `ResourceId` or `SkuId`.\n\n"
    f"{DESCRIPTION} Without `limit` and `cursor` these hold all rows, in no order.",
)
def get_cost_rows(
    asked: Annotated[RowsQuery, Query()], request: Request, formatted: CurrentFormattedReading
) -> Response:
    """One page as JSON or as a table, or all rows as a table."""
    reading = formatted.reading
    days = period(reading.warehouse, asked)
    question = RowQuery(
        start=days.first,
        end=days.end,
        filters=filters.parse(asked.filter, filterable_columns(reading.warehouse)),
        metric=asked.metric,
        currency=asked.currency,
        limit=asked.limit or _PAGE,
    )
    about = frame(days, asked.metric)
    if formatted.format != "json" and asked.limit is None and asked.cursor is None:
        schema, batches = _all(reading.warehouse, question)
        return formatted.table("cost-rows", schema, batches, about)
    after = pagination.decode(asked.cursor, question) if asked.cursor is not None else None
    page = cost_rows(reading.warehouse, replace(question, after=after))
    following = pagination.encode(page.next_cursor, question) if page.next_cursor is not None else None
    # Spelled out, since a new publication may move the default period between two pages.
    fixed = {"start_date": days.first.isoformat(), "end_date": days.last.isoformat()}
    headers = {"Link": pagination.link(request.url, following, **fixed)}
    if formatted.format != "json":
        return formatted.table("cost-rows", page.rows.schema, page.rows.to_batches(), about, headers)
    totals = [
        {
            "currency": currency,
            "cost": money(cost),
            "row_count": page.row_counts[currency],
            "rows_url": rows_url(days, asked.metric, currency, question.filters, as_of=reading.as_of),
        }
        for currency, cost in page.totals.items()
    ]
    return reading.answer(
        {
            **about,
            "total_rows": page.total_rows,
            "totals": totals,
            "next": following,
            "rows": _bill_rows(page.rows),
        },
        headers=headers,
    )


def _all(warehouse: Reader, question: RowQuery) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """All rows as batches that are read while they are sent, and their columns."""
    with ExitStack() as stack:
        reader = stack.enter_context(every_row(warehouse, question))
        held = stack.pop_all()

    def batches() -> Iterator[pa.RecordBatch]:
        with held:
            yield from reader

    return reader.schema, batches()


def _bill_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as JSON; FOCUS's Tags, which are JSON text, as an object whose numbers stay texts."""
    found = []
    for row in table.to_pylist():
        tags = row["Tags"]
        row["Tags"] = json.loads(tags, parse_float=str, parse_int=str) if tags else None
        found.append(plain(row))
    return found
