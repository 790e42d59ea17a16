"""So many requests a caller: more are refused with 429, and every answer says how many are left."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FREE = {"/healthz", "/readyz", "/metrics"}
"""What watches the process is never refused."""


class Limits:
    """How often each caller asked. Kept in the process: with several processes each allows as many."""

    def __init__(self, limit: str) -> None:
        self._limit: RateLimitItem = parse(limit)
        self._counts = FixedWindowRateLimiter(MemoryStorage())

    def count(self, scope: Scope) -> tuple[dict[str, str], Response | None]:
        """Count a request: what to tell its caller in headers, and the answer where it is one too many."""
        caller = _caller(scope)
        is_allowed = self._counts.hit(self._limit, caller)
        window = self._counts.get_window_stats(self._limit, caller)
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        headers = {
            "RateLimit-Policy": f'"default";q={self._limit.amount};w={self._limit.get_expiry()}',
            "RateLimit": f'"default";r={window.remaining};t={seconds}',
        }
        if is_allowed:
            return headers, None
        refused = JSONResponse(
            {
                "type": "too-many-requests",
                "title": "Too many requests.",
                "status": 429,
                "detail": f"{self._limit} are allowed ([services] rate_limit). Ask again in {seconds} s.",
                "request_id": scope["state"]["request_id"],
            },
            429,
            {**headers, "Retry-After": str(seconds), "Content-Type": "application/problem+json"},
        )
        return headers, refused


class RateLimit:
    """Middleware: a caller is who it is known as, or else the address it comes from."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"] in _FREE:
            await self._app(scope, receive, send)
            return
        headers, refused = self._limits.count(scope)
        if refused is not None:
            await refused(scope, receive, send)
            return

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, send_with_limits)


def _caller(scope: Scope) -> str:
    principal = scope["state"].get("principal")
    if principal is not None:
        return f"principal {principal.means} {principal.name}"
    client = scope.get("client")
    return f"address {client[0] if client else '?'}"
