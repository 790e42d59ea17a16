"""What people say of anomalies: taken in, and shown at once, before the next publication."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response, status

from finops_api.deps import NOT_MODIFIED, AsOf, CurrentPrincipal, CurrentSettings, Reading, hold, visible
from finops_api.errors import InvalidParameterProblem, NotPublishedProblem, UnknownProblem, problems
from finops_api.v1.anomalies.schemas import Feedback, FeedbackAnswer, FeedbackRequest
from finops_api.wire import plain
from finops_assets.decisions import feedback
from finops_assets.queries import anomalies as events
from finops_assets.queries.access import Reader

router = APIRouter(
    prefix="/anomalies",
    tags=["anomalies"],
    responses=problems(InvalidParameterProblem, NotPublishedProblem, UnknownProblem),
)


def judged_reading(request: Request, settings: CurrentSettings, as_of: AsOf = None) -> Iterator[Reading]:
    """The state asked for, whose ETag changes with every word that is said; raises what `reading` raises."""
    known = feedback.said(settings.paths.decisions, until=as_of)

    def words_of(warehouse: Reader) -> str:
        seen = set(events.anomalies(warehouse)["anomaly_id"].to_pylist()) if known else set()
        count = sum(word.anomaly_id in seen for word in known)
        return f"f{count}" if count else ""

    yield from hold(request, as_of, words_of)


JudgedReading = Annotated[Reading, Depends(judged_reading)]


def known_event(warehouse: Reader, anomaly_id: str) -> dict[str, Any]:
    """The event, or a 404 problem that says where those there are stand."""
    try:
        return events.anomaly(warehouse, anomaly_id)
    except events.UnknownAnomalyError as error:
        raise UnknownProblem(f"{error} GET /api/v1/anomalies lists those there are.") from None


@router.post(
    "/{anomaly_id}/feedback",
    status_code=status.HTTP_201_CREATED,
    response_model=Feedback,
    summary="Say what an anomaly was",
)
def give_feedback(
    anomaly_id: str,
    asked: FeedbackRequest,
    request: Request,
    settings: CurrentSettings,
    principal: CurrentPrincipal,
) -> dict[str, Any]:
    """Record a verdict and why. Nothing said before is changed; of several the newest counts.

    Detection uses it from the next run on: what was expected or planned is not raised again. Where the lock
    is on, the author is whoever asks.
    """
    event = known_event(visible(request), anomaly_id)
    author = principal.author(asked.author)
    said = feedback.record(settings.paths.decisions, event, asked.verdict, note=asked.note, author=author)
    return _shown(said, event["BillingCurrency"])


@router.get(
    "/{anomaly_id}/feedback",
    response_model=FeedbackAnswer,
    summary="What was said of an anomaly",
    responses=NOT_MODIFIED,
)
def get_feedback(anomaly_id: str, settings: CurrentSettings, reading: JudgedReading) -> Response:
    """Every word about one event, the newest first."""
    event = known_event(reading.warehouse, anomaly_id)
    said = feedback.said(settings.paths.decisions, anomaly_id, until=reading.as_of)
    return reading.answer({"feedback": [_shown(f, event["BillingCurrency"]) for f in reversed(said)]})


def _shown(said: feedback.Feedback, currency: str) -> dict[str, Any]:
    named = {"id" if k == "feedback_id" else k: v for k, v in plain(vars(said)).items() if k != "series_id"}
    return {**named, "currency": currency}
