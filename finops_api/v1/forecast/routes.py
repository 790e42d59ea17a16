"""Forecasts in force, their backtest and their record, and the outlook of the month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from finops_api.deps import NOT_MODIFIED, CurrentReading, Reading
from finops_api.errors import InvalidParameterProblem, NotPublishedProblem, problems
from finops_api.period import Period
from finops_api.provenance import rows_url
from finops_api.series import series_name
from finops_api.v1.forecast.schemas import (
    AccuracyAnswer,
    CommitmentsAnswer,
    CommitmentsQuery,
    ForecastAnswer,
    ForecastMonth,
    ForecastQuery,
    MonthsAnswer,
    OutlookAnswer,
    OutlookQuery,
    RecordAnswer,
    RecordQuery,
    SaidAnswer,
    SaidQuery,
    SaidTotal,
)
from finops_api.wire import plain
from finops_assets.queries import forecasts
from finops_assets.queries.dimensions import Filter
from finops_assets.queries.forecast_months import forecast_months
from finops_assets.queries.forecasts import names_of, series_filters
from finops_assets.queries.plans import commitments_ending
from finops_assets.queries.providers import names_of_provider

router = APIRouter(
    prefix="/forecast",
    tags=["forecast"],
    responses={**problems(InvalidParameterProblem, NotPublishedProblem), **NOT_MODIFIED},
)

_DAY = ("day", "mean", "lo_80", "hi_80", "lo_95", "hi_95")


@router.get("", response_model=ForecastAnswer, summary="Forecasts in force")
def get_forecast(asked: Annotated[ForecastQuery, Query()], reading: CurrentReading) -> Response:
    """The newest forecast of each series of a level, day by day."""
    found = forecasts.forecast(
        reading.warehouse,
        asked.level,
        **_narrowed(asked),
    ).to_pylist()
    series = [_series(list(days)) for _, days in groupby(found, key=lambda row: row["series_id"])]
    made_at = plain(found[0])["made_at"] if found else None
    return reading.answer({"metric": asked.metric, "made_at": made_at, "series": series})


@router.get("/months", response_model=MonthsAnswer, summary="Forecasts in force by month, to 18 months")
def get_forecast_months(asked: Annotated[ForecastQuery, Query()], reading: CurrentReading) -> Response:
    """The month under way and the eighteen after it, for each series of a level.

    The first months add up the days of `/forecast`, to the cent; those after it are forecast by month.
    """
    found = forecast_months(reading.warehouse, asked.level, **_narrowed(asked)).to_pylist()
    series = [
        _months(reading, list(months)) for _, months in groupby(found, key=lambda row: row["series_id"])
    ]
    made_at = plain(found[0])["made_at"] if found else None
    return reading.answer({"metric": asked.metric, "made_at": made_at, "series": series})


@router.get("/accuracy", response_model=AccuracyAnswer, summary="How right the forecasts were")
def get_forecast_accuracy(reading: CurrentReading) -> Response:
    """Every model's backtest by level, metric, currency and horizon."""
    return reading.answer(
        {"rows": [_renamed(row) for row in forecasts.accuracy(reading.warehouse).to_pylist()]}
    )


@router.get("/commitments", response_model=CommitmentsAnswer, summary="Which commitments end")
def get_forecast_commitments(
    asked: Annotated[CommitmentsQuery, Query()], reading: CurrentReading
) -> Response:
    """When commitments end and what costs change by then, as the forecast takes it into account."""
    names = names_of(names_of_provider(asked.provider))
    filters = () if names is None else (Filter("ServiceProviderName", tuple(names)),)
    found = commitments_ending(reading.warehouse, asked.metric, currency=asked.currency, filters=filters)
    short = {"ContractCommitmentId": "id", "ContractCommitmentType": "type"}
    short |= {"ContractCommitmentDescription": "description"}
    rows = [{short.get(k, k): v for k, v in _renamed(row).items()} for row in found.to_pylist()]
    return reading.answer({"metric": asked.metric, "commitments": rows})


@router.get("/record", response_model=RecordAnswer, summary="How right the forecasts turned out")
def get_forecast_record(asked: Annotated[RecordQuery, Query()], reading: CurrentReading) -> Response:
    """What every making said against what came, by level and horizon; of all makings together, and of each.

    `/forecast/accuracy` is what the backtest promised.
    """
    found = forecasts.record(
        reading.warehouse,
        level=asked.level,
        metric=asked.metric,
        currency=asked.currency,
        made_on=asked.made_on,
    )
    return reading.answer({"rows": [_renamed(row) for row in found.to_pylist()]})


@router.get("/said", response_model=SaidAnswer, summary="What was said on a day, and what came")
def get_forecast_said(asked: Annotated[SaidQuery, Query()], reading: CurrentReading) -> Response:
    """What was forecast on a day of the days after, beside what they came to."""
    days = forecasts.said_on(reading.warehouse, asked.made_on, asked.level, **_narrowed(asked)).to_pylist()
    totals = forecasts.said_totals(reading.warehouse, asked.made_on, asked.level, **_narrowed(asked))
    total_of = {total["series_id"]: total for total in totals.to_pylist()}
    series = [
        _said(reading, list(own), total_of[series_id])
        for series_id, own in groupby(days, key=lambda row: row["series_id"])
    ]
    made_at = plain(days[0])["made_at"] if days else None
    return reading.answer({"metric": asked.metric, "made_at": made_at, "series": series})


@router.get("/outlook", response_model=OutlookAnswer, summary="What this month and the next will come to")
def get_forecast_outlook(asked: Annotated[OutlookQuery, Query()], reading: CurrentReading) -> Response:
    """What was spent this month, what is still expected, and the next month; total and each provider."""
    found = forecasts.month_outlook(reading.warehouse, asked.metric).to_pylist()
    rows = [{**_renamed(row), "rows_url": _rows_url(reading, row, asked.metric)} for row in found]
    return reading.answer({"metric": asked.metric, "rows": rows})


def _narrowed(asked: ForecastQuery) -> dict[str, Any]:
    """The series that are asked for, as the queries take them."""
    return {
        "provider": names_of_provider(asked.provider),
        "billing_account": asked.billing_account_id,
        "account": asked.account_id,
        "service": asked.service,
        "region": asked.region,
        "tag_key": asked.tag_key,
        "tag_value": asked.tag_value,
        "metric": asked.metric,
        "currency": asked.currency,
    }


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    """FOCUS's names of the series in the words of this API; MLflow's run ids stay inside."""
    names = {"ServiceProviderName": "provider", "BillingCurrency": "currency"}
    return {names.get(k, k): v for k, v in plain(row).items() if k != "mlflow_run_id"}


def _rows_url(reading: Reading, row: dict[str, Any], metric: str) -> str | None:
    """Of the charges that `actual` adds up; null before there is one."""
    days = Period(row["month"], min(row["data_until"], row["next_month"] - timedelta(days=1)))
    if days.last < days.first:
        return None
    return rows_url(days, metric, row["BillingCurrency"], series_filters(row), as_of=reading.as_of)


def _said(reading: Reading, days: list[dict[str, Any]], total: dict[str, Any]) -> dict[str, Any]:
    first, row = days[0], plain(total)
    url = None
    if total["days"]:
        came = Period(total["first_day"], total["last_day"])
        url = rows_url(
            came, first["metric"], first["BillingCurrency"], series_filters(first), as_of=reading.as_of
        )
    return {
        **_series(days, (*_DAY, "actual", "error")),
        "total": {name: row[name] for name in SaidTotal.model_fields if name != "rows_url"}
        | {"rows_url": url},
    }


def _months(reading: Reading, months: list[dict[str, Any]]) -> dict[str, Any]:
    first = months[0]
    url = None
    if first["horizon"] == 0:
        so_far = Period(first["month"], first["data_until"])
        url = rows_url(
            so_far, first["metric"], first["BillingCurrency"], series_filters(first), as_of=reading.as_of
        )
    shown = [name for name in ForecastMonth.model_fields if name != "rows_url"]
    return {
        **series_name(first),
        "data_until": plain(first)["data_until"],
        "months": [
            plain({name: month[name] for name in shown})
            | {"rows_url": url if month["horizon"] == 0 else None}
            for month in months
        ],
    }


def _series(days: list[dict[str, Any]], shown: Sequence[str] = _DAY) -> dict[str, Any]:
    first = plain(days[0])
    return {
        **series_name(first),
        "model": first["model"],
        "data_until": first["data_until"],
        "days": [plain({name: day[name] for name in shown}) for day in days],
    }
