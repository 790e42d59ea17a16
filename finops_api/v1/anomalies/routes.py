"""Anomalies, and what each is made of."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from finops_api.deps import NOT_MODIFIED, CurrentSettings, Reading
from finops_api.errors import (
    InvalidParameterProblem,
    NotPublishedProblem,
    UnknownProblem,
    invalid,
    problems,
)
from finops_api.period import Period
from finops_api.provenance import rows_url
from finops_api.series import beside_name, series_name
from finops_api.v1.anomalies.feedback import JudgedReading, known_event
from finops_api.v1.anomalies.schemas import AnomaliesAnswer, AnomaliesQuery, AnomalyAnswer
from finops_api.wire import plain
from finops_assets.decisions import feedback
from finops_assets.queries import anomalies as events
from finops_assets.queries.costs import Filter
from finops_assets.queries.forecasts import series_filters
from finops_assets.queries.providers import names_of_provider

router = APIRouter(
    prefix="/anomalies",
    tags=["anomalies"],
    responses={**problems(InvalidParameterProblem, NotPublishedProblem), **NOT_MODIFIED},
)


@router.get("", response_model=AnomaliesAnswer, summary="Anomalies")
def get_anomalies(
    asked: Annotated[AnomaliesQuery, Query()], settings: CurrentSettings, reading: JudgedReading
) -> Response:
    """Events that touch the days from start_date to end_date, both included."""
    if asked.start_date and asked.end_date and asked.start_date > asked.end_date:
        raise invalid(
            "end_date", asked.end_date.isoformat(), f"this day is before start_date {asked.start_date}."
        )
    found = events.anomalies(
        reading.warehouse,
        start=asked.start_date,
        end=asked.end_date + timedelta(days=1) if asked.end_date else None,
        status=asked.status,
        severity=asked.severity,
        level=asked.level,
        provider=names_of_provider(asked.provider),
        metric=asked.metric,
        currency=asked.currency,
        limit=asked.limit,
    )
    said = feedback.newest(settings.paths.decisions, until=reading.as_of)
    return reading.answer({"anomalies": [_event(reading, row, said) for row in found.to_pylist()]})


@router.get(
    "/{anomaly_id}",
    response_model=AnomalyAnswer,
    summary="One anomaly and its drivers",
    responses=problems(UnknownProblem),
)
def get_anomaly(anomaly_id: str, settings: CurrentSettings, reading: JudgedReading) -> Response:
    """An event: why, what changed, and by dimension the values that made it; each adds up to its impact."""
    event = known_event(reading.warehouse, anomaly_id)
    drivers = events.drivers(reading.warehouse, anomaly_id).to_pylist()
    splits = [
        {"dimension": dimension, "drivers": _drivers(reading, event, list(rows))}
        for dimension, rows in groupby(drivers, key=lambda row: row["dimension"])
    ]
    said = feedback.newest(settings.paths.decisions, until=reading.as_of)
    return reading.answer({"anomaly": _event(reading, event, said), "drivers": splits})


def _event(reading: Reading, row: dict[str, Any], said: dict[str, feedback.Feedback]) -> dict[str, Any]:
    shown = plain(row)
    event = {"id": shown.pop("anomaly_id"), **series_name(shown), **beside_name(shown)}
    newest = said.get(row["anomaly_id"])
    judged = {"verdict": newest.verdict if newest else None, "note": newest.note if newest else None}
    return {**event, **judged, "rows_url": _rows_url(reading, row)}


def _drivers(reading: Reading, event: dict[str, Any], drivers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    narrowed = events.driver_filters(reading.warehouse, drivers)
    return [
        {
            **{k: v for k, v in plain(row).items() if k not in {"anomaly_id", "dimension"}},
            "rows_url": None if more is None else _rows_url(reading, event, more),
        }
        for row, more in zip(drivers, narrowed, strict=True)
    ]


def _rows_url(reading: Reading, event: dict[str, Any], more: tuple[Filter, ...] = ()) -> str:
    days = Period(event["first_day"], event["last_day"])
    narrowed = (*series_filters(event), *more)
    return rows_url(days, event["metric"], event["BillingCurrency"], narrowed, as_of=reading.as_of)
