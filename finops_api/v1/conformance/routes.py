"""How the bills keep the rules of FOCUS."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from finops_api.deps import NOT_MODIFIED, CurrentReading
from finops_api.errors import InvalidParameterProblem, NotPublishedProblem, problems
from finops_api.v1.conformance.schemas import (
    ConformanceAnswer,
    ConformanceQuery,
    ScoresAnswer,
    ScoresQuery,
)
from finops_api.wire import plain
from finops_assets.queries import conformance

router = APIRouter(
    prefix="/conformance",
    tags=["conformance"],
    responses={**problems(InvalidParameterProblem, NotPublishedProblem), **NOT_MODIFIED},
)


@router.get("", response_model=ConformanceAnswer, summary="Rules of FOCUS and the rows that break them")
def get_conformance(asked: Annotated[ConformanceQuery, Query()], reading: CurrentReading) -> Response:
    """A row a source, month, rule and currency: rows checked and failed, their cost, and samples."""
    found = conformance.report(
        reading.warehouse, asked.source, asked.month, asked.rule, failed_only=asked.failed_only
    ).to_pylist()
    return reading.answer({"rows": [{**_renamed(r), "samples": _samples(r["samples"])} for r in found]})


@router.get("/scores", response_model=ScoresAnswer, summary="How well each month's bill keeps the rules")
def get_conformance_scores(asked: Annotated[ScoresQuery, Query()], reading: CurrentReading) -> Response:
    """A row a source and month: rules applied, rules broken, and the share of checks that hold."""
    found = conformance.scores(reading.warehouse, asked.source, asked.month).to_pylist()
    return reading.answer({"rows": [_renamed(r) for r in found]})


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    """The lake's names in the words of this API."""
    names = {
        "x_Source": "source",
        "x_BillingMonth": "month",
        "BillingCurrency": "currency",
        "column_name": "column",
    }
    return {names.get(k, k): v for k, v in plain(row).items()}


def _samples(text: str) -> list[dict[str, Any]]:
    names = {"x_File": "file", "x_RowNumber": "row"}
    none = {"key": None, "expected": None}
    return [none | {names.get(k, k): v for k, v in sample.items()} for sample in json.loads(text)]
