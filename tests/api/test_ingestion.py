"""Launching and following an ingestion, with a real Dagster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from fastapi.testclient import TestClient

from finops_api.app import create_app
from finops_assets.orchestrator.selection import Selection, in_range
from finops_assets.settings import Services, Settings
from tests.api.dagster_server import BROKEN, DagsterServer, dagster_server
from tests.api.locked import bearer, locked_client, locked_settings

PATIENCE_SECONDS = 180


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterServer]:
    with dagster_server(tmp_path_factory.mktemp("dagster") / "home") as server:
        yield server


@pytest.fixture(scope="module")
def client(built: Settings, dagster: DagsterServer) -> Iterator[TestClient]:
    settings = built.model_copy(update={"services": Services(dagster_port=dagster.port)})
    with TestClient(create_app(settings)) as client:
        yield client


def start(client: TestClient, **body: Any) -> str:
    found = client.post("/api/v1/ingestion", json=body, headers={"X-Request-ID": "from-the-test"})
    assert found.status_code == 202, found.text
    location = found.headers["Location"]
    assert location == found.json()["href"] == f"/api/v1/ingestion/{found.json()['id']}"
    return location


def states(client: TestClient, location: str) -> dict[tuple[str, str], str]:
    found = client.get(location)
    assert found.status_code == 200, found.text
    return {(p["month"], p["source"]): p["state"] for p in found.json()["partitions"]}


def settled(client: TestClient, location: str) -> dict[tuple[str, str], str]:
    patience = time.monotonic() + PATIENCE_SECONDS
    while {"queued", "running"} & set((found := states(client, location)).values()):
        assert time.monotonic() < patience, found
        time.sleep(0.3)
    return found


def test_exactly_the_partitions_asked_for_are_made_and_followed(
    client: TestClient, dagster: DagsterServer
) -> None:
    """Three months of two sources, of which one is broken: two runs, each over a range of months."""
    months = ("2026-01", "2026-02", "2026-03")
    location = start(client, start="2026-01-15", end="2026-03", sources=[BROKEN, "aws-main"])
    waiting = client.get(location).json()
    assert (waiting["state"], waiting["counts"], waiting["run_ids"]) == ("queued", {"queued": 6}, [])
    assert (waiting["start"], waiting["end"]) == ("2026-01", "2026-03")
    assert waiting["sources"] == ["aws-main", BROKEN]
    with dagster.daemon():
        assert settled(client, location) == {
            **{(month, "aws-main"): "succeeded" for month in months},
            **{(month, BROKEN): "failed" for month in months},
        }
    assert dagster.made() == {f"{asset} {month}|aws-main" for asset in ("bills", "costs") for month in months}
    found = dagster.ask("{ runsOrError { ... on Runs { results { runId tags { key value } } } } }")
    runs = {r["runId"]: {t["key"]: t["value"] for t in r["tags"]} for r in found["runsOrError"]["results"]}
    assert sorted(client.get(location).json()["run_ids"]) == sorted(runs)
    assert len(runs) == 2
    assert {tags["finops/request_id"] for tags in runs.values()} == {"from-the-test"}


def test_a_repeated_idempotency_key_starts_nothing_new(client: TestClient, dagster: DagsterServer) -> None:
    def post(key: str | None, end: str = "2026-01") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        body = {"start": "2026-01", "end": end, "sources": ["aws-main"]}
        return client.post("/api/v1/ingestion", json=body, headers=headers)

    def launched() -> int:
        query = "{ partitionBackfillsOrError { ... on PartitionBackfills { results { id } } } }"
        return len(dagster.ask(query)["partitionBackfillsOrError"]["results"])

    before = launched()
    first, again = post("month-end"), post("month-end")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert launched() == before + 1
    other = post("month-end", end="2026-02")
    assert (other.status_code, other.json()["type"]) == (409, "idempotency-key-reused")
    assert "was used for aws-main, 2026-01 to 2026-01" in other.json()["detail"]
    assert launched() == before + 1
    assert post("another").json()["id"] != first.json()["id"]
    assert post(None).json()["id"] != post(None).json()["id"]


def test_a_canceled_ingestion_stops_and_an_ended_one_stays_as_it_is(
    client: TestClient, dagster: DagsterServer
) -> None:
    location = start(client, start="2026-01", end="2026-02", sources=["gcp-prod"])
    stopped = client.post(f"{location}/cancel")
    assert stopped.status_code == 202
    assert stopped.json()["state"] == "canceled"
    before = dagster.made()
    with dagster.daemon():
        # A later one is carried out, so the daemon had its chance to run the canceled one.
        assert set(
            settled(client, start(client, start="2026-03", end="2026-03", sources=["gcp-prod"])).values()
        ) == {"succeeded"}
    assert dagster.made() - before == {"bills 2026-03|gcp-prod", "costs 2026-03|gcp-prod"}
    assert client.post(f"{location}/cancel").json()["state"] == "canceled"
    assert client.post("/api/v1/ingestion/nothing/cancel").status_code == 404


def test_dagster_shows_who_started_it(built: Settings, dagster: DagsterServer, tmp_path: Path) -> None:
    settings = locked_settings(built, tmp_path).model_copy(
        update={"services": Services(dagster_port=dagster.port)}
    )
    body = {"start": "2026-01", "end": "2026-01", "sources": ["aws-main"]}
    with locked_client(settings) as client:
        found = client.post("/api/v1/ingestion", json=body, headers=bearer(settings, "nightly", "admin"))
    assert dagster.tags(found.json()["id"])["finops/author"] == "nightly"


def test_an_ingestion_that_nobody_started(client: TestClient) -> None:
    found = client.get("/api/v1/ingestion/nothing")
    assert found.status_code == 404
    assert "No ingestion is called 'nothing'" in found.json()["detail"]


def test_what_dagster_refuses_is_passed_on(
    client: TestClient, built: Settings, dagster: DagsterServer
) -> None:
    """A month that the API's configuration has, but Dagster's does not."""
    settings = built.model_copy(
        update={"first_month": "2020-01", "services": Services(dagster_port=dagster.port)}
    )
    with TestClient(create_app(settings)) as other:
        found = other.post("/api/v1/ingestion", json={"start": "2020-01", "end": "2020-01"})
    assert found.status_code == 502
    assert found.json()["type"] == "orchestrator-refused"
    assert "2020-01|aws-main" in found.json()["detail"]


class _NotDagster(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, *_: object) -> None:
        """Quiet."""


def test_something_else_on_dagsters_port(built: Settings) -> None:
    with HTTPServer(("127.0.0.1", 0), _NotDagster) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        settings = built.model_copy(update={"services": Services(dagster_port=server.server_port)})
        with TestClient(create_app(settings)) as client:
            found = client.post("/api/v1/ingestion", json={"start": "2026-01", "end": "2026-01"})
        server.shutdown()
    assert found.status_code == 502
    assert "not GraphQL" in found.json()["detail"]


def test_months_of_a_selection() -> None:
    selection = Selection("2025-11", "2026-02", ("a", "b"))
    assert selection.months() == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert selection.partitions()[:3] == ["2025-11|a", "2025-11|b", "2025-12|a"]


@pytest.mark.parametrize(
    ("first", "last", "held"),
    [
        ("2026-01|a", "2026-02|a", {"2026-01|a", "2026-02|a"}),
        ("2026-02|a", "2026-02|b", {"2026-02|a", "2026-02|b"}),
        ("2026-01|b", "2026-01|b", {"2026-01|b"}),
        ("2026-01|a", "2026-03|c", {f"2026-0{m}|{s}" for m in (1, 2, 3) for s in "abc"}),
        ("2026-01|x", "2026-03|c", set()),
        ("2026-01", "2026-02", set()),
        ("", "", set()),
    ],
)
def test_which_partitions_a_run_holds(first: str, last: str, held: set[str]) -> None:
    selection = Selection("2026-01", "2026-03", ("a", "b", "c"))
    found = {k for k in selection.partitions() if in_range(k, first, last, selection.sources)}
    assert found == held
