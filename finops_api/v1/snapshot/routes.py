"""Which state of the bills is published."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from finops_api.deps import NOT_MODIFIED, CurrentReading, SnapshotStamp
from finops_api.errors import NotPublishedProblem, problems

router = APIRouter(
    prefix="/snapshot", tags=["snapshot"], responses={**problems(NotPublishedProblem), **NOT_MODIFIED}
)


class PublishedTable(BaseModel):
    """One table of the snapshot."""

    name: str = Field(examples=["daily_costs"])
    version: int | None = Field(description="The lake's version of it; null before its first commit.")
    kind: str = Field(description="table (copied) or view (over the lake's files).", examples=["table"])
    rows: int = Field(examples=[120_000])


class SnapshotAnswer(BaseModel):
    """The publication in force."""

    snapshot: SnapshotStamp
    run_id: str = Field(description="The Dagster run that published it; '' outside of one.")
    tables: list[PublishedTable]


@router.get("", response_model=SnapshotAnswer, summary="The published snapshot")
def get_snapshot(reading: CurrentReading) -> Response:
    """The version in force, when it was published, and the version and rows of every table in it."""
    return reading.answer(
        {"run_id": reading.snapshot.run_id, "tables": [asdict(t) for t in reading.snapshot.tables]}
    )
