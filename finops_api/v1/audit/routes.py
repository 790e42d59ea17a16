"""Who saw and changed what."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from finops_api.deps import CurrentSettings
from finops_api.errors import InvalidParameterProblem, problems
from finops_api.wire import plain
from finops_assets.access.audit import entries

router = APIRouter(prefix="/audit", tags=["audit"], responses=problems(InvalidParameterProblem))


class AuditQuery(BaseModel):
    """GET /audit."""

    model_config = ConfigDict(extra="forbid")

    principal: str | None = Field(
        default=None, max_length=200, description="One key's name or person.", examples=["month-end report"]
    )
    since: date | None = Field(default=None, description="From this day (UTC) on.", examples=["2026-01-31"])
    before: int | None = Field(
        default=None, ge=1, lt=2**63, description="Older entries than this number: `next` of an answer."
    )
    limit: int = Field(default=100, ge=1, le=1000, description="Entries of an answer, at most.")


class AuditEntry(BaseModel):
    """One request or page."""

    number: int = Field(examples=[4711], description="Grows with each entry.")
    at: str = Field(examples=["2026-01-31T09:30:00Z"], description="UTC.")
    principal: str = Field(examples=["month-end report"], description="'' where nobody was let in.")
    means: str = Field(examples=["key"], description="key, token or login.")
    role: str = Field(examples=["viewer"])
    face: str = Field(examples=["api"], description="api or dashboard.")
    action: str = Field(examples=["GET"], description="The method, or open for a page.")
    place: str = Field(examples=["/api/v1/costs"], description="The address, or the page.")
    parameters: str = Field(examples=["group_by=ServiceName"])
    status: int = Field(examples=[200], description="0 for a page.")
    request_id: str = Field(examples=["7f3c"])
    client: str = Field(examples=["192.0.2.7"], description="The network address it came from.")


class AuditAnswer(BaseModel):
    """Entries, the newest first."""

    entries: list[AuditEntry]
    next: int | None = Field(description="`before` of the next page; null at the end.", examples=[4611])


@router.get("", summary="Who saw and changed what")
def get_audit(asked: Annotated[AuditQuery, Query()], settings: CurrentSettings) -> AuditAnswer:
    """The audit log, the newest first. It is kept where the lock is on; nothing of it is ever changed."""
    found = entries(
        settings.paths.access,
        principal=asked.principal,
        since=asked.since,
        before=asked.before,
        limit=asked.limit,
    )
    return AuditAnswer(
        entries=[AuditEntry(number=kept.number, **plain(vars(kept.entry))) for kept in found],
        next=found[-1].number if len(found) == asked.limit else None,
    )
