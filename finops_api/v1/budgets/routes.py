"""Budgets: how they stand, and setting them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response, status
from fastapi.responses import JSONResponse

from finops_api.deps import (
    NOT_MODIFIED,
    CurrentPrincipal,
    CurrentReading,
    CurrentSettings,
    Reading,
    visible,
)
from finops_api.errors import (
    ConfiguredBudgetProblem,
    InvalidParameterProblem,
    NotPublishedProblem,
    UnknownProblem,
    check_known,
    problems,
)
from finops_api.period import Period
from finops_api.provenance import rows_url
from finops_api.v1.budgets.schemas import (
    BudgetAnswer,
    BudgetRequest,
    BudgetsAnswer,
    BudgetsQuery,
    BurnDownAnswer,
    BurnDownQuery,
)
from finops_api.wire import plain
from finops_assets.budget_settings import Budget, BudgetName
from finops_assets.decisions.budgets import ConfiguredBudgetError, known_budgets, remove_budget, set_budget
from finops_assets.queries import budgets

router = APIRouter(prefix="/budgets", tags=["budgets"], responses=problems(InvalidParameterProblem))

_READ = {**problems(NotPublishedProblem), **NOT_MODIFIED}
_RENAMED = {
    "ServiceProviderName": "provider",
    "BillingAccountId": "billing_account_id",
    "SubAccountId": "account_id",
    "ServiceName": "service",
    "RegionId": "region",
    "BillingCurrency": "currency",
}

Name = Annotated[BudgetName, Path(description="The budget's name.", examples=["Data platform"])]


@router.get("", response_model=BudgetsAnswer, responses=_READ, summary="How budgets stand")
def get_budgets(asked: Annotated[BudgetsQuery, Query()], reading: CurrentReading) -> Response:
    """Each budget against what was spent and what is forecast; one that was just set comes with the next
    analysis."""
    found = budgets.budget_status(reading.warehouse, past=asked.past).to_pylist()
    return reading.answer({"budgets": [_row(reading, row) for row in found]})


@router.get(
    "/{name}/days",
    response_model=BurnDownAnswer,
    responses={**_READ, **problems(UnknownProblem)},
    summary="A budget's burn-down",
)
def get_budget_days(
    name: Name, asked: Annotated[BurnDownQuery, Query()], reading: CurrentReading
) -> Response:
    """Running totals by day: what was charged, then what is expected, with its 80% band."""
    days = budgets.burn_down(reading.warehouse, name, asked.first_day).to_pylist()
    if not days:
        of = f" from {asked.first_day} on" if asked.first_day else ""
        raise UnknownProblem(
            f"No budget called {name!r}{of} has been held against costs yet. GET /api/v1/budgets lists those "
            "that have; one that was just set comes with the next analysis."
        )
    rows = [plain({k: v for k, v in d.items() if k not in ("budget", "first_day")}) for d in days]
    return reading.answer({"budget": name, "first_day": days[0]["first_day"].isoformat(), "days": rows})


@router.get(
    "/{name}", response_model=BudgetAnswer, responses=problems(UnknownProblem), summary="A budget as set"
)
def get_budget(
    name: Name, request: Request, settings: CurrentSettings, principal: CurrentPrincipal
) -> Response:
    """What the budget is now, from finops.toml or as it was last put.

    Whoever sees a part of the bills sees the budgets that were held against costs of that part alone, on the
    terms of now: one that has been put anew is not known until the next analysis.
    """
    for known in known_budgets(settings.budgets, settings.paths.decisions):
        if known.budget.name == name and (
            principal.scope.is_whole or budgets.is_held(visible(request), known.budget)
        ):
            return JSONResponse(_defined(known.budget, known.origin))
    raise _unknown(name)


@router.put(
    "/{name}",
    response_model=BudgetAnswer,
    responses={201: {"model": BudgetAnswer}, **problems(ConfiguredBudgetProblem)},
    summary="Set a budget",
)
def put_budget(
    name: Name, asked: BudgetRequest, settings: CurrentSettings, principal: CurrentPrincipal
) -> Response:
    """Add a budget or replace the one of this name; it counts from the next analysis on.

    Where the lock is on, the author is whoever asks.
    """
    budget = Budget(name=name, **asked.model_dump(exclude={"author"}))
    check_known("tag_key", [] if budget.tag_key is None else [budget.tag_key], settings.tag_keys)
    try:
        is_new = set_budget(
            settings.paths.decisions,
            budget,
            settings.budgets,
            author=principal.author(asked.author),
            said_at=datetime.now(UTC),
        )
    except ConfiguredBudgetError as error:
        raise ConfiguredBudgetProblem(f"{error}.") from None
    return JSONResponse(
        _defined(budget, "api"), status_code=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    )


@router.delete(
    "/{name}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(UnknownProblem, ConfiguredBudgetProblem),
    summary="Remove a budget",
)
def delete_budget(name: Name, settings: CurrentSettings, principal: CurrentPrincipal) -> Response:
    """It is left out from the next analysis on; what is already published stays."""
    try:
        found = remove_budget(
            settings.paths.decisions,
            name,
            settings.budgets,
            author=principal.author(""),
            said_at=datetime.now(UTC),
        )
    except ConfiguredBudgetError as error:
        raise ConfiguredBudgetProblem(f"{error}.") from None
    if not found:
        raise _unknown(name)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


def _unknown(name: str) -> UnknownProblem:
    return UnknownProblem(f"No budget is called {name!r}. PUT one here to make it.")


def _defined(budget: Budget, origin: str) -> dict[str, Any]:
    return {**budget.model_dump(mode="json", by_alias=True), "origin": origin}


def _row(reading: Reading, row: dict[str, Any]) -> dict[str, Any]:
    days = budgets.spent_days(row)
    url = None
    if days is not None:
        narrowed = budgets.budget_filters(row)
        url = rows_url(Period(*days), row["metric"], row["BillingCurrency"], narrowed, as_of=reading.as_of)
    kept = {_RENAMED.get(k, k): v for k, v in plain(row).items() if k != "series_id"}
    return {**kept, "rows_url": url}
