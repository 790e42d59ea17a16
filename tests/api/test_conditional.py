"""Snapshots: the same state is not sent twice, a new one is seen at once."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from fastapi.testclient import TestClient

from finops_api.app import create_app
from tests.warehouse_builder import build_warehouse, settings_of

URL = "/api/v1/costs?start_date=2026-01-01&end_date=2026-01-31&currency=USD"


def test_the_same_state_is_answered_with_304(client: TestClient) -> None:
    first = client.get(URL)
    etag = first.headers["ETag"]
    for given in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = client.get(URL, headers={"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    assert client.get(URL, headers={"If-None-Match": '"other"'}).status_code == 200
    assert first.headers["Cache-Control"] == "private, no-cache"
    published = datetime.fromisoformat(first.json()["snapshot"]["published_at"])
    assert published < datetime.now(UTC)


def test_a_publication_between_two_requests_gives_the_new_figures(tmp_path: Path) -> None:
    settings = build_warehouse(tmp_path)
    rows = "/api/v1/costs/rows?filter=x_Source = azure-ea&limit=50"
    with TestClient(create_app(settings)) as client:
        before, page = client.get(URL), client.get(rows)
        build_warehouse(tmp_path, surcharge=Decimal("0.25"))
        after = client.get(URL, headers={"If-None-Match": before.headers["ETag"]})
        assert after.status_code == 200
        assert (before.json()["snapshot"]["version"], after.json()["snapshot"]["version"]) == (1, 2)
        old, new = (Decimal(r.json()["totals"][0]["cost"]) for r in (before, after))
        # Seven lines in dollars a day, for 31 days; only usage lines are surcharged.
        assert new - old == 7 * 31 * Decimal("0.25")
        following = client.get(page.links["next"]["url"])
        assert following.status_code == 200
        assert following.json()["snapshot"]["version"] == 2


def test_before_the_first_publication_everything_says_what_to_do(tmp_path: Path) -> None:
    with TestClient(create_app(settings_of(tmp_path))) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        for path in ("/readyz", URL, "/api/v1/forecast", "/api/v1/snapshot"):
            found = client.get(path)
            assert found.status_code == 503
            assert found.headers["Content-Type"] == "application/problem+json"
            assert "finops run" in found.json()["detail"]
            assert found.headers["Retry-After"] == "30"
        build_warehouse(tmp_path)
        assert client.get("/readyz").json() == {"status": "ok", "snapshot_version": 1}
