"""A state from before some tables and columns came into being is answered, with what it knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from finops_api.app import create_app
from tests.earlier_publication import take_back
from tests.warehouse_builder import build_warehouse

API = "/api/v1"


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("earlier")
    settings = build_warehouse(folder)
    take_back(settings)
    with TestClient(create_app(settings)) as client:
        yield client


def test_every_route_answers(earlier: TestClient) -> None:
    days = "start_date=2026-01-01&end_date=2026-03-31"
    paths = earlier.get("/openapi.json").json()["paths"]
    asked = [p for p, one in paths.items() if "get" in one and "{" not in p and "ingestion" not in p]
    for path in [*asked, f"{API}/anomalies/spike", f"{API}/budgets/AWS%20year/days"]:
        if path.endswith("/costs/rows/native"):
            continue  # asks for one line
        answer = earlier.get(f"{path}?{days}" if "/costs" in path else path)
        assert answer.status_code in {200, 422}, (path, answer.text)  # 422: it asks for more
        assert answer.status_code == 200 or "required" in answer.text.lower(), (path, answer.text)


def test_it_tells_what_it_knows(earlier: TestClient) -> None:
    accuracy = earlier.get(f"{API}/forecast/accuracy").text
    assert set(re.findall(r'"horizon":"(\w+)"', accuracy)) == {"7d", "30d", "90d"}
    assert 'horizon="30d"' in earlier.get("/metrics").text
    event = earlier.get(f"{API}/anomalies/spike").json()["anomaly"]
    assert (event["raised_on"], event["data_at"]) == (None, None)
