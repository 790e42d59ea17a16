"""What the OpenAPI description says of the lock, where it is on."""

from __future__ import annotations

from typing import Any

from finops_api.errors import problems
from finops_api.lock.permissions import OPEN, permission_of
from finops_api.lock.problems import ForbiddenProblem, ProviderDownProblem, UnauthenticatedProblem

_SCHEME = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`finops keys create`), or an access token of the identity provider.",
    }
}


def describe_lock(description: dict[str, Any]) -> None:
    """Add the scheme, and to every operation what it takes and the answers of those who lack it."""
    description.setdefault("components", {})["securitySchemes"] = _SCHEME
    answers = {
        str(status): answer
        for status, answer in problems(UnauthenticatedProblem, ForbiddenProblem, ProviderDownProblem).items()
    }
    for path, operations in description["paths"].items():
        if path in OPEN:
            continue
        for method, operation in operations.items():
            operation["security"] = [{"bearer": []}]
            operation["x-permission"] = permission_of(method.upper(), operation["operationId"])
            operation["responses"] = {**answers, **operation["responses"]}
