"""The Cost Management Query API on this machine: a recorded real answer, fitted to what is asked.

The recording's headers, columns and rows stand; each row is given for every day asked for, with a value
for every dimension asked for that was not recorded, and the rows are cut into pages.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conftest import SAMPLES

RECORDING = "azure-api-recordings/CostFilterTest.test_cost_resource_group.json"
QUOTAS = ("entity", "tenant", "clienttype", "qpu")
"""Each has a header x-ms-ratelimit-microsoft.costmanagement-<quota>-retry-after."""

Answer = dict[str, Any]


@dataclass(frozen=True)
class Trouble:
    """An answer instead of the true one; with `cut_after` the true one ends after so many bytes."""

    status: int = 200
    code: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None


EXPIRED = Trouble(401, "ExpiredAuthenticationToken")
DENIED = Trouble(401, "RBACAccessDenied")


def throttled(**seconds: int) -> Trouble:
    """429 as Cost Management sends it: without Retry-After, with a header for each quota that is used up."""
    prefix = "x-ms-ratelimit-microsoft.costmanagement"
    headers = {f"{prefix}-{quota}-retry-after": str(wait) for quota, wait in seconds.items()}
    return Trouble(429, "429", headers)


@dataclass
class Replay:
    """A running server. `troubles` are taken in order, one a request, None for none.

    `requests` are all paths and bodies, `authorized` their Authorization headers.
    """

    recorded: Answer
    port: int = 0
    page_rows: int = 1000
    troubles: list[Trouble | None] = field(default_factory=list)
    requests: list[tuple[str, Answer]] = field(default_factory=list)
    authorized: list[str | None] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)
    """The values of dimensions that were not recorded."""
    cost_column: str = "PreTaxCost"
    """What the costs are called: as recorded, or as another agreement or version calls them."""

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def rows(self) -> list[list[Any]]:
        """The rows as recorded."""
        rows: list[list[Any]] = self.recorded["properties"]["rows"]
        return rows

    def answer(self, query: Answer, path: str) -> Answer:
        """The recorded answer for a query's days and dimensions, from the page that the path names."""
        recorded = self.recorded["properties"]
        places = {column["name"]: i for i, column in enumerate(recorded["columns"])}
        dimensions = [grouping["name"] for grouping in query["dataset"]["grouping"]]
        period = query["timePeriod"]
        columns = [
            {**recorded["columns"][places["PreTaxCost"]], "name": self.cost_column},
            {"name": "UsageDate", "type": "Number"},
            *({"name": name, "type": "String"} for name in dimensions),
            recorded["columns"][places["Currency"]],
        ]
        rows = [
            [
                row[places["PreTaxCost"]],
                int(day.strftime("%Y%m%d")),
                *(row[places[d]] if d in places else self.given.get(d) for d in dimensions),
                row[places["Currency"]],
            ]
            for day in _days(period["from"][:10], period["to"][:10])
            for row in self.rows
        ]
        first = int(parse_qs(urlsplit(path).query).get("$skiptoken", ["0"])[0])
        end = first + self.page_rows
        link = path.split("&$skiptoken", maxsplit=1)[0]
        more = f"{self.url}{link}&$skiptoken={end}" if end < len(rows) else None
        properties = {"nextLink": more, "columns": columns, "rows": rows[first:end]}
        return {**self.recorded, "properties": properties}


def _days(first: str, last: str) -> Iterator[date]:
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        yield day
        day += timedelta(days=1)


def recorded_answer() -> Answer:
    """The recording's answer to a query; skips where the recordings are not there."""
    path: Path = SAMPLES / RECORDING
    if not path.exists():
        pytest.skip(f"the recorded answers are not here: no ../shared/data/{RECORDING}")
    for exchange in json.loads(path.read_text(encoding="utf-8"))["interactions"]:
        if exchange["request"]["uri"].split("?")[0].endswith("/providers/Microsoft.CostManagement/query"):
            answer: Answer = exchange["response"]["body"]["data"]
            return answer
    raise AssertionError(f"{RECORDING} holds no answer of the Query API")


@contextmanager
def running_replay(given: dict[str, str]) -> Iterator[Replay]:
    """A server that answers queries, until the end of the block."""
    replay = Replay(recorded_answer(), given=given)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                replay.requests.append((self.path, query))
                replay.authorized.append(self.headers.get("Authorization"))
                trouble = replay.troubles.pop(0) if replay.troubles else None
            if "/providers/Microsoft.CostManagement/query?" not in self.path:
                trouble = Trouble(404, "NotFound")
            if trouble is None or trouble.cut_after is not None:
                body = json.dumps(replay.answer(query, self.path)).encode()
                self._send(200, {}, body, trouble.cut_after if trouble else None)
            else:
                error = {"error": {"code": trouble.code, "message": f"Recorded as {trouble.code}."}}
                self._send(trouble.status, trouble.headers, json.dumps(error).encode(), None)

        def _send(self, status: int, headers: dict[str, str], body: bytes, cut_after: int | None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[:cut_after])
            self.close_connection = cut_after is not None

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    replay.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield replay
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
