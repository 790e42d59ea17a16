"""The tools of language models: the SDK's own client against the real processes, by HTTP and by stdin."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import httpx
import pytest
from mcp import StdioServerParameters
from mcp.client.client import Client

from finops_assets.settings import Settings
from tests.api.locked import bearer, locked_settings
from tests.api.server import environment, free_port, running_api
from tests.tenants import TENANTS

TOOLS = {
    "costs",
    "movers",
    "cost_rows",
    "dimensions",
    "dimension_values",
    "forecast",
    "budgets",
    "anomalies",
    "anomaly",
    "freshness",
}
FEBRUARY = {"start_date": "2026-02-01", "end_date": "2026-02-28"}

Connect: TypeAlias = Callable[[], AbstractAsyncContextManager[Client]]


@pytest.fixture(scope="module")
def url(built: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_api(built, tmp_path_factory.mktemp("api")) as at:
        yield at


@pytest.fixture(params=["http", "stdio"])
def connect(request: pytest.FixtureRequest, built: Settings, url: str, tmp_path: Path) -> Connect:
    @asynccontextmanager
    async def client() -> AsyncIterator[Client]:
        port = int(url.rpartition(":")[2])
        server: str | StdioServerParameters = f"{url}/mcp"
        if request.param == "stdio":
            server = StdioServerParameters(
                command=sys.executable,
                args=["-c", "from finops_assets.cli import app; app()", "mcp"],
                env=environment(built, tmp_path, port),
            )
        async with Client(server) as connected:
            yield connected

    return client


async def told(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    answer: dict[str, Any] = result.structured_content
    return answer


def test_every_answer_is_traceable(connect: Connect, url: str) -> None:
    async def ask() -> None:
        async with connect() as client:
            listed = (await client.list_tools()).tools
            assert {t.name for t in listed} == TOOLS
            assert all(t.description and t.annotations and t.annotations.read_only_hint for t in listed)
            for tool in sorted(TOOLS - {"dimension_values", "anomaly"}):
                answer = await told(client, tool)
                assert answer["snapshot"]["version"] == 1, tool
                assert [(r["currency"], r["residual"]) for r in answer["residuals"]] == [
                    ("EUR", "0"),
                    ("USD", "0"),
                ]
            await told(client, "dimension_values", name="ServiceName")
            event = await told(client, "anomaly", anomaly_id="spike")
            for split in event["drivers"]:
                parts = [Decimal(d["contribution"]) for d in split["drivers"]]
                assert sum(parts) == Decimal(event["anomaly"]["impact"])

    anyio.run(ask)


def test_figures_are_the_apis_and_lead_to_their_rows(connect: Connect, url: str) -> None:
    async def ask() -> dict[str, Any]:
        async with connect() as client:
            return await told(client, "costs", **FEBRUARY, group_by=["ServiceName"], limit=2)

    answer = anyio.run(ask)
    same = httpx.get(
        f"{url}/api/v1/costs", params={**FEBRUARY, "group_by": "ServiceName", "limit": 2}, trust_env=False
    ).json()
    assert [r["cost"] for r in answer["rows"]] == [r["cost"] for r in same["rows"]]
    row = answer["rows"][0]
    assert row["rows_url"].startswith(f"{url}/api/v1/costs/rows?")
    rows = httpx.get(f"{row['rows_url']}&limit=1000", trust_env=False).json()
    (total,) = rows["totals"]
    assert (total["cost"], total["row_count"]) == (row["cost"], row["row_count"])


def test_movers_make_the_change_of_the_whole(connect: Connect) -> None:
    async def ask() -> dict[str, Any]:
        async with connect() as client:
            return await told(client, "movers", **FEBRUARY, by="ServiceName", currency="USD", limit=200)

    answer = anyio.run(ask)
    (whole,) = answer["totals"]
    changes = [Decimal(row["compared"]["change"]) for row in answer["rows"]]
    assert sum(changes) == Decimal(whole["compared"]["change"])
    assert [abs(c) for c in changes] == sorted((abs(c) for c in changes), reverse=True)
    assert answer["left_out"] == 0


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("costs", {"filter": "ServiceName ~ S3"}, "character 13"),
    ("costs", {"group_by": ["Service"]}, "Allowed: ServiceProviderName"),
    ("costs", {"granularity": "hour"}, "'quarter'"),
    ("cost_rows", {"cursor": "abc"}, "no cursor"),
    ("anomaly", {"anomaly_id": "../snapshot"}, "Not Found"),
    ("dimension_values", {"name": "ServiceName?x=1"}, "is not known"),
]


def test_what_cannot_be_is_refused_as_the_api_refuses(connect: Connect) -> None:
    async def ask() -> None:
        async with connect() as client:
            for tool, arguments, says in REFUSED:
                result = await client.call_tool(tool, arguments)
                assert result.is_error
                assert says in str(result.content[0])

    anyio.run(ask)


def test_behind_the_lock_a_program_asks_as_its_key(built: Settings, tmp_path: Path) -> None:
    settings = locked_settings(built, tmp_path)
    key = bearer(settings, "assistant", scope=TENANTS["source"][0])["Authorization"].removeprefix("Bearer ")
    given = environment(settings, tmp_path, free_port(), "access.api_keys = true")

    async def ask(env: dict[str, str]) -> Any:
        server = StdioServerParameters(command=sys.executable, args=["-m", "finops_api.mcp"], env=env)
        async with Client(server) as client:
            return await client.call_tool("costs", {**FEBRUARY, "group_by": ["x_Source"]})

    seen = anyio.run(ask, {**given, "FINOPS_API_KEY": key})
    assert {row["group"]["x_Source"] for row in seen.structured_content["rows"]} == {"aws-main"}
    assert anyio.run(ask, given).is_error


def test_links_lead_to_where_the_caller_asked(built: Settings, url: str) -> None:
    async def ask() -> dict[str, Any]:
        async with Client(f"{named}/mcp") as client:
            return await told(client, "costs", **FEBRUARY)

    named = url.replace("127.0.0.1", "localhost")
    answer = anyio.run(ask)
    assert answer["totals"][0]["rows_url"].startswith(f"{named}/api/v1/costs/rows?")
