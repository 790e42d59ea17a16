"""The lock before every route and mounted app: who asks, and what is kept of it in the audit log."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from concurrent.futures import Future
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from anyio import CancelScope
from fastapi_problem.error import StatusProblem
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from finops_api.limits import Limits
from finops_api.lock.permissions import OPEN, SAFE
from finops_api.lock.problems import (
    ForbiddenProblem,
    OpenDoorProblem,
    ProviderDownProblem,
    UnauthenticatedProblem,
    problem_response,
)
from finops_assets.access.audit import AuditLog, Entry
from finops_assets.access.binding import is_asked_here
from finops_assets.access.keys import PREFIX, KeyRing
from finops_assets.access.principal import LOOPBACK, ForbiddenError, Principal, UnknownPrincipalError
from finops_assets.access.tokens import ProviderDownError, Tokens
from finops_assets.settings import Settings

_LOG = logging.getLogger("finops_api.lock")


class Doorman:
    """Knows who may come in: API keys, and tokens of the identity provider."""

    def __init__(self, settings: Settings) -> None:
        access = settings.access
        self._keys = KeyRing(settings.paths.access) if access.api_keys else None
        self._tokens = Tokens(access, access.oidc) if access.oidc is not None else None
        self.log = AuditLog(settings.paths.access)

    def close(self) -> None:
        """Write what is left of the audit log, and close everything."""
        self.log.close()
        if self._keys is not None:
            self._keys.close()
        if self._tokens is not None:
            self._tokens.close()

    def principal(self, authorization: str) -> Principal:
        """Who sends this header. Raises a 401, 403 or 503 problem."""
        kind, _, given = authorization.partition(" ")
        given = given.strip()
        if kind.lower() != "bearer" or not given:
            raise UnauthenticatedProblem.missing()
        try:
            return self._known(given)
        except UnknownPrincipalError as error:
            raise UnauthenticatedProblem.refused(str(error)) from None
        except ForbiddenError as error:
            raise ForbiddenProblem(str(error)) from None
        except ProviderDownError as error:
            raise ProviderDownProblem(str(error), headers={"Retry-After": "30"}) from None

    def _known(self, given: str) -> Principal:
        if given.startswith(PREFIX):
            if self._keys is None:
                raise UnknownPrincipalError("API keys are not taken here: [access] api_keys is off.")
            return self._keys.principal(given)
        if self._tokens is None:
            raise UnknownPrincipalError("Only API keys are taken here; they begin with finops_.")
        return self._tokens.principal(given)


class Lock:
    """Middleware. Without a doorman the lock is off, and only the machine itself is served."""

    def __init__(self, app: ASGIApp, doorman: Doorman | None, limits: Limits | None) -> None:
        self._app = app
        self._doorman = doorman
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Everything else than HTTP has no lock, and so no door: it is not served."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        if self._doorman is None:
            if from_elsewhere(scope):
                await problem_response(OpenDoorProblem())(scope, receive, send)
                return
            state["principal"] = LOOPBACK
            await self._app(scope, receive, send)
            return
        if scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("authorization", "")
        try:
            state["principal"] = await run_in_threadpool(self._doorman.principal, given)
        except StatusProblem as problem:
            await self._refused(self._doorman, problem, scope, receive, send)
            return
        await self._served(self._doorman, scope, receive, send)

    async def _refused(
        self, doorman: Doorman, problem: StatusProblem, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Who is not let in is counted by address: above the limit nothing fills the audit log."""
        headers, too_many = self._limits.count(scope) if self._limits is not None else ({}, None)
        if too_many is not None:
            await too_many(scope, receive, send)
            return
        await self._noted(doorman, scope, None, problem.status)
        answer = problem_response(problem)
        answer.headers.update(headers)
        await answer(scope, receive, send)

    async def _served(self, doorman: Doorman, scope: Scope, receive: Receive, send: Send) -> None:
        principal: Principal = scope["state"]["principal"]
        is_started = False

        async def noted(message: Message) -> None:
            nonlocal is_started
            if message["type"] == "http.response.start":
                is_started = True
                await self._noted(doorman, scope, principal, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except BaseException:
            # A fault of ours is answered outside of this lock; what was done may stand all the same.
            if not is_started:
                with CancelScope(shield=True):
                    await self._noted(doorman, scope, principal, HTTPStatus.INTERNAL_SERVER_ERROR)
            raise

    async def _noted(self, doorman: Doorman, scope: Scope, principal: Principal | None, status: int) -> None:
        """A change is answered once it is in the log; what was only seen is written soon after."""
        written = doorman.log.append(_entry(scope, principal, status))
        if scope["method"] in SAFE:
            written.add_done_callback(_complain)
        else:
            await asyncio.wait([asyncio.wrap_future(written)])
            _complain(written)


def from_elsewhere(scope: Scope) -> bool:
    """Whether a request came by an address that others reach, by a proxy, or from a page of another site."""
    server = scope.get("server")
    try:
        reached = ipaddress.ip_address(str(server[0]) if server else "")
    except ValueError:  # no socket of the network
        return False
    return not (reached.is_loopback and is_asked_here(Headers(scope=scope)))


def _entry(scope: Scope, principal: Principal | None, status: int) -> Entry:
    client = scope.get("client")
    return Entry(
        at=datetime.now(UTC),
        principal=principal.name if principal is not None else "",
        means=principal.means if principal is not None else "",
        role=principal.role if principal is not None else "",
        face="api",
        action=scope["method"],
        place=scope["path"],
        parameters=scope["query_string"].decode("latin-1"),
        status=status,
        request_id=scope["state"].get("request_id", ""),
        client=client[0] if client else "",
    )


def _complain(written: Future[None]) -> None:
    if error := written.exception():
        _LOG.error("the audit log could not be written", exc_info=error)
