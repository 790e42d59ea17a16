"""How every stage adds up to the bills."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from finops_api.deps import NOT_MODIFIED, CurrentReading, SnapshotStamp
from finops_api.deps import Query as Parameters
from finops_api.errors import InvalidParameterProblem, NotPublishedProblem, problems
from finops_api.wire import money, plain
from finops_assets.queries import bills

router = APIRouter(
    prefix="/reconciliation",
    tags=["reconciliation"],
    responses={**problems(InvalidParameterProblem, NotPublishedProblem), **NOT_MODIFIED},
)

_NAMES = {
    "x_Source": "source",
    "x_BillingMonth": "month",
    "BillingCurrency": "currency",
    "check_name": "check",
}


class ReconciliationQuery(Parameters):
    """GET /reconciliation."""

    source: str | None = Field(default=None, description="Only this source.", examples=["aws-main"])
    month: str | None = Field(
        default=None,
        pattern=r"^\d{4}-(0[1-9]|1[0-2])$",
        description="Only this billing month.",
        examples=["2026-01"],
    )


class Residual(BaseModel):
    """The largest difference of any stage to the bills, in one currency."""

    currency: str = Field(examples=["USD"])
    residual: str = Field(description="A decimal string; 0 where all adds up.", examples=["0"])


class Check(BaseModel):
    """One bill's total in one stage."""

    bill_id: str = Field(examples=["aws-main/2026-01/aws_cur2/000000000001"])
    source: str = Field(examples=["aws-main"])
    month: str = Field(examples=["2026-01"])
    stage: str = Field(
        description="raw, costs, daily_costs; published: as readers see it.", examples=["costs"]
    )
    check: str = Field(examples=["control_total"])
    metric: str | None = Field(description="Null for row_count.", examples=["BilledCost"])
    currency: str | None = Field(examples=["USD"])
    expected: str | None = Field(description="What the bill says.", examples=["1204.5"])
    found: str | None = Field(description="What the stage holds.", examples=["1204.5"])
    residual: str | None = Field(description="found - expected.", examples=["0"])
    passed: bool


class ReconciliationAnswer(BaseModel):
    """Every check of every bill in force, failed ones first."""

    snapshot: SnapshotStamp
    residuals: list[Residual]
    checks: list[Check]


@router.get("", response_model=ReconciliationAnswer, summary="How every stage adds up to the bills")
def get_reconciliation(asked: Annotated[ReconciliationQuery, Query()], reading: CurrentReading) -> Response:
    """What each bill says it comes to, and what the rows of each stage come to, to the last digit."""
    rows = [
        row
        for row in bills.reconciliation(reading.warehouse).to_pylist()
        if asked.source in (None, row["x_Source"]) and asked.month in (None, row["x_BillingMonth"])
    ]
    largest: dict[str, Any] = {}
    for row in rows:
        if row["metric"] is not None:
            of = row["BillingCurrency"]
            largest[of] = max(largest.get(of, 0), abs(row["residual"]))
    return reading.answer(
        {
            "residuals": [{"currency": c, "residual": money(r)} for c, r in sorted(largest.items())],
            "checks": [{_NAMES.get(k, k): v for k, v in plain(row).items()} for row in rows],
        }
    )
