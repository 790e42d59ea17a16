"""Errors are problems whose text says what to change."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from finops_api.app import create_app
from finops_assets.settings import Services, Settings
from tests.warehouse_builder import settings_of

NEXT_YEAR = datetime.now(UTC).year + 1


@pytest.mark.parametrize(
    ("path", "parameter", "says"),
    [
        ("/costs?granularity=hour", "granularity", "'month', 'quarter' or 'year'"),
        ("/costs?metric=Cost", "metric", "'BilledCost'"),
        ("/costs?compare=last_week", "compare", "Allowed: previous_period, previous_month, "),
        ("/costs?compare=2026-01-31..2026-01-01", "compare", "ends before it begins"),
        ("/costs?compare=2026-02-30..2026-03-01", "compare", "no period of the calendar"),
        ("/costs?group_by=Service", "group_by", "Allowed: ServiceProviderName, "),
        ("/costs?filter=Service = EC2", "filter", "Allowed: ServiceProviderName, "),
        ("/costs?filter=ServiceName ~ EC2", "filter", "character 13 of 'ServiceName ~ EC2': '~' cannot"),
        ("/costs?currency=usd", "currency", "pattern"),
        ("/costs?start_date=yesterday", "start_date", "valid date"),
        ("/costs?start_date=0", "start_date", "no valid date"),
        ("/snapshot?as_of=20260131", "as_of", "no valid date"),
        ("/forecast/said?made_on=0", "made_on", "no valid date"),
        ("/costs?start_date=2026-02-01&end_date=2026-01-31", "end_date", "both days are included"),
        ("/costs?end_date=9999-12-31", "end_date", "too far"),
        ("/costs?limit=0", "limit", "greater than or equal to 1"),
        ("/costs?groupby=ServiceName", "groupby", "Allowed: as_of, start_date, end_date, filter"),
        ("/costs/oracle", "provider", "'aws', 'azure' or 'gcp'"),
        ("/costs/rows?cursor=abc", "cursor", "no cursor"),
        ("/costs/rows?filter=BilledCost = 1", "filter", "Allowed: "),
        ("/costs/dimensions/Nothing", "name", "Allowed: ServiceProviderName"),
        ("/forecast?level=planet", "level", "'region', 'tag' or 'account_service'"),
        ("/anomalies?severity=bad", "severity", "'low', 'medium', 'high' or 'critical'"),
        ("/anomalies?start_date=2026-02-01&end_date=2026-01-31", "end_date", "before start_date"),
        ("/costs?convert_to=GBP", "convert_to", "No rate from EUR to GBP is known for 2026-03-01"),
        ("/ingestion?month=2026-13", "month", "pattern"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(
    client: TestClient, path: str, parameter: str, says: str
) -> None:
    found = client.get(f"/api/v1{path}")
    assert found.status_code == 422
    assert found.headers["Content-Type"] == "application/problem+json"
    body = found.json()
    assert (body["type"], body["status"]) == ("invalid-parameter", 422)
    assert body["detail"].startswith(f"{parameter}: ")
    assert says in body["detail"]
    assert [e["parameter"] for e in body["errors"]] == [parameter]


def test_a_cursor_only_continues_its_own_question(client: TestClient) -> None:
    following = client.get("/api/v1/costs/rows?limit=5").json()["next"]
    found = client.get("/api/v1/costs/rows", params={"cursor": following, "metric": "BilledCost"})
    assert found.status_code == 422
    assert "belongs to other parameters" in found.json()["detail"]


def test_what_does_not_exist(client: TestClient) -> None:
    for path, says in (
        ("/api/v1/anomalies/nothing", "No anomaly is called 'nothing'"),
        ("/nowhere", "Not Found"),
    ):
        found = client.get(path)
        assert found.status_code == 404
        assert found.headers["Content-Type"] == "application/problem+json"
        assert says in found.json()["detail"]


@pytest.mark.parametrize(
    ("body", "parameter", "says"),
    [
        ({"start": "2024-12", "end": "2026-01"}, "start", "before 2025-01"),
        ({"start": "2026-01", "end": f"{NEXT_YEAR}-01"}, "end", "has not begun"),
        ({"start": "2026-02", "end": "2026-01"}, "end", "before start"),
        ({"start": "2026-02-30", "end": "2026-03"}, "start", "no day of the calendar"),
        ({"start": "January", "end": "2026-03"}, "start", "pattern"),
        ({"start": "2026-01"}, "end", "required"),
        (
            {"start": "2026-01", "end": "2026-01", "sources": ["aws"]},
            "sources",
            "aws-main, azure-ea, gcp-prod",
        ),
        ({"start": "2026-01", "end": "2026-01", "sources": []}, "sources", "at least 1"),
        ({"start": "2026-01", "end": "2026-01", "source": "aws-main"}, "source", "no such field"),
    ],
)
def test_an_ingestion_that_cannot_be_is_refused_before_dagster_is_asked(
    client: TestClient, body: dict[str, Any], parameter: str, says: str
) -> None:
    found = client.post("/api/v1/ingestion", json=body)
    assert found.status_code == 422
    assert [e["parameter"] for e in found.json()["errors"]] == [parameter]
    assert says in found.json()["detail"]


def test_without_dagster_the_answer_says_how_to_start_it(built: Settings) -> None:
    """Port 9 is the discard service's: nothing listens there."""
    nowhere = built.model_copy(update={"services": Services(dagster_port=9)})
    with TestClient(create_app(nowhere)) as client:
        for found in (
            client.post("/api/v1/ingestion", json={"start": "2026-01", "end": "2026-01"}),
            client.get("/api/v1/ingestion/abcdefgh"),
        ):
            assert found.status_code == 503
            assert found.json()["type"] == "orchestrator-unavailable"
            assert "finops run" in found.json()["detail"]
        assert client.get("/api/v1/costs").status_code == 200


def test_a_method_that_there_is_not_names_those_there_are(client: TestClient) -> None:
    for path, allowed in (
        ("/budgets/x", "DELETE, GET, PUT"),
        ("/ingestion", "GET, POST"),
        ("/costs/rows", "GET"),
        ("/anomalies/spike/feedback", "GET, POST"),
    ):
        found = client.patch(f"/api/v1{path}")
        assert (found.status_code, found.headers["Allow"]) == (405, allowed)


def test_request_ids_come_back(client: TestClient) -> None:
    given = client.get("/healthz", headers={"X-Request-ID": "report-42"})
    assert given.headers["X-Request-ID"] == "report-42"
    made = client.get("/healthz", headers={"X-Request-ID": "no spaces, please"}).headers["X-Request-ID"]
    assert len(made) == 32
    refused = client.get("/api/v1/costs?limit=0")
    assert refused.json()["request_id"] == refused.headers["X-Request-ID"] != made


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[TestClient]:
    """An app whose published file is no database."""
    settings = settings_of(tmp_path)
    settings.paths.warehouse.mkdir()
    (settings.paths.warehouse / "CURRENT").write_text("warehouse-00000001.duckdb\n", encoding="utf-8")
    (settings.paths.warehouse / "warehouse-00000001.duckdb").write_bytes(b"secret path" * 1000)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


def test_a_fault_of_ours_stays_in_the_log(broken: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="finops_api"):
        found = broken.get("/api/v1/costs", headers={"X-Request-ID": "report-43"})
    assert found.status_code == 500
    assert found.json() == {
        "type": "unexpected",
        "title": "Something went wrong that should not.",
        "status": 500,
        "detail": "The server's log has the details under the id in the header X-Request-ID.",
        "request_id": "report-43",
    }
    assert "report-43" in caplog.text
    assert found.headers["X-Request-ID"] == "report-43"


def test_docs_are_served(client: TestClient) -> None:
    assert client.get("/", follow_redirects=False).headers["Location"] == "/docs"
    for path in ("/docs", "/redoc"):
        assert "FinOps Platform" in client.get(path).text
