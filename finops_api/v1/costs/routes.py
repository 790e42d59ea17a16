"""Costs: by any dimensions, by provider, and the bill rows behind a figure."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Path, Query, Request, Response

from finops_api import filters, pagination
from finops_api.deps import NOT_MODIFIED, CurrentReading, Reading
from finops_api.errors import InvalidParameterProblem, NotPublishedProblem, check_known, invalid, problems
from finops_api.period import Period, PeriodQuery, period
from finops_api.provenance import group, others, rows_url, step
from finops_api.v1.costs.schemas import (
    CostsAnswer,
    CostsQuery,
    DimensionsAnswer,
    ProviderCostsAnswer,
    ProviderCostsQuery,
    RowsAnswer,
    RowsQuery,
    ValuesAnswer,
)
from finops_api.wire import money, plain
from finops_assets.queries import rows as row_queries
from finops_assets.queries.costs import (
    GRANULARITIES,
    METRICS,
    OTHER,
    CostQuery,
    Filter,
    MissingRateError,
    conversion,
    costs,
    currencies,
    date_range,
    dimension_values,
    dimensions,
)
from finops_assets.queries.dimensions import CURRENCY
from finops_assets.queries.providers import PROVIDERS, Provider

router = APIRouter(
    prefix="/costs",
    tags=["costs"],
    responses={**problems(InvalidParameterProblem, NotPublishedProblem), **NOT_MODIFIED},
)


@router.get("", response_model=CostsAnswer, summary="Costs by any dimensions")
def get_costs(asked: Annotated[CostsQuery, Query()], reading: CurrentReading) -> Response:
    """Costs of a period by columns and steps of time, filtered.

    `GET /costs?group_by=ServiceName&granularity=month&filter=ServiceProviderName = AWS`
    """
    known = dimensions(reading.warehouse)
    check_known("group_by", asked.group_by, known)
    days = period(reading.warehouse, asked)
    question = CostQuery(
        start=days.first,
        end=days.end,
        group_by=tuple(asked.group_by),
        filters=filters.parse(asked.filter, known),
        granularity=asked.granularity,
        metric=asked.metric,
        currency=asked.currency,
        limit=asked.limit,
        convert_to=asked.convert_to,
    )
    try:
        rates = conversion(reading.warehouse, question)
    except MissingRateError as error:
        raise invalid("convert_to", asked.convert_to, str(error)) from None
    found = costs(reading.warehouse, question).to_pylist()
    urls = _group_urls(reading, question, days, found)
    rows = [
        {
            "period": _day(row),
            "group": {column: row[column] for column in asked.group_by},
            **_total(row, asked.metric, url),
        }
        for row, url in zip(found, urls, strict=True)
    ]
    return reading.answer(
        {
            **_frame(days, asked.metric),
            "granularity": asked.granularity,
            "group_by": asked.group_by,
            "totals": _totals(reading, question, days),
            "rates": [plain(asdict(rate)) for rate in rates],
            "rows": rows,
        }
    )


@router.get("/rows", response_model=RowsAnswer, summary="The bill rows behind a figure")
def get_cost_rows(
    asked: Annotated[RowsQuery, Query()], request: Request, reading: CurrentReading
) -> Response:
    """The rows that `GET /costs` with the same period, filters, metric and currency adds up.

    The most expensive first, a page at a time. Follow the Link header's `next` until there is none.
    Filters may also name columns that costs cannot be grouped by, such as `ResourceId` or `SkuId`.
    """
    days = period(reading.warehouse, asked)
    question = row_queries.RowQuery(
        start=days.first,
        end=days.end,
        filters=filters.parse(asked.filter, row_queries.filterable_columns(reading.warehouse)),
        metric=asked.metric,
        currency=asked.currency,
        limit=asked.limit,
    )
    after = pagination.decode(asked.cursor, question) if asked.cursor is not None else None
    page = row_queries.cost_rows(reading.warehouse, replace(question, after=after))
    following = pagination.encode(page.next_cursor, question) if page.next_cursor is not None else None
    # Spelled out, since a new publication may move the default period between two pages.
    fixed = {"start_date": days.first.isoformat(), "end_date": days.last.isoformat()}
    return reading.answer(
        {
            **_frame(days, asked.metric),
            "total_rows": page.total_rows,
            "totals": [
                {
                    "currency": currency,
                    "cost": money(cost),
                    "row_count": page.row_counts[currency],
                    "rows_url": rows_url(days, asked.metric, currency, question.filters, as_of=reading.as_of),
                }
                for currency, cost in page.totals.items()
            ],
            "next": following,
            "rows": _bill_rows(page.rows),
        },
        headers={"Link": pagination.link(request.url, following, **fixed)},
    )


@router.get("/dimensions", response_model=DimensionsAnswer, summary="What can be asked")
def get_dimensions(reading: CurrentReading) -> Response:
    """The columns for group_by and filter, the metrics, the currencies and the days there are costs of."""
    days = date_range(reading.warehouse)
    return reading.answer(
        {
            "dimensions": [
                {"name": d.name, "label": d.label} for d in dimensions(reading.warehouse).values()
            ],
            "metrics": METRICS,
            "granularities": GRANULARITIES,
            "currencies": currencies(reading.warehouse),
            "first_date": days.first.isoformat() if days else None,
            "last_date": days.last.isoformat() if days else None,
        }
    )


class _ValuesQuery(PeriodQuery):
    """GET /costs/dimensions/{name}."""


@router.get("/dimensions/{name}", response_model=ValuesAnswer, summary="The values of a dimension")
def get_dimension_values(
    name: Annotated[str, Path(examples=["ServiceName"])],
    asked: Annotated[_ValuesQuery, Query()],
    reading: CurrentReading,
) -> Response:
    """Every value that a column has in a period, with its effective cost, the most expensive first."""
    known = dimensions(reading.warehouse)
    check_known("name", [name], known)
    days = period(reading.warehouse, asked)
    found = dimension_values(reading.warehouse, name, days.first, days.end)
    values = [
        {
            "value": v.value,
            "costs": [
                {
                    "currency": c,
                    "cost": money(a),
                    "rows_url": rows_url(
                        days, "EffectiveCost", c, (Filter(name, (v.value,)),), as_of=reading.as_of
                    ),
                }
                for c, a in sorted(v.costs.items())
            ],
            "row_count": v.rows,
        }
        for v in found
    ]
    dimension = {"name": name, "label": known[name].label}
    return reading.answer({**_frame(days, "EffectiveCost"), "dimension": dimension, "values": values})


@router.get("/{provider}", response_model=ProviderCostsAnswer, summary="One provider's costs")
def get_provider_costs(
    provider: Provider, asked: Annotated[ProviderCostsQuery, Query()], reading: CurrentReading
) -> Response:
    """What `aws`, `azure` or `gcp` provided, by service and account.

    `GET /costs/aws?service=Amazon Simple Storage Service&start_date=2026-01-01&end_date=2026-01-31`.
    What third parties sell in a provider's marketplace is theirs; `GET /costs` finds it by
    InvoiceIssuerName.
    """
    days = period(reading.warehouse, asked)
    terms = [
        Filter("ServiceProviderName", PROVIDERS[provider]),
        *([Filter("ServiceName", tuple(asked.service))] if asked.service else []),
        *([Filter("SubAccountId", tuple(asked.account_id))] if asked.account_id else []),
    ]
    question = CostQuery(
        start=days.first,
        end=days.end,
        group_by=("ServiceName", "SubAccountId", "SubAccountName"),
        filters=tuple(terms),
        granularity=asked.granularity,
        metric=asked.metric,
        currency=asked.currency,
    )
    found = costs(reading.warehouse, question).to_pylist()
    rows = [
        {
            "provider": provider,
            "period": _day(row),
            "service": row["ServiceName"],
            "account_id": row["SubAccountId"],
            "account_name": row["SubAccountName"],
            **_total(row, asked.metric, url),
        }
        for row, url in zip(found, _group_urls(reading, question, days, found), strict=True)
    ]
    return reading.answer(
        {
            **_frame(days, asked.metric),
            "provider": provider,
            "granularity": asked.granularity,
            "totals": _totals(reading, question, days),
            "rows": rows,
        }
    )


def _frame(days: Period, metric: str) -> dict[str, Any]:
    return {"start_date": days.first.isoformat(), "end_date": days.last.isoformat(), "metric": metric}


def _totals(reading: Reading, question: CostQuery, days: Period) -> list[dict[str, Any]]:
    whole = replace(question, group_by=(), granularity="none", limit=None)
    found = costs(reading.warehouse, whole).to_pylist()
    urls = _group_urls(reading, whole, days, found)
    return [_total(row, question.metric, url) for row, url in zip(found, urls, strict=True)]


def _total(row: dict[str, Any], metric: str, url: str | None) -> dict[str, Any]:
    return {
        "currency": row["BillingCurrency"],
        "cost": money(row[metric]),
        "row_count": row["x_RowCount"],
        "rows_url": url,
    }


def _group_urls(
    reading: Reading, question: CostQuery, days: Period, found: list[dict[str, Any]]
) -> list[str | None]:
    """For each row that `question` gave, the address of the bill rows that it adds up.

    Null for what is left of several columns beyond a limit, which no filter can name.
    """
    columns = [c for c in question.group_by if c != CURRENCY]
    urls: list[str | None] = []
    for row in found:
        values = [row[c] for c in columns]
        narrowed = group(question.filters, columns, values)
        if question.limit is not None and OTHER in values:
            if len(columns) > 1:
                urls.append(None)
                continue
            same = [r[columns[0]] for r in found if r[CURRENCY] == row[CURRENCY]]
            shown = list(dict.fromkeys(v for v in same if v != OTHER))
            narrowed = others(question.filters, columns[0], shown)
        # What was converted is shown as it was billed: in every currency.
        currency = question.currency if question.convert_to else row[CURRENCY]
        within = step(days, row.get("period"), question.granularity)
        urls.append(rows_url(within, question.metric, currency, narrowed, as_of=reading.as_of))
    return urls


def _day(row: dict[str, Any]) -> str | None:
    return row["period"].isoformat() if "period" in row else None


def _bill_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as JSON; FOCUS's Tags, which are JSON text, as an object whose numbers stay texts."""
    found = []
    for row in table.to_pylist():
        tags = row["Tags"]
        row["Tags"] = json.loads(tags, parse_float=str, parse_int=str) if tags else None
        found.append(plain(row))
    return found
