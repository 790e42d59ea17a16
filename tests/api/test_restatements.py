"""A month restated end to end: yesterday by `as_of` to the cent, and what changed, by service and account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from finops_api.app import create_app
from finops_assets.cli import app
from tests.deliveries import CHANGES, FIRST, RESTATED, deliveries

COSTS = "/api/v1/costs?start_date=2026-01-01&end_date=2026-01-31&group_by=ServiceName&group_by=SubAccountId"
URL = "/api/v1/restatements"


@dataclass(frozen=True)
class Restated:
    """January of FIRST, published on 4 March, and of RESTATED, a day later; and what was said before."""

    client: TestClient
    before: dict[str, Any]


@pytest.fixture(scope="module")
def restated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restated]:
    with deliveries(tmp_path_factory.mktemp("restated")) as shop:
        shop.deliver(FIRST, datetime(2026, 2, 3, tzinfo=UTC))
        shop.publish(datetime(2026, 3, 4, 7, tzinfo=UTC))
        with TestClient(create_app(shop.settings)) as client:
            before = client.get(COSTS).json()
            shop.deliver(RESTATED, datetime(2026, 3, 5, tzinfo=UTC))
            shop.publish(datetime(2026, 3, 5, 7, tzinfo=UTC))
            yield Restated(client, before)


def totals(answer: dict[str, Any]) -> dict[str, Decimal]:
    return {t["currency"]: Decimal(t["cost"]) for t in answer["totals"]}


def test_yesterdays_figures_are_shown_again_to_the_cent(restated: Restated) -> None:
    assert totals(restated.before) == {"USD": Decimal("165.35"), "EUR": Decimal(3)}
    now, then = (restated.client.get(f"{COSTS}{asked}").json() for asked in ("", "&as_of=2026-03-04"))
    assert totals(now) == {"USD": Decimal("175.26"), "EUR": Decimal(3)}
    assert totals(then) == totals(restated.before)


def test_the_report_says_what_changed_by_service_and_account(restated: Restated) -> None:
    (found,) = restated.client.get(f"{URL}?source=shop&month=2026-01").json()["restatements"]
    assert (found["source"], found["month"], found["was_closed"]) == ("shop", "2026-01", True)
    changes = {
        (c["service"], c["account_id"], *(Decimal(c[f"billed_{w}"]) for w in ("before", "after", "change")))
        for c in found["changes"]
    }
    assert changes == {(s, a, Decimal(x), Decimal(y), Decimal(by)) for s, a, x, y, by in CHANGES}
    assert [c["service"] for c in found["changes"]] == ["Machines", "Storage", "Machines"]
    assert all(c["uncorrected"] for c in found["changes"])
    (total,) = found["totals"]
    assert (total["currency"], total["changed"], total["uncorrected"]) == ("USD", 3, 3)
    # The report's change is that of the costs themselves.
    assert Decimal(total["billed_change"]) == Decimal("175.26") - Decimal("165.35") == Decimal("9.91")
    assert total["uncorrected_billed"] == "9.91"
    known = restated.client.get("/api/v1/ingestion").json()["deliveries"]
    by_status = {d["status"]: d for d in known}
    for side, status in (("before", "superseded"), ("after", "accepted")):
        assert found[side]["bills"] == [by_status[status]["bill_id"]]
        assert found[side]["exported_at"] == by_status[status]["exported_at"]
        assert found[side]["ingested_at"] == by_status[status]["ingested_at"]


def test_what_it_became_leads_to_its_rows(restated: Restated) -> None:
    (found,) = restated.client.get(URL).json()["restatements"]
    led = 0
    for change in found["changes"]:
        if change["service"] == "Storage":  # gone: there is no row to show
            assert change["rows_url"] is None
            continue
        rows = restated.client.get(change["rows_url"]).json()["rows"]
        assert len(rows) == change["rows_after"]
        assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal(change["billed_after"])
        led += 1
    assert led == 2


@pytest.mark.parametrize("asked", ["?month=2026-02", "?source=other", "?as_of=2026-03-04"])
def test_nothing_is_told_of_another_month_source_or_of_the_day_before(restated: Restated, asked: str) -> None:
    answer = restated.client.get(URL + asked)
    assert (answer.status_code, answer.json()["restatements"]) == (200, [])


def test_a_month_that_is_none_is_refused(restated: Restated) -> None:
    answer = restated.client.get(f"{URL}?month=January")
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "month")


def test_the_command_line_tells_the_same(restated: Restated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finops_assets.cli.console.width", 220)
    told = CliRunner().invoke(app, ["restatements", "--month", "2026-01"])
    assert told.exit_code == 0, told.output
    assert "+9.91 USD" in told.output
    assert "3: +9.91 USD" in told.output
    earlier = CliRunner().invoke(app, ["restatements", "--as-of", "2026-03-04"])
    assert "No delivery changed a month" in earlier.output
