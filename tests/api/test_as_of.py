"""`as_of`: the figures of a past day are shown again after the bills were restated."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from finops_api.app import create_app
from finops_assets.cli import app
from finops_assets.settings import current_settings
from finops_assets.warehouse import publish as publishing
from tests.warehouse_builder import build_warehouse

COSTS = "/api/v1/costs?start_date=2026-01-01&end_date=2026-01-31&currency=USD"
READINGS = (
    COSTS,
    "/api/v1/costs/rows?start_date=2026-01-01&end_date=2026-01-31",
    "/api/v1/costs/dimensions?",
    "/api/v1/costs/dimensions/ServiceName?",
    "/api/v1/costs/aws?start_date=2026-01-01&end_date=2026-01-31",
    "/api/v1/forecast?",
    "/api/v1/forecast/months?",
    "/api/v1/forecast/accuracy?",
    "/api/v1/forecast/record?",
    "/api/v1/forecast/said?made_on=2026-03-21",
    "/api/v1/forecast/outlook?",
    "/api/v1/anomalies?",
    "/api/v1/anomalies/spike?",
    "/api/v1/conformance?",
    "/api/v1/conformance/scores?",
    "/api/v1/ingestion?",
    "/api/v1/snapshot?",
)


@dataclass(frozen=True)
class Restated:
    """An API over figures of the 21st that were restated on the 22nd, and what it said before."""

    client: TestClient
    folder: Path
    before: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def restated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restated]:
    folder = tmp_path_factory.mktemp("restated")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "now", lambda: datetime(2026, 3, 21, 7, tzinfo=UTC))
        settings = build_warehouse(folder)
        with TestClient(create_app(settings)) as client:
            before = {path: client.get(path).json() for path in READINGS}
            patch.setattr(publishing, "now", lambda: datetime(2026, 3, 22, 7, tzinfo=UTC))
            build_warehouse(folder, surcharge=Decimal("0.25"))
            yield Restated(client, folder, before)


@pytest.mark.parametrize("path", READINGS)
def test_every_answer_of_yesterday_is_given_again(restated: Restated, path: str) -> None:
    again = restated.client.get(f"{path}&as_of=2026-03-21")
    assert again.status_code == 200
    # Its links lead to that day's rows; all else is as it was, to the last digit, and stamped so.
    assert json.loads(again.text.replace("&as_of=2026-03-21", "")) == restated.before[path]
    now = restated.client.get(path).json()
    assert now["snapshot"] == {"version": 2, "published_at": "2026-03-22T07:00:00Z"}


def test_the_restatement_is_the_difference(restated: Restated) -> None:
    now, then = (restated.client.get(url).json() for url in (COSTS, f"{COSTS}&as_of=2026-03-21"))
    difference = Decimal(now["totals"][0]["cost"]) - Decimal(then["totals"][0]["cost"])
    # Seven lines in dollars a day, for 31 days; only usage lines are surcharged.
    assert difference == 7 * 31 * Decimal("0.25")


def test_pages_of_rows_stay_on_their_day(restated: Restated) -> None:
    found: list[Decimal] = []
    url = f"{READINGS[1]}&currency=USD&limit=200&as_of=2026-03-21"
    while url:
        answer = restated.client.get(url)
        assert answer.json()["snapshot"]["version"] == 1
        found += [Decimal(row["EffectiveCost"] or 0) for row in answer.json()["rows"]]
        url = answer.links["next"]["url"] if "next" in answer.links else ""
    assert sum(found) == Decimal(restated.before[COSTS]["totals"][0]["cost"])


def test_the_link_of_a_past_figure_leads_to_its_rows(restated: Restated) -> None:
    (total,) = restated.client.get(f"{COSTS}&as_of=2026-03-21").json()["totals"]
    (rows,) = restated.client.get(total["rows_url"]).json()["totals"]
    assert rows["cost"] == total["cost"] == restated.before[COSTS]["totals"][0]["cost"]


def test_an_etag_is_that_of_the_publication(restated: Restated) -> None:
    client = restated.client
    then = client.get(f"{COSTS}&as_of=2026-03-21").headers["ETag"]
    now = client.get(COSTS).headers["ETag"]
    assert then != now
    for day, etag, status in (("21", then, 304), ("21", now, 200), ("22", now, 304), ("22", then, 200)):
        url = f"{COSTS}&as_of=2026-03-{day}"
        assert client.get(url, headers={"If-None-Match": etag}).status_code == status


def test_the_future_is_what_is_known_now(restated: Restated) -> None:
    answer = restated.client.get(f"{COSTS}&as_of=2031-01-01").text.replace("&as_of=2031-01-01", "")
    assert json.loads(answer) == restated.client.get(COSTS).json()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("2026-03-20", "expected 2026-03-21 or a later day"),
        ("yesterday", "Found 'yesterday'"),
    ],
)
@pytest.mark.parametrize("path", [COSTS, "/api/v1/forecast/accuracy?", "/api/v1/anomalies/spike?"])
def test_a_day_that_is_not_kept_says_which_are(restated: Restated, path: str, given: str, says: str) -> None:
    answer = restated.client.get(f"{path}&as_of={given}")
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    (fault,) = answer.json()["errors"]
    assert fault["parameter"] == "as_of"
    assert fault["found"] == given
    assert says in fault["says"]


def test_the_snapshot_says_how_far_back_it_goes(restated: Restated) -> None:
    assert restated.client.get("/api/v1/snapshot").json()["known_since"] == "2026-03-21"


def test_the_command_line_asks_the_past_too(restated: Restated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINOPS_PATHS__DATA", str(restated.folder))
    current_settings.cache_clear()
    total = (
        "COPY (SELECT sum(EffectiveCost) FROM daily_costs WHERE BillingCurrency = 'USD' AND "
        f"x_Day BETWEEN '2026-01-01' AND '{date(2026, 1, 31)}') TO '{{}}' (HEADER false)"
    )
    try:
        for day, version in (("2026-03-21", 1), ("2026-03-22", 2)):
            out, rows = (restated.folder / f"{name}-{version}.csv" for name in ("total", "rows"))
            asked = CliRunner().invoke(app, ["sql", total.format(out), "--as-of", day])
            assert asked.exit_code == 0, asked.output
            url = f"{COSTS}&as_of={day}"
            expected = Decimal(restated.client.get(url).json()["totals"][0]["cost"])
            assert Decimal(out.read_text(encoding="utf-8")) == expected
            exported = CliRunner().invoke(app, ["export", "--csv", str(rows), "--as-of", day])
            assert exported.exit_code == 0, exported.output
            with rows.open(encoding="utf-8", newline="") as file:
                january = [
                    Decimal(row["EffectiveCost"] or 0)
                    for row in csv.DictReader(file)
                    if row["BillingCurrency"] == "USD" and row["ChargePeriodStart"].startswith("2026-01")
                ]
            assert sum(january) == expected
        refused = CliRunner().invoke(app, ["sql", "SELECT 1", "--as-of", "2026-03-01"])
        assert refused.exit_code == 1
        assert "expected 2026-03-21 or a later day" in " ".join(refused.output.split())
    finally:
        current_settings.cache_clear()
