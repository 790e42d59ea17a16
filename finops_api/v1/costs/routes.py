"""Costs: by any dimensions, by provider, and what can be asked."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from finops_api import filters
from finops_api.deps import NOT_MODIFIED, CurrentReading
from finops_api.errors import (
    InvalidParameterProblem,
    NotAcceptableProblem,
    NotPublishedProblem,
    check_known,
    invalid,
    problems,
)
from finops_api.formats import DESCRIPTION, TABULAR, CurrentFormattedReading
from finops_api.period import period
from finops_api.provenance import group, rows_url
from finops_api.v1.costs.figures import day, days_of, figures, frame, other_days, total, whole
from finops_api.v1.costs.schemas import (
    CostsAnswer,
    CostsQuery,
    DimensionsAnswer,
    ProviderCostsAnswer,
    ProviderCostsQuery,
    ValuesAnswer,
    ValuesQuery,
)
from finops_api.wire import money, plain
from finops_assets.queries.comparison import WAYS, compared_costs
from finops_assets.queries.costs import (
    GRANULARITIES,
    METRICS,
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
from finops_assets.queries.filters import HELP
from finops_assets.queries.providers import PROVIDERS, Provider

router = APIRouter(
    prefix="/costs",
    tags=["costs"],
    responses={**problems(InvalidParameterProblem, NotPublishedProblem), **NOT_MODIFIED},
)


@router.get(
    "",
    response_model=CostsAnswer,
    summary="Costs by any dimensions",
    description="Costs of a period by columns and steps of time, filtered, beside another period.\n\n"
    "`GET /costs?group_by=ServiceName&granularity=month&filter=ServiceProviderName = AWS`\n\n"
    f"{DESCRIPTION}",
    responses={**problems(NotAcceptableProblem), **TABULAR},
)
def get_costs(asked: Annotated[CostsQuery, Query()], formatted: CurrentFormattedReading) -> Response:
    """Costs as JSON or as a table."""
    reading = formatted.reading
    known = dimensions(reading.warehouse)
    check_known("group_by", asked.group_by, known)
    days = period(reading.warehouse, asked)
    other = other_days(days, asked.compare)
    question = CostQuery(
        start=days.first,
        end=days.end,
        group_by=tuple(asked.group_by),
        filters=filters.parse(asked.filter, known),
        granularity=asked.granularity,
        metric=asked.metric[0],
        also=tuple(asked.metric[1:]),
        currency=asked.currency,
        limit=asked.limit,
        convert_to=asked.convert_to,
    )
    spans = [question] if other is None else [question, question.over(other.start, other.end)]
    try:
        rates = [rate for span in spans for rate in conversion(reading.warehouse, span)]
    except MissingRateError as error:
        raise invalid("convert_to", asked.convert_to, str(error)) from None
    about = {
        **frame(days, question.metric),
        "metrics": question.metrics,
        "compared": None if other is None else {k: v for k, v in frame(days_of(other), "").items() if v},
        "granularity": asked.granularity,
        "group_by": asked.group_by,
    }
    if formatted.format != "json":
        table = (
            costs(reading.warehouse, question)
            if other is None
            else compared_costs(reading.warehouse, question, other)
        )
        return formatted.table("costs", table.schema, table.to_batches(), about)
    found, told = figures(reading, question, days, other)
    rows = [
        {"period": day(row), "group": {column: row[column] for column in asked.group_by}, **figure}
        for row, figure in zip(found, told, strict=True)
    ]
    return reading.answer(
        {
            **about,
            "totals": figures(reading, whole(question), days, other)[1],
            "rates": [plain(asdict(rate)) for rate in dict.fromkeys(rates)],
            "rows": rows,
        }
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
            "filter": HELP,
            "compare": WAYS,
            "metrics": METRICS,
            "granularities": GRANULARITIES,
            "currencies": currencies(reading.warehouse),
            "first_date": days.first.isoformat() if days else None,
            "last_date": days.last.isoformat() if days else None,
        }
    )


@router.get("/dimensions/{name}", response_model=ValuesAnswer, summary="The values of a dimension")
def get_dimension_values(
    name: Annotated[str, Path(examples=["ServiceName"])],
    asked: Annotated[ValuesQuery, Query()],
    reading: CurrentReading,
) -> Response:
    """Every value that a column has in a period, with its cost, the most expensive first."""
    known = dimensions(reading.warehouse)
    check_known("name", [name], known)
    days = period(reading.warehouse, asked)
    narrowed = filters.parse(asked.filter, known)
    found = dimension_values(
        reading.warehouse,
        name,
        days.first,
        days.end,
        metric=asked.metric,
        filters=narrowed,
        currency=asked.currency,
    )
    values = [
        {
            "value": v.value,
            "costs": [
                {
                    "currency": c,
                    "cost": money(a),
                    "rows_url": rows_url(
                        days, asked.metric, c, group(narrowed, [name], [v.value]), as_of=reading.as_of
                    ),
                }
                for c, a in sorted(v.costs.items())
            ],
            "row_count": v.rows,
        }
        for v in found
    ]
    dimension = {"name": name, "label": known[name].label}
    return reading.answer({**frame(days, asked.metric), "dimension": dimension, "values": values})


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
        *filters.parse(asked.filter, dimensions(reading.warehouse)),
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
    found, told = figures(reading, question, days)
    rows = [
        {
            "provider": provider,
            "period": day(row),
            "service": row["ServiceName"],
            "account_id": row["SubAccountId"],
            "account_name": row["SubAccountName"],
            **total(figure),
        }
        for row, figure in zip(found, told, strict=True)
    ]
    return reading.answer(
        {
            **frame(days, asked.metric),
            "provider": provider,
            "granularity": asked.granularity,
            "totals": [total(figure) for figure in figures(reading, whole(question), days)[1]],
            "rows": rows,
        }
    )
