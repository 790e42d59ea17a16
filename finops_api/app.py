"""The API: `uvicorn --factory finops_api.app:create_app`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette_compress import CompressMiddleware

from finops_api import errors, health, metrics
from finops_api.deps import NotModifiedError
from finops_api.errors import TooManyRequestsProblem, problems
from finops_api.limits import Limits, RateLimit
from finops_api.lock.description import describe_lock
from finops_api.lock.headers import SecurityHeaders
from finops_api.lock.middleware import Doorman, Lock
from finops_api.lock.permissions import authorize
from finops_api.mcp.server import create_server
from finops_api.telemetry import RequestId, log_to_stderr
from finops_api.v1.anomalies import feedback
from finops_api.v1.anomalies import routes as anomalies
from finops_api.v1.audit import routes as audit
from finops_api.v1.budgets import routes as budgets
from finops_api.v1.conformance import routes as conformance
from finops_api.v1.costs import routes as costs
from finops_api.v1.costs import rows
from finops_api.v1.forecast import routes as forecast
from finops_api.v1.ingestion import routes as ingestion
from finops_api.v1.invoices import routes as invoices
from finops_api.v1.plans import routes as plans
from finops_api.v1.reconciliation import routes as reconciliation
from finops_api.v1.restatements import routes as restatements
from finops_api.v1.snapshot import routes as snapshot
from finops_assets.access.binding import check_binding
from finops_assets.orchestrator.ingestions import Orchestrator
from finops_assets.queries.access import listening, open_warehouse
from finops_assets.settings import Settings, current_settings

_DESCRIPTION = """\
Costs of all clouds in one shape, FOCUS 1.4.

* **Money** is a decimal string with every digit, and its currency stands beside it. Amounts of different
  currencies are never added up.
* **Filters** are written in one language everywhere: `ServiceName = 'Amazon S3' and tag.team in (data, web)`.
* **Days**: `start_date` and `end_date` are both included, in UTC.
* **One state**: every answer comes from one published snapshot and says which. Its `ETag` with
  `If-None-Match` gives `304` until something new is published.
* **What was known**: `as_of=2026-01-31` answers from the state that was published at the end of that day,
  so that yesterday's figures can be shown again after a month was restated.
* **Answers** are compressed by `Accept-Encoding` (zstd, br, gzip). `RateLimit` says how many more requests
  are allowed; `X-Request-ID`, given or made, is in the log, in problems and in the runs that are started.
* **Errors** are RFC 9457 problems (`application/problem+json`); a `422` names the parameter and what is
  allowed.
* **The lock**: where it is on, send `Authorization: Bearer <API key or access token>`. Whoever may see a part
  of the bills gets every figure, row and count of that part, as if there were no other.
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The app over these settings, or over the process's own.

    Raises OpenDoorError where it would listen off loopback without a lock.
    """
    chosen = settings or current_settings()
    check_binding("API", chosen.services.host, chosen.access)
    doorman = Doorman(chosen) if chosen.access.is_locked else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        log_to_stderr()
        async with app.state.mcp.session_manager.run():
            with listening(app.state.metrics.query):
                yield
        app.state.warehouse.close()
        app.state.orchestrator.close()
        if doorman is not None:
            doorman.close()

    app = FastAPI(
        title="FinOps Platform",
        version=version("finops-platform"),
        description=_DESCRIPTION,
        lifespan=lifespan,
        dependencies=[Depends(authorize)],
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.settings = chosen
    app.state.warehouse = open_warehouse(chosen)
    app.state.metrics = metrics.Metrics(app.state.warehouse)
    app.state.orchestrator = Orchestrator(chosen.services.dagster_graphql)
    for routes in (
        rows,
        costs,
        forecast,
        anomalies,
        budgets,
        plans,
        feedback,
        ingestion,
        invoices,
        conformance,
        reconciliation,
        restatements,
        snapshot,
        audit,
    ):
        app.include_router(routes.router, prefix="/api/v1", responses=problems(TooManyRequestsProblem))
    app.include_router(health.router)
    app.include_router(metrics.router)
    at = chosen.services
    app.state.mcp = create_server(app, f"http://{at.host}:{at.api_port}")
    tools = app.state.mcp.streamable_http_app(stateless_http=True, json_response=True, host=at.host)
    app.router.routes.extend(tools.routes)
    app.add_api_route("/", _to_docs, include_in_schema=False)
    # The last one added is the first that a request meets.
    app.add_middleware(CompressMiddleware)
    limits = Limits(chosen.services.rate_limit) if chosen.services.rate_limit else None
    if limits is not None:
        app.add_middleware(RateLimit, limits=limits)
    app.add_middleware(Lock, doorman=doorman, limits=limits)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestId, metrics=app.state.metrics)
    errors.install(app, describe=describe_lock if doorman is not None else None)
    app.add_exception_handler(NotModifiedError, _not_modified)
    return app


def _to_docs() -> Response:
    return RedirectResponse("/docs")


def _not_modified(_request: Request, error: Exception) -> Response:
    etag = str(error)
    return Response(status_code=304, headers={"ETag": etag, "Cache-Control": "private, no-cache"})
