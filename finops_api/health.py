"""Whether the process lives, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from finops_api.errors import NotPublishedProblem, problems

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The process answers."""

    status: str = Field(examples=["ok"])


class Readiness(Health):
    """The process can answer questions from this snapshot."""

    snapshot_version: int = Field(examples=[12])


@router.get("/healthz", summary="The process lives")
def healthz() -> Health:
    """Always 200 while the process runs."""
    return Health(status="ok")


@router.get("/readyz", summary="Questions can be answered", responses=problems(NotPublishedProblem))
def readyz(request: Request) -> Readiness:
    """200 once something is published, 503 before."""
    return Readiness(status="ok", snapshot_version=request.app.state.warehouse.version())
