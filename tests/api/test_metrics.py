"""What Prometheus is told: requests by template, and the published state against the tables themselves."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from finops_api.app import create_app
from finops_assets.settings import Settings
from tests.warehouse_builder import lake_table, settings_of

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(client: TestClient) -> Samples:
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (s.name, frozenset(s.labels.items())): s.value
        for family in text_string_to_metric_families(answer.text)
        for s in family.samples
    }


def of(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_requests_are_counted_by_their_template(built: Settings) -> None:
    with TestClient(create_app(built)) as client:
        for path in ("/costs/aws", "/costs/azure", "/costs/oracle", "/costs/rows?limit=1"):
            client.get(f"/api/v1{path}")
        client.get("/nowhere/4711")
        found = scraped(client)
    provider = {"method": "GET", "route": "/api/v1/costs/{provider}"}
    assert found[of("finops_http_requests_total", **provider, status="200")] == 2
    assert found[of("finops_http_requests_total", **provider, status="422")] == 1
    assert found[of("finops_http_request_seconds_count", **provider)] == 3
    assert found[of("finops_http_requests_total", method="GET", route="(none)", status="404")] == 1
    assert found[of("finops_query_seconds_count")] > 4


def test_the_published_state_is_measured(built: Settings, client: TestClient) -> None:
    found = scraped(client)
    assert found[of("finops_published")] == found[of("finops_snapshot_version")] == 1
    assert 0 < found[of("finops_snapshot_age_seconds")] < 24 * 3600
    events = lake_table(built, "cost_anomalies").filter(pl.col("status") == "open")
    assert sum(v for (n, _), v in found.items() if n == "finops_open_anomalies") == events.height
    residuals = [v for (n, _), v in found.items() if n == "finops_reconciliation_residual"]
    assert residuals
    assert set(residuals) == {0}
    assert found[of("finops_source_quarantined_months", source="gcp-prod")] == 1
    assert {dict(k)["source"] for n, k in found if n == "finops_source_data_age_days"} == set(built.sources)
    errors = lake_table(built, "forecast_accuracy").filter(pl.col("wape").is_not_null())
    assert sum(n == "finops_forecast_wape" for n, _ in found) == errors.height


def test_before_the_first_publication(tmp_path: Path) -> None:
    with TestClient(create_app(settings_of(tmp_path))) as client:
        assert scraped(client)[of("finops_published")] == 0
