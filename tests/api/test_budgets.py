"""Budgets by the API: figures against the bill's rows, and setting, changing and removing one."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from finops_api.app import create_app
from finops_assets.settings import Settings
from tests.api.locked import bearer, locked_client, locked_settings
from tests.tenants import TENANTS
from tests.warehouse_builder import build_warehouse

BODY: dict[str, Any] = {"amount": "1000.10", "currency": "USD", "period": "month", "author": "ann"}


@pytest.fixture
def own(built: Settings, tmp_path: Path) -> Iterator[TestClient]:
    """The shared warehouse's app with a store of decisions of its own."""
    settings = built.model_copy(update={"paths": built.paths.model_copy(update={"data": tmp_path})})
    with TestClient(create_app(settings)) as client:
        yield client


def test_what_was_spent_is_the_sum_of_the_rows(client: TestClient) -> None:
    found = client.get("/api/v1/budgets?past=true")
    assert found.headers["ETag"]
    rows = found.json()["budgets"]
    assert [r["budget"] for r in rows if r["is_current"]] == ["AWS year", "All in dollars", "Fabric"]
    assert len(rows) == 7
    for row in rows:
        page = client.get(row["rows_url"]).json()
        totals = {t["currency"]: Decimal(t["cost"]) for t in page["totals"]}
        assert totals == {row["currency"]: Decimal(row["actual"])}
    fabric = rows[2]
    assert (fabric["provider"], fabric["service"], fabric["metric"]) == (
        "Microsoft",
        "Microsoft Fabric",
        "BilledCost",
    )
    assert (fabric["state"], fabric["origin"], fabric["amount"]) == ("on_track", "api", "1000000")
    assert len(client.get("/api/v1/budgets").json()["budgets"]) == 3


def test_the_burn_down_goes_from_what_was_spent_to_what_is_expected(client: TestClient) -> None:
    row = client.get("/api/v1/budgets").json()["budgets"][1]
    found = client.get(f"/api/v1/budgets/{row['budget']}/days").json()
    days = found["days"]
    assert (found["first_day"], len(days)) == ("2026-03-01", 31)
    meeting = days[18]
    assert meeting["day"] == row["data_until"] == "2026-03-19"
    assert meeting["actual"] == meeting["expected"] == row["actual"]
    assert days[-1] == {
        "day": "2026-03-31",
        "actual": None,
        **{k: row[k] for k in ("expected", "lo_80", "hi_80")},
    }
    ended = client.get(f"/api/v1/budgets/{row['budget']}/days?first_day=2026-02-01").json()["days"]
    assert (len(ended), ended[-1]["expected"]) == (28, None)
    for path in ("Nothing/days", f"{row['budget']}/days?first_day=2026-02-02"):
        missing = client.get(f"/api/v1/budgets/{path}")
        assert (missing.status_code, missing.json()["type"]) == (404, "not-found")


def test_a_budget_is_set_changed_and_removed(own: TestClient) -> None:
    made = own.put("/api/v1/budgets/Data platform", json={**BODY, "provider": "AWS", "from": "2026-02"})
    assert made.status_code == 201
    assert made.json() == {
        "name": "Data platform",
        "amount": "1000.10",
        "currency": "USD",
        "period": "month",
        "from": "2026-02",
        "metric": "EffectiveCost",
        "provider": "AWS",
        "billing_account": None,
        "sub_account": None,
        "service": None,
        "region": None,
        "tag_key": None,
        "tag_value": None,
        "origin": "api",
    }
    assert own.get("/api/v1/budgets/Data platform").json() == made.json()
    changed = own.put("/api/v1/budgets/Data platform", json=BODY)
    assert (changed.status_code, changed.json()["provider"]) == (200, None)
    assert own.delete("/api/v1/budgets/Data platform").status_code == 204
    for found in (own.delete("/api/v1/budgets/Data platform"), own.get("/api/v1/budgets/Data platform")):
        assert (found.status_code, found.json()["type"]) == (404, "not-found")


@pytest.mark.parametrize(
    ("change", "status"),
    [({}, 200), ({"amount": Decimal(7)}, 404), ({"currency": "EUR"}, 404), ({"provider": "Microsoft"}, 404)],
)
def test_who_sees_a_part_sees_no_budget_that_moved_since(
    built: Settings, tmp_path: Path, change: dict[str, Any], status: int
) -> None:
    settings = locked_settings(built, tmp_path)
    year = next(b for b in settings.budgets if b.name == "AWS year")
    settings = settings.model_copy(update={"budgets": (year.model_copy(update=change),)})
    part = bearer(settings, "aws", scope=TENANTS["source"][0])
    with locked_client(settings) as client:
        found = client.get("/api/v1/budgets/AWS year", headers=part)
        whole = client.get("/api/v1/budgets/AWS year", headers=bearer(settings, "all"))
    assert (found.status_code, whole.status_code) == (status, 200)


def test_the_file_alone_changes_its_own_budgets(own: TestClient) -> None:
    assert own.get("/api/v1/budgets/AWS year").json()["origin"] == "finops.toml"
    for found in (own.put("/api/v1/budgets/AWS year", json=BODY), own.delete("/api/v1/budgets/AWS year")):
        assert (found.status_code, found.json()["type"]) == (409, "budget-in-file")
        assert "'AWS year' is set in finops.toml: change it there" in found.json()["detail"]


@pytest.mark.parametrize(
    ("name", "change", "parameter", "says"),
    [
        ("a", {"amount": 1000.1}, "amount", "in quotes"),
        ("a", {"amount": "0"}, "amount", "above zero"),
        ("a", {"currency": "DOL"}, "currency", "ISO 4217"),
        ("a", {"period": "week"}, "period", "'month' or 'year'"),
        ("a", {"from": "2026-13"}, "from", "2026-13"),
        ("a", {"sub_account": "1"}, "body", "provider with sub_account"),
        ("a", {"tag_key": "team"}, "body", "tag_key with tag_value"),
        ("a", {"tag_key": "colour", "tag_value": "red"}, "tag_key", "Allowed: team"),
        ("a", {"budget": "x"}, "budget", "no such field"),
        ("-a", {}, "name", "pattern"),
    ],
)
def test_what_is_no_budget_is_refused(
    own: TestClient, name: str, change: dict[str, Any], parameter: str, says: str
) -> None:
    found = own.put(f"/api/v1/budgets/{name}", json={**BODY, **change})
    assert (found.status_code, found.headers["Content-Type"]) == (422, "application/problem+json")
    assert [e["parameter"] for e in found.json()["errors"]] == [parameter]
    assert says in found.json()["detail"]


def test_a_state_from_before_there_were_budgets_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.warehouse_builder.BUDGET_TABLES", ())
    with TestClient(create_app(build_warehouse(tmp_path))) as client:
        assert client.get("/api/v1/budgets").json()["budgets"] == []
        assert client.get("/api/v1/budgets/AWS year/days").status_code == 404
