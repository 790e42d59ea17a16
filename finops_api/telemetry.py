"""A request id on every answer and in every line of the log, one line and one measure for every request."""

from __future__ import annotations

import logging
import re
import time
import uuid
from contextvars import ContextVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from finops_api.metrics import Metrics

REQUEST_ID_HEADER = "X-Request-ID"

_LOG = logging.getLogger("finops_api.requests")
_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CURRENT: ContextVar[str] = ContextVar("request_id", default="-")
_OURS = ("finops_api", "finops_assets")


class RequestId:
    """Middleware: the caller's X-Request-ID if it is one (letters, digits, '.', '_', '-'), or a new one."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
        request_id = given if _GIVEN.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        before = _CURRENT.set(request_id)
        began = time.perf_counter()
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.request(scope["method"], _template(scope), status, seconds)
            _LOG.info("%s %s %d %.1f ms", scope["method"], scope["path"], status, seconds * 1000)
            _CURRENT.reset(before)


def _template(scope: Scope) -> str:
    """The route's address with its parameters' names: a series for every id would never end."""
    if "route" not in scope:
        return "(none)"
    names = {value: f"{{{name}}}" for name, value in scope["path_params"].items()}
    return "/".join(names.get(part, part) for part in scope["path"].split("/"))


class _WithRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _CURRENT.get()
        return True


def log_to_stderr() -> None:
    """Our log lines to stderr, each with the id of the request that it is about; done once a process."""
    for name in _OURS:
        logger = logging.getLogger(name)
        if any(isinstance(f, _WithRequestId) for h in logger.handlers for f in h.filters):
            continue
        handler = logging.StreamHandler()
        handler.addFilter(_WithRequestId())
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s")
        )
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
