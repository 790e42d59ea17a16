"""Planned changes: what is marked, marking one, and withdrawing it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response, status
from fastapi.responses import JSONResponse

from finops_api.deps import CurrentPrincipal, CurrentSettings, visible
from finops_api.errors import (
    ConfiguredPlanProblem,
    InvalidParameterProblem,
    NotPublishedProblem,
    UnknownProblem,
    invalid,
    problems,
)
from finops_api.v1.plans.schemas import PlanAnswer, PlanRequest, PlansAnswer
from finops_api.wire import plain
from finops_assets.decisions.plans import ConfiguredPlanError, KnownPlan, known_plans, mark, withdraw
from finops_assets.plan_settings import PlannedChange
from finops_assets.queries.plans import UnknownScopeError, check_scope, published_plan_ids

router = APIRouter(
    prefix="/planned-changes",
    tags=["forecast"],
    responses=problems(InvalidParameterProblem, NotPublishedProblem),
)

PlanId = Annotated[str, Path(description="The planned change's id.", examples=["3f2a9c1d77e0"])]


@router.get("", response_model=PlansAnswer, summary="Planned changes")
def get_planned_changes(request: Request, settings: CurrentSettings) -> Response:
    """Every change that is marked now, from finops.toml and from here."""
    known = known_plans(settings.planned_changes, settings.paths.decisions)
    published = published_plan_ids(visible(request))
    return JSONResponse({"planned_changes": [_shown(k, published) for k in known]})


@router.post("", status_code=status.HTTP_201_CREATED, response_model=PlanAnswer, summary="Mark a change")
def post_planned_change(
    asked: PlanRequest, request: Request, settings: CurrentSettings, principal: CurrentPrincipal
) -> Response:
    """Mark what is known of the costs to come; the forecast moves with it from the next analysis on.

    Where the lock is on, the author is whoever asks.
    """
    plan = PlannedChange.model_validate(asked.model_dump(exclude={"author"}))
    try:
        check_scope(visible(request), plan.scope)
    except UnknownScopeError as error:
        raise invalid(error.key, error.found, "the bills have none of this name.", error.allowed) from None
    author = principal.author(asked.author)
    known = mark(settings.paths.decisions, plan, author=author, said_at=datetime.now(UTC))
    return JSONResponse(_shown(known, set()), status_code=status.HTTP_201_CREATED)


@router.delete(
    "/{plan_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(UnknownProblem, ConfiguredPlanProblem),
    summary="Withdraw a change",
)
def delete_planned_change(
    plan_id: PlanId, settings: CurrentSettings, principal: CurrentPrincipal
) -> Response:
    """It moves no forecast from the next analysis on; what was said is kept."""
    try:
        found = withdraw(
            settings.paths.decisions,
            plan_id,
            settings.planned_changes,
            author=principal.author(""),
            said_at=datetime.now(UTC),
        )
    except ConfiguredPlanError as error:
        raise ConfiguredPlanProblem(f"{error}.") from None
    if not found:
        raise UnknownProblem(
            f"No planned change {plan_id!r} is in force. GET /api/v1/planned-changes lists those that are."
        )
    return Response(status_code=status.HTTP_204_NO_CONTENT)


def _shown(known: KnownPlan, published: set[str]) -> dict[str, Any]:
    beside = {"origin": known.origin, "author": known.author, "said_at": known.said_at}
    defined = known.plan.model_dump(mode="json", by_alias=True)
    return {"id": known.plan_id, **defined, **plain(beside), "in_forecast": known.plan_id in published}
