"""Errors as RFC 9457 problems whose text says what to change."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi_problem.error import Problem, StatusProblem
from fastapi_problem.handler import ExceptionHandler, add_exception_handler, new_exception_handler
from pydantic import BaseModel

from finops_api.lock.headers import secure
from finops_api.telemetry import REQUEST_ID_HEADER
from finops_assets.orchestrator.errors import (
    IngestionNotFoundError,
    KeyReusedError,
    OrchestratorDownError,
    OrchestratorRefusedError,
)
from finops_assets.queries.access import NotPublishedError

_LOG = logging.getLogger("finops_api")

PROBLEM_JSON = "application/problem+json"


class InvalidParameterProblem(StatusProblem):
    """422: a parameter cannot be used."""

    type_ = "invalid-parameter"
    title = "A parameter cannot be used."
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class UnreadableProblem(StatusProblem):
    """400: the body of the request is not JSON in UTF-8."""

    type_ = "http-bad-request"
    title = "Bad Request"
    status = HTTPStatus.BAD_REQUEST


class UnknownProblem(StatusProblem):
    """404: what the address names does not exist."""

    type_ = "not-found"
    title = "There is nothing at this address."
    status = HTTPStatus.NOT_FOUND


class TooManyRequestsProblem(StatusProblem):
    """429: the caller asked more often than is allowed; the header Retry-After says when to ask again."""

    type_ = "too-many-requests"
    title = "Too many requests."
    status = HTTPStatus.TOO_MANY_REQUESTS


class NotAcceptableProblem(StatusProblem):
    """406: the answer has none of the forms that the caller accepts."""

    type_ = "not-acceptable"
    title = "The answer has no form that is accepted."
    status = HTTPStatus.NOT_ACCEPTABLE


class ConflictProblem(StatusProblem):
    """409: the request contradicts an earlier one with the same idempotency key."""

    type_ = "idempotency-key-reused"
    title = "The idempotency key was used for another request."
    status = HTTPStatus.CONFLICT


class ConfiguredBudgetProblem(StatusProblem):
    """409: the budget is finops.toml's, and only that file changes it."""

    type_ = "budget-in-file"
    title = "The budget is set in finops.toml."
    status = HTTPStatus.CONFLICT


class ConfiguredPlanProblem(StatusProblem):
    """409: the planned change is finops.toml's, and only that file withdraws it."""

    type_ = "plan-in-file"
    title = "The planned change is set in finops.toml."
    status = HTTPStatus.CONFLICT


class NotPublishedProblem(StatusProblem):
    """503: no warehouse has been published yet."""

    type_ = "nothing-published"
    title = "Nothing has been published yet."
    status = HTTPStatus.SERVICE_UNAVAILABLE


class OrchestratorDownProblem(StatusProblem):
    """503: Dagster does not answer."""

    type_ = "orchestrator-unavailable"
    title = "Dagster does not answer."
    status = HTTPStatus.SERVICE_UNAVAILABLE


class OrchestratorRefusedProblem(StatusProblem):
    """502: Dagster answers, but not with what was asked for."""

    type_ = "orchestrator-refused"
    title = "Dagster refused the request."
    status = HTTPStatus.BAD_GATEWAY


class UnexpectedProblem(StatusProblem):
    """500: a fault of ours. Its text stays in the log: it may hold what the client must not see."""

    type_ = "unexpected"
    title = "Something went wrong that should not."
    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, _text: str = "") -> None:
        super().__init__("The server's log has the details under the id in the header X-Request-ID.")


def _not_published(_handler: ExceptionHandler, _request: Request, _error: NotPublishedError) -> Problem:
    return NotPublishedProblem(
        "Take bills in first: run `finops run`, or POST /api/v1/ingestion while Dagster is up. "
        "Ask again after that.",
        headers={"Retry-After": "30"},
    )


def _orchestrator_down(_handler: ExceptionHandler, _request: Request, error: Exception) -> Problem:
    return OrchestratorDownProblem(str(error), headers={"Retry-After": "10"})


def _orchestrator_refused(_handler: ExceptionHandler, _request: Request, error: Exception) -> Problem:
    return OrchestratorRefusedProblem(str(error))


def _no_ingestion(_handler: ExceptionHandler, _request: Request, error: Exception) -> Problem:
    return UnknownProblem(str(error))


def _key_reused(_handler: ExceptionHandler, _request: Request, error: Exception) -> Problem:
    return ConflictProblem(str(error))


_SAID_ELSEWHERE: dict[type[Exception], Any] = {
    NotPublishedError: _not_published,
    OrchestratorDownError: _orchestrator_down,
    OrchestratorRefusedError: _orchestrator_refused,
    IngestionNotFoundError: _no_ingestion,
    KeyReusedError: _key_reused,
}
"""Errors of the layers below that are a client's or a component's: each has its problem."""


def invalid(
    parameter: str, found: object, says: str, allowed: Collection[str] = (), *, position: int | None = None
) -> Problem:
    """The problem of one parameter: what was found, what is wrong with it, where in it, what is allowed."""
    choice = f" Allowed: {', '.join(allowed)}." if allowed else ""
    fault: dict[str, Any] = {"parameter": parameter, "found": found, "says": says}
    if position is not None:
        fault["position"] = position
    if allowed:
        fault["allowed"] = list(allowed)
    return InvalidParameterProblem(f"{parameter}: {says}{choice}", errors=[fault])


def check_known(parameter: str, found: Sequence[str], allowed: Collection[str]) -> None:
    """Raise a 422 problem for the first value that is not among the allowed ones."""
    for value in found:
        if value not in allowed:
            raise invalid(parameter, value, f"{value!r} is not known.", allowed)


def install(app: FastAPI, *, describe: Callable[[dict[str, Any]], None] | None = None) -> None:
    """Make every error of the app a problem; `describe` adds to its description what else there is."""
    handler = new_exception_handler(
        unhandled_wrappers={"default": UnexpectedProblem},
        pre_hooks=[_log_unexpected],
        post_hooks=[_with_request_id],
        handlers=_SAID_ELSEWHERE,
        request_validation_handler=_invalid_request,
    )
    add_exception_handler(app, handler, generic_swagger_defaults=False)
    for error in _SAID_ELSEWHERE:
        app.add_exception_handler(error, handler)
    described = app.openapi

    def openapi() -> dict[str, Any]:
        """The description without FastAPI's own shape of a 422, with the 400 of a body that is no JSON."""
        description = described()
        description["components"]["schemas"].pop("HTTPValidationError", None)
        for path in description["paths"].values():
            for operation in path.values():
                if "requestBody" in operation:
                    unreadable = problems(UnreadableProblem)
                    operation["responses"] |= {str(status): says for status, says in unreadable.items()}
        if describe is not None:
            describe(description)
        return description

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend it


def _log_unexpected(request: Request, error: Exception) -> None:
    """A traceback for faults of ours; what a client or a component did wrong is in the answer."""
    if not isinstance(error, (Problem, HTTPException, RequestValidationError, *_SAID_ELSEWHERE)):
        where = f"{request.method} {request.url.path} {request.scope['state']['request_id']}"
        _LOG.error(where, exc_info=(type(error), error, error.__traceback__))


def _with_request_id(content: Any, request: Request, response: JSONResponse) -> tuple[Any, JSONResponse]:
    """Starlette answers unexpected errors outside of all middleware: they get the id and headers here."""
    request_id = request.scope["state"]["request_id"]
    kept = {k: v for k, v in response.headers.items() if k != "content-length"}
    told = {**content, "request_id": request_id}
    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        kept["allow"] = ", ".join(_allowed(request))
    answer = JSONResponse(told, response.status_code, {**kept, REQUEST_ID_HEADER: request_id})
    secure(answer.headers, request.scope)
    return told, answer


def _invalid_request(_handler: ExceptionHandler, request: Request, error: RequestValidationError) -> Problem:
    found = [_fault(e, _parameters(request)) for e in error.errors()]
    # A parameter that the route and what it depends on both read is at fault once.
    faults = [fault for n, fault in enumerate(found) if fault not in found[:n]]
    detail = " ".join(f"{f['parameter']}: {f['says']}" for f in faults)
    return InvalidParameterProblem(detail, errors=faults)


def _parameters(request: Request) -> list[str]:
    """The query parameters that the route of this request has."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return []
    models = [p.field_info.annotation for p in route.dependant.query_params]
    return [
        name for m in models if isinstance(m, type) and issubclass(m, BaseModel) for name in m.model_fields
    ]


def _fault(error: dict[str, Any], parameters: list[str]) -> dict[str, Any]:
    place, *path = error["loc"]
    if place == "query":  # a parameter that is repeated is still called by its name
        path = path[:1]
    name = ".".join(str(p) for p in path) or str(place)
    allowed = error.get("ctx", {}).get("expected")
    if error["type"] == "extra_forbidden" and place == "query":
        says = f"There is no such parameter. Allowed: {', '.join(parameters)}."
    elif error["type"] == "extra_forbidden":
        says = "There is no such field; see /docs for those there are."
    elif error["type"] == "missing":
        says = "This is required."
    else:
        says = error["msg"].removeprefix("Value error, ").rstrip(".") + f". Found {error['input']!r}."
    fault: dict[str, Any] = {"parameter": name, "in": str(place), "says": says}
    if error["type"] != "missing":
        fault["found"] = str(error["input"])
    if allowed:
        fault["allowed"] = [part.strip().strip("'") for part in allowed.replace(" or ", ", ").split(",")]
    return fault


def problems(*kinds: type[StatusProblem]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses for these problems."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        int(kind.status): {
            "description": kind.title,
            "content": {PROBLEM_JSON: {"schema": schema}},
        }
        for kind in kinds
    }


def _allowed(request: Request) -> list[str]:
    """The methods of this address: several routes may share one, of which Starlette names the first."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    matching = [p for p in paths if re.fullmatch(re.sub(r"{[^}]*}", "[^/]+", p), request.url.path)]
    named = min(matching, key=lambda p: p.count("{"), default=None)
    return sorted(method.upper() for method in paths[named]) if named is not None else ["GET"]
