"""Which state of the bills is published."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from finops_api.deps import NOT_MODIFIED, CurrentReading, SnapshotStamp, visible
from finops_api.errors import InvalidParameterProblem, NotPublishedProblem, problems

router = APIRouter(
    prefix="/snapshot",
    tags=["snapshot"],
    responses={**problems(InvalidParameterProblem, NotPublishedProblem), **NOT_MODIFIED},
)


class PublishedTable(BaseModel):
    """One table of the snapshot."""

    name: str = Field(examples=["daily_costs"])
    version: int | None = Field(
        description="The lake's version of it; null before its first commit, and for those who see a part."
    )
    kind: str = Field(description="table (copied) or view (over the lake's files).", examples=["table"])
    rows: int | None = Field(
        description="All of its rows; null for those who see a part of them.", examples=[120_000]
    )


class SnapshotAnswer(BaseModel):
    """The publication in force, or the one that was as_of a day."""

    snapshot: SnapshotStamp
    known_since: str = Field(description="The oldest day that as_of can ask for.", examples=["2026-01-01"])
    run_id: str = Field(
        description="The Dagster run that published it; '' outside of one, and for those who see a part."
    )
    tables: list[PublishedTable]


@router.get("", response_model=SnapshotAnswer, summary="The published snapshot")
def get_snapshot(request: Request, reading: CurrentReading) -> Response:
    """The version, when it was published, every table's version and rows, and how far back as_of goes."""
    return reading.answer(
        {
            "run_id": reading.snapshot.run_id,
            "known_since": visible(request).oldest_day().isoformat(),
            "tables": [asdict(t) for t in reading.snapshot.tables],
        }
    )
