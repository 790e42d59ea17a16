"""Headers by which browsers keep answers to those who asked: no frames, no guessing, no scripts, no caches.

There are no CORS headers: pages of other sites cannot read the API.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_NOTHING = "default-src 'none'; frame-ancestors 'none'"
_DOCS = (
    "default-src 'none'; frame-ancestors 'none'; connect-src 'self'; "
    "script-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net; "
    "style-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net; "
    "img-src 'self' data: https://fastapi.tiangolo.com; worker-src blob:"
)
"""What the page /docs loads: Swagger UI, as FastAPI serves it."""
_PAGES = frozenset({"/docs", "/redoc", "/docs/oauth2-redirect"})


def secure(headers: MutableHeaders, scope: Scope) -> None:
    """Add them to those of an answer to `scope`; a second time changes nothing."""
    for name, value in _ALWAYS.items():
        headers[name] = value
    headers["Content-Security-Policy"] = _DOCS if scope["path"] in _PAGES else _NOTHING
    headers.setdefault("Cache-Control", "no-store")
    if "Authorization" not in headers.get("Vary", "").split(", "):
        headers.add_vary_header("Authorization")
    if scope["scheme"] == "https":
        headers["Strict-Transport-Security"] = "max-age=31536000"


class SecurityHeaders:
    """Middleware that adds them to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                secure(MutableHeaders(scope=message), scope)
            await send(message)

        await self._app(scope, receive, send_with_headers)
