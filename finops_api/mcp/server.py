"""The tools that language models ask by.

Each is a question to the API of this very process, asked as the caller: what the API does not show to
somebody no tool shows, and what it refuses is refused in the same words.
"""

from __future__ import annotations

import os
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import quote

import httpx
from fastapi import FastAPI
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from finops_assets.queries.costs import Granularity, Metric
from finops_assets.queries.filters import HELP

_INSTRUCTIONS = f"""\
Cloud costs of AWS, Azure, Google Cloud and others in one shape (FOCUS). Amounts are decimal strings in the
currency beside them; amounts of different currencies are never added up. Days are UTC, both ends included.
Every answer says which published snapshot it comes from, how far the bills' own totals are from what is shown
(`residuals`, 0 where all adds up), and where the bill rows of a figure are (`rows_url`).
Filters: {HELP} Ask `dimensions` for the columns, and `dimension_values` for what they hold."""

_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)

Day: TypeAlias = Annotated[date | None, Field(description="A day, such as 2026-01-31.")]
FilterText: TypeAlias = Annotated[
    str | None, Field(description="Such as: ServiceProviderName = AWS and tag.team in (data, web)")
]
Most: TypeAlias = Annotated[int, Field(ge=1, le=200, description="How many rows at most.")]
CurrencyCode: TypeAlias = Annotated[
    str | None, Field(pattern="^[A-Z]{3}$", description="ISO 4217, such as USD.")
]
Compare: TypeAlias = Annotated[
    str,
    Field(
        description="previous_period, previous_month, previous_year, or days such as 2025-01-01..2025-01-31."
    ),
]
Answer: TypeAlias = dict[str, Any]


def create_server(app: FastAPI, base_url: str) -> MCPServer:
    """The tools over `app`; where no request says by which address it came, links begin with `base_url`.

    A program that asks over stdin asks as the API key of the environment variable FINOPS_API_KEY.
    """
    server = MCPServer("finops", title="FinOps Platform", instructions=_INSTRUCTIONS)
    api = _Api(app, base_url)

    @server.tool(title="Costs", annotations=_READS)
    async def costs(
        ctx: Context,
        start_date: Day = None,
        end_date: Day = None,
        group_by: Annotated[list[str], Field(description="Columns, such as ServiceName or x_Tag_team.")] = [],  # noqa: B006 - never changed; the default that the schema shows
        filter: FilterText = None,
        granularity: Granularity = "none",
        metric: Metric = "EffectiveCost",
        currency: CurrencyCode = None,
        compare: Compare | None = None,
        convert_to: CurrencyCode = None,
        limit: Most = 20,
        as_of: Day = None,
    ) -> Answer:
        """Costs of a period, by default the newest month: by columns and steps of time, filtered, compared.
        The groups beyond `limit` are added up as '(other)'."""
        return await api.ask(
            ctx,
            "/costs",
            start_date=start_date,
            end_date=end_date,
            group_by=group_by,
            filter=filter,
            granularity=granularity,
            metric=metric,
            currency=currency,
            compare=compare,
            convert_to=convert_to,
            limit=limit,
            as_of=as_of,
        )

    @server.tool(title="Why did it rise", annotations=_READS)
    async def movers(
        ctx: Context,
        by: Annotated[str, Field(description="The column to look at, such as ServiceName.")] = "ServiceName",
        start_date: Day = None,
        end_date: Day = None,
        compare: Compare = "previous_month",
        filter: FilterText = None,
        metric: Metric = "EffectiveCost",
        currency: CurrencyCode = None,
        limit: Most = 10,
        as_of: Day = None,
    ) -> Answer:
        """What costs more or less than before, the largest change first. Go deeper by filtering for the first
        and asking by another column. All groups together make the change of `totals`."""
        found = await api.ask(
            ctx,
            "/costs",
            start_date=start_date,
            end_date=end_date,
            group_by=[by],
            filter=filter,
            metric=metric,
            currency=currency,
            compare=compare,
            as_of=as_of,
        )
        rows = sorted(found["rows"], key=lambda row: -abs(Decimal(row["compared"]["change"])))
        return {**found, "rows": rows[:limit], "left_out": max(0, len(rows) - limit)}

    @server.tool(title="Bill rows", annotations=_READS)
    async def cost_rows(
        ctx: Context,
        start_date: Day = None,
        end_date: Day = None,
        filter: FilterText = None,
        metric: Metric = "EffectiveCost",
        currency: CurrencyCode = None,
        limit: Most = 20,
        cursor: Annotated[str | None, Field(description="`next` of the page before.")] = None,
        as_of: Day = None,
    ) -> Answer:
        """The bill rows behind a figure, the most expensive first, each with the file and line it came in.
        Filters may also name ResourceId or SkuId."""
        found = await api.ask(
            ctx,
            "/costs/rows",
            start_date=start_date,
            end_date=end_date,
            filter=filter,
            metric=metric,
            currency=currency,
            limit=limit,
            cursor=cursor,
            as_of=as_of,
        )
        # A FOCUS row has 80 columns, most of them null in any one provider's bill.
        return {**found, "rows": [{k: v for k, v in r.items() if v is not None} for r in found["rows"]]}

    @server.tool(title="What can be asked", annotations=_READS)
    async def dimensions(ctx: Context) -> Answer:
        """The columns to group and filter by, the metrics, the currencies, the days there are costs of."""
        return await api.ask(ctx, "/costs/dimensions")

    @server.tool(title="Values of a column", annotations=_READS)
    async def dimension_values(
        ctx: Context,
        name: Annotated[str, Field(description="A column that `dimensions` names.")],
        start_date: Day = None,
        end_date: Day = None,
        filter: FilterText = None,
        limit: Most = 50,
    ) -> Answer:
        """The values that a column has in a period with their costs, the most expensive first."""
        found = await api.ask(
            ctx,
            f"/costs/dimensions/{quote(name, safe='')}",
            start_date=start_date,
            end_date=end_date,
            filter=filter,
        )
        left_out = max(0, len(found["values"]) - limit)
        return {**found, "values": found["values"][:limit], "left_out": left_out}

    @server.tool(title="Month-end forecast", annotations=_READS)
    async def forecast(
        ctx: Context, metric: Literal["BilledCost", "EffectiveCost"] = "EffectiveCost"
    ) -> Answer:
        """What this month and the next will come to, in all and by provider, with 80% bounds."""
        return await api.ask(ctx, "/forecast/outlook", metric=metric)

    @server.tool(title="Budgets", annotations=_READS)
    async def budgets(ctx: Context) -> Answer:
        """Each budget against what was spent and what is forecast, with how likely it is to be crossed."""
        return await api.ask(ctx, "/budgets")

    @server.tool(title="Anomalies", annotations=_READS)
    async def anomalies(
        ctx: Context,
        start_date: Day = None,
        end_date: Day = None,
        severity: Literal["low", "medium", "high", "critical"] | None = None,
        limit: Most = 20,
    ) -> Answer:
        """Costs that were not as expected, the newest first. `anomaly` says what one is made of."""
        return await api.ask(
            ctx, "/anomalies", start_date=start_date, end_date=end_date, severity=severity, limit=limit
        )

    @server.tool(title="One anomaly and its drivers", annotations=_READS)
    async def anomaly(
        ctx: Context, anomaly_id: Annotated[str, Field(description="An `id` that `anomalies` gave.")]
    ) -> Answer:
        """One anomaly: where its cause lies, what changed (quantity, price, mix), and the values of each
        dimension that made it. Each of these splits adds up to the impact."""
        return await api.ask(ctx, f"/anomalies/{quote(anomaly_id, safe='')}")

    @server.tool(title="Freshness", annotations=_READS)
    async def freshness(ctx: Context) -> Answer:
        """How fresh each source's data is, which deliveries were refused, and how every stage adds up."""
        found = await api.ask(ctx, "/ingestion")
        return {k: v for k, v in found.items() if k != "deliveries"}

    return server


class _Api:
    """The app of this process, asked as the caller of a tool."""

    def __init__(self, app: FastAPI, base_url: str) -> None:
        self._app = app
        self._base_url = base_url.rstrip("/")

    async def ask(self, ctx: Context, path: str, **parameters: Any) -> Answer:
        """The answer to GET /api/v1<path>, with residuals and whole links. Raises ToolError for a problem."""
        asked_by = ctx.request_context.request
        if asked_by is None:
            base_url, client, key = self._base_url, None, os.environ.get("FINOPS_API_KEY")
            headers = {"authorization": f"Bearer {key}"} if key else {}
        else:
            base_url, client = str(asked_by.base_url).rstrip("/"), asked_by.client
            passed_on = ("authorization", "x-request-id")
            headers = {name: asked_by.headers[name] for name in passed_on if name in asked_by.headers}
        transport = httpx.ASGITransport(self._app, client=client or ("127.0.0.1", 0))
        given = {k: v for k, v in parameters.items() if v is not None}
        async with httpx.AsyncClient(transport=transport, base_url=base_url, headers=headers) as api:
            found = await _answer(api, path, given)
            day = {"as_of": given["as_of"]} if "as_of" in given else {}
            held = await _answer(api, "/reconciliation", day)
        answer: Answer = _linked({**found, "residuals": held["residuals"]}, base_url)
        return answer


def _linked(value: Any, base_url: str) -> Any:
    """The same with every rows_url as a whole address."""
    if isinstance(value, dict):
        return {
            k: f"{base_url}{v}" if k == "rows_url" and v is not None else _linked(v, base_url)
            for k, v in value.items()
        }
    return [_linked(v, base_url) for v in value] if isinstance(value, list) else value


async def _answer(api: httpx.AsyncClient, path: str, parameters: dict[str, Any]) -> Answer:
    response = await api.get(f"/api/v1{path}", params=parameters)
    body: Answer = response.json()
    if response.is_error:
        raise ToolError(f"{body['title']} {body.get('detail', '')}")
    return body
