"""Ingestion: what was delivered, and asking for more."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response, status

from finops_api.deps import (
    NOT_MODIFIED,
    CurrentOrchestrator,
    CurrentPrincipal,
    CurrentReading,
    CurrentSettings,
)
from finops_api.errors import (
    ConflictProblem,
    InvalidParameterProblem,
    NotPublishedProblem,
    OrchestratorDownProblem,
    OrchestratorRefusedProblem,
    UnknownProblem,
    check_known,
    invalid,
    problems,
)
from finops_api.v1.ingestion.schemas import (
    DeliveriesAnswer,
    DeliveriesQuery,
    IngestionAccepted,
    IngestionAnswer,
    IngestionRequest,
    PartitionProgress,
)
from finops_api.wire import plain
from finops_assets.orchestrator.ingestions import Ingestion
from finops_assets.orchestrator.selection import Selection
from finops_assets.queries import bills
from finops_assets.settings import Settings

router = APIRouter(prefix="/ingestion", tags=["ingestion"], responses=problems(InvalidParameterProblem))

_ORCHESTRATED = problems(OrchestratorDownProblem, OrchestratorRefusedProblem)


@router.get(
    "",
    response_model=DeliveriesAnswer,
    summary="Deliveries of bills",
    responses={**problems(NotPublishedProblem), **NOT_MODIFIED},
)
def get_deliveries(asked: Annotated[DeliveriesQuery, Query()], reading: CurrentReading) -> Response:
    """Every delivery of every bill: accepted, quarantined (and why), superseded; and each source's state."""
    found = bills.bills(reading.warehouse, asked.source, asked.month, asked.status).to_pylist()
    sources = bills.freshness(reading.warehouse).to_pylist()
    return reading.answer(
        {"sources": [_named(row) for row in sources], "deliveries": [_delivery(row) for row in found]}
    )


@router.post(
    "",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Take bills in",
    responses={**_ORCHESTRATED, **problems(ConflictProblem)},
)
def start_ingestion(
    asked: IngestionRequest,
    request: Request,
    response: Response,
    settings: CurrentSettings,
    orchestrator: CurrentOrchestrator,
    principal: CurrentPrincipal,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=255, description="A repeated key starts nothing new for 24 hours."),
    ] = None,
) -> IngestionAccepted:
    """Launch the runs that take in some months of some sources; poll the Location for progress.

    The published figures follow when the runs are done: forecasts, anomalies and the warehouse are made
    anew by Dagster itself.
    """
    selection = _selection(asked, settings)
    ingestion_id = orchestrator.launch(
        selection, request.state.request_id, idempotency_key, author=principal.author("")
    )
    href = str(request.app.url_path_for("get_ingestion", ingestion_id=ingestion_id))
    response.headers["Location"] = href
    return IngestionAccepted(
        id=ingestion_id,
        state="queued",
        start=selection.start,
        end=selection.end,
        sources=list(selection.sources),
        partitions=len(selection.partitions()),
        href=href,
    )


@router.get(
    "/{ingestion_id}",
    summary="Progress of an ingestion",
    responses={**_ORCHESTRATED, **problems(UnknownProblem)},
)
def get_ingestion(ingestion_id: str, orchestrator: CurrentOrchestrator) -> IngestionAnswer:
    """The state of the whole and of each month and source."""
    return _answer(orchestrator.status(ingestion_id))


@router.post(
    "/{ingestion_id}/cancel",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Cancel an ingestion",
    responses={**_ORCHESTRATED, **problems(UnknownProblem)},
)
def cancel_ingestion(ingestion_id: str, orchestrator: CurrentOrchestrator) -> IngestionAnswer:
    """Stop its runs. What has landed stays whole; an ended one stays as it is."""
    return _answer(orchestrator.cancel(ingestion_id))


def _answer(found: Ingestion) -> IngestionAnswer:
    parts = [
        PartitionProgress(month=month, source=source, state=found.partitions[f"{month}|{source}"])
        for month in found.selection.months()
        for source in found.selection.sources
    ]
    return IngestionAnswer(
        id=found.id,
        state=found.state,
        start=found.selection.start,
        end=found.selection.end,
        sources=list(found.selection.sources),
        counts=dict(Counter(p.state for p in parts)),
        partitions=parts,
        run_ids=list(found.run_ids),
        requested_at=_time(found.requested_at),
        ended_at=_time(found.ended_at) if found.ended_at is not None else None,
        problem=found.problem,
    )


def _selection(asked: IngestionRequest, settings: Settings) -> Selection:
    """The months and sources, checked. Raises a 422 problem."""
    known = tuple(settings.sources)
    check_known("sources", asked.sources or (), known)
    # In the configuration's order, whatever order was asked.
    sources = tuple(s for s in known if asked.sources is None or s in asked.sources)
    for name, text in (("start", asked.start), ("end", asked.end)):
        if len(text) > len("2026-01"):
            _check_day(name, text)
    start, end = asked.start[:7], asked.end[:7]
    newest = f"{datetime.now(UTC):%Y-%m}"
    if start < settings.first_month:
        raise invalid(
            "start",
            asked.start,
            f"{start} is before {settings.first_month}, the first month that is configured (first_month).",
        )
    if end > newest:
        raise invalid("end", asked.end, f"{end} has not begun; the newest month is {newest}.")
    if start > end:
        raise invalid("end", asked.end, f"{end} is before start {start}; both months are included.")
    return Selection(start, end, sources)


def _check_day(name: str, text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise invalid(name, text, f"{text!r} is no day of the calendar.") from None


def _named(row: dict[str, Any]) -> dict[str, Any]:
    names = {"x_Source": "source", "x_BillingMonth": "month"}
    return {names.get(k, k): v for k, v in plain(row).items() if k != "fingerprint"}


def _delivery(row: dict[str, Any]) -> dict[str, Any]:
    named = _named(row)
    return {
        **named,
        "files": json.loads(named["files"] or "[]"),
        "control_totals": json.loads(named["control_totals"] or "[]"),
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
