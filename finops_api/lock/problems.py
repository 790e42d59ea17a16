"""What the lock answers to those it does not let in."""

from __future__ import annotations

from http import HTTPStatus
from typing import Self

from fastapi.responses import JSONResponse
from fastapi_problem.error import StatusProblem

from finops_api.errors import PROBLEM_JSON

_REALM = 'Bearer realm="finops"'


class UnauthenticatedProblem(StatusProblem):
    """401: nobody said who asks, or nobody known."""

    type_ = "unauthenticated"
    title = "Say who you are."
    status = HTTPStatus.UNAUTHORIZED

    @classmethod
    def missing(cls) -> Self:
        """Of a request without credentials."""
        return cls(
            "Send the header `Authorization: Bearer <API key or access token>`; an admin makes keys by "
            "`finops keys create`.",
            headers={"WWW-Authenticate": _REALM},
        )

    @classmethod
    def refused(cls, says: str) -> Self:
        """Of credentials that are not taken."""
        return cls(says, headers={"WWW-Authenticate": f'{_REALM}, error="invalid_token"'})


class ForbiddenProblem(StatusProblem):
    """403: who asks is known, and may not."""

    type_ = "forbidden"
    title = "You may not do this."
    status = HTTPStatus.FORBIDDEN

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": f'{_REALM}, error="insufficient_scope"'})


class OpenDoorProblem(StatusProblem):
    """403: there is no lock, and the request came from elsewhere."""

    type_ = "no-lock"
    title = "This server has no lock, so it serves its own machine only."
    status = HTTPStatus.FORBIDDEN

    def __init__(self) -> None:
        super().__init__(
            "Ask it at http://127.0.0.1 or http://localhost on the machine itself, or set up [access] in "
            "finops.toml: api_keys = true and `finops keys create`, or [access.oidc]."
        )


class ProviderDownProblem(StatusProblem):
    """503: tokens cannot be checked, as the identity provider does not answer."""

    type_ = "identity-provider-unavailable"
    title = "Tokens cannot be checked now."
    status = HTTPStatus.SERVICE_UNAVAILABLE


def problem_response(problem: StatusProblem) -> JSONResponse:
    """The problem as an answer, for what is refused before any route."""
    return JSONResponse(
        problem.marshal(),
        status_code=problem.status,
        headers=dict(problem.headers or {}),
        media_type=PROBLEM_JSON,
    )
