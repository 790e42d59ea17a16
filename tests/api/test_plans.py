"""Planned changes by the API: marked, listed and withdrawn; what cannot be is refused with what could."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from finops_api.app import create_app
from finops_assets.plan_settings import PlannedChange
from finops_assets.settings import Settings

BODY: dict[str, Any] = {
    "kind": "launch",
    "from": "2026-04-01",
    "amount": "120.40",
    "currency": "USD",
    "provider": "AWS",
    "note": "The shop opens in Brazil",
    "author": "ann",
}
OF_FILE = PlannedChange.model_validate({"kind": "end", "from": "2026-05-01", "provider": "Microsoft"})


@pytest.fixture
def own(built: Settings, tmp_path: Path) -> Iterator[TestClient]:
    """The shared warehouse's app with a store of decisions of its own."""
    paths = built.paths.model_copy(update={"data": tmp_path})
    app = create_app(built.model_copy(update={"planned_changes": (OF_FILE,)}))
    app.state.settings = app.state.settings.model_copy(update={"paths": paths})
    with TestClient(app) as client:
        yield client


def test_a_change_is_marked_listed_and_withdrawn(own: TestClient) -> None:
    made = own.post("/api/v1/planned-changes", json=BODY)
    assert made.status_code == 201
    assert made.json() == {
        "id": made.json()["id"],
        **{k: v for k, v in BODY.items() if k != "author"},
        **dict.fromkeys(("until", "percent", "metric", "billing_account", "sub_account", "service")),
        "author": "ann",
        "origin": "api",
        "said_at": made.json()["said_at"],
        "in_forecast": False,
    }
    of_file, listed = own.get("/api/v1/planned-changes").json()["planned_changes"]
    assert listed == made.json()
    assert (of_file["id"], of_file["origin"], of_file["said_at"]) == ("finops-toml-1", "finops.toml", None)
    address = f"/api/v1/planned-changes/{listed['id']}"
    assert own.delete(address).status_code == 204
    gone = own.delete(address)
    assert (gone.status_code, gone.json()["type"]) == (404, "not-found")
    kept = own.delete("/api/v1/planned-changes/finops-toml-1")
    assert (kept.status_code, kept.json()["type"]) == (409, "plan-in-file")
    assert len(own.get("/api/v1/planned-changes").json()["planned_changes"]) == 1


@pytest.mark.parametrize(
    ("change", "parameter", "says"),
    [
        ({"kind": "sale"}, "kind", "'launch', 'change', 'end', 'one_off' or 'credit_end'"),
        ({"amount": 120.4}, "amount", "in quotes"),
        ({"provider": "Aws"}, "provider", "Allowed: AWS, "),
        ({"service": "Virtual Machines"}, "service", "Allowed: "),
        ({"from": "April"}, "from", "date"),
        ({"percent": "5"}, "body", "found amount and percent"),
        ({"days": 3}, "days", "no such field"),
    ],
)
def test_what_is_no_change_is_refused(
    own: TestClient, change: dict[str, Any], parameter: str, says: str
) -> None:
    found = own.post("/api/v1/planned-changes", json={**BODY, **change})
    assert (found.status_code, found.headers["Content-Type"]) == (422, "application/problem+json")
    assert [e["parameter"] for e in found.json()["errors"]] == [parameter]
    assert says in found.json()["detail"]


def test_commitments_that_end_say_what_costs_change_by(own: TestClient) -> None:
    found = own.get("/api/v1/forecast/commitments?provider=aws")
    assert found.headers["ETag"]
    one, two = found.json()["commitments"]
    assert one == {
        "id": "plan/one",
        "type": "Savings Plan",
        "description": None,
        "provider": "AWS",
        "currency": "USD",
        "first_day": "2026-03-31",
        "renewed_by": None,
        "a_day": "120.4",
        "fees_a_month": "-310.5",
    }
    assert (two["id"], two["renewed_by"], two["a_day"]) == ("plan/two", "plan/three", "50")
    billed = own.get("/api/v1/forecast/commitments?metric=BilledCost&currency=USD").json()["commitments"]
    assert [(c["id"], c["a_day"]) for c in billed] == [("plan/one", "7")]
    assert own.get("/api/v1/forecast/commitments?provider=gcp").json()["commitments"] == []
