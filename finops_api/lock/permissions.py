"""Which permission each operation takes; what a role has of them stands in finops_assets/access/roles.py."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request

from finops_api.lock.problems import ForbiddenProblem
from finops_assets.access.principal import ForbiddenError, Principal
from finops_assets.access.roles import Permission

OPEN = frozenset({"/", "/healthz", "/readyz", "/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"})
"""What anybody may ask: whether the server lives, and how it is asked. Nothing here tells of a bill."""

SAFE = frozenset({"GET", "HEAD"})

NEEDS: Mapping[str, Permission] = {
    "give_feedback": "feedback",
    "put_budget": "decide",
    "delete_budget": "decide",
    "get_planned_changes": "platform",
    "post_planned_change": "decide",
    "delete_planned_change": "decide",
    "start_ingestion": "operate",
    "get_ingestion": "platform",
    "cancel_ingestion": "operate",
    "get_audit": "audit",
    "get_metrics": "platform",
}
"""Operation id → what it takes. A GET that is not here takes `read`; anything else is the admin's."""


def permission_of(method: str, operation: str) -> Permission:
    """What an operation takes."""
    return NEEDS.get(operation, "read" if method in SAFE else "operate")


def authorize(request: Request) -> None:
    """The check before every route. Raises a 403 problem."""
    if request.url.path in OPEN:
        return
    operation = str(getattr(request.scope.get("route"), "name", ""))
    try:
        principal_of(request).require(permission_of(request.method, operation))
    except ForbiddenError as error:
        raise ForbiddenProblem(str(error)) from None


def principal_of(request: Request) -> Principal:
    """Who asks, as the lock found out."""
    found = request.state.principal
    if not isinstance(found, Principal):
        raise TypeError("a route was reached past the lock")
    return found
