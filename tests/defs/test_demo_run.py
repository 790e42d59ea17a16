"""The demo through the whole graph: one total, from the providers' files to the API's answer and the page."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from fastapi.testclient import TestClient

from finops_api.app import create_app
from finops_assets.settings import load_settings
from tests.platform_process import Platform
from tests.streamlit_app.browser import browser_page, card, dashboard, open_page

Totals = dict[tuple[str, str], Decimal]
"""(provider folder, currency) → BilledCost."""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    platform = Platform(tmp_path_factory.mktemp("demo"))
    platform.configure("")
    for command in (["demo", "--rows", "20_000", "--months", "3"], ["run", "--no-serve"]):
        done = platform.finops(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    return platform


def aws(root: Path) -> Totals:
    """Doubles by their shortest text, which is what the provider wrote."""
    total: Totals = {}
    for file in root.rglob("*.parquet"):
        frame = pl.read_parquet(file, columns=["line_item_currency_code", "line_item_unblended_cost"])
        for currency, amount in frame.iter_rows():
            key = ("aws", currency)
            total[key] = total.get(key, Decimal()) + Decimal(repr(amount))
    return total


def azure(root: Path) -> Totals:
    """The actual exports; of a month that was delivered twice, the run that was submitted last."""
    total: Totals = {}
    for period in sorted((root / "actual").iterdir()):
        runs = sorted(
            period.glob("*/manifest.json"),
            key=lambda m: json.loads(m.read_text(encoding="utf-8"))["runInfo"]["submittedTime"],
        )
        for file in runs[-1].parent.glob("*.csv"):
            frame = pl.read_csv(file, infer_schema=False)
            for currency, amount in frame.select(
                ["BillingCurrencyCode", "CostInBillingCurrency"]
            ).iter_rows():
                key = ("azure", currency)
                total[key] = total.get(key, Decimal()) + Decimal(amount)
    return total


def gcp(root: Path) -> Totals:
    """Cost and its credits."""
    total: Totals = {}
    for file in root.rglob("*.parquet"):
        frame = pl.read_parquet(file, columns=["currency", "cost", "credits"])
        for currency, cost, credits in frame.iter_rows():
            amounts = [cost, *(c["amount"] for c in credits or [])]
            key = ("gcp", currency)
            total[key] = total.get(key, Decimal()) + sum((Decimal(repr(a)) for a in amounts), Decimal())
    return total


@pytest.fixture(scope="module")
def delivered(platform: Platform) -> Totals:
    root = platform.root / "var" / "demo"
    return aws(root / "aws") | azure(root / "azure") | gcp(root / "gcp")


def test_bills_costs_and_cube_are_what_was_delivered(platform: Platform, delivered: Totals) -> None:
    for table in ("costs", "daily_costs"):
        rows = platform.query(f"SELECT x_Source, BillingCurrency, sum(BilledCost) FROM {table} GROUP BY ALL")
        assert {(s.removeprefix("demo-"), c): amount for s, c, amount in rows} == delivered
    stated = platform.query(
        "SELECT x_Source, t->>'currency', sum((t->>'amount')::DECIMAL(38,18)) FROM bills, "
        "unnest(control_totals::JSON::JSON[]) AS u(t) "
        "WHERE status = 'accepted' AND t->>'metric' = 'BilledCost' GROUP BY ALL"
    )
    assert {(s.removeprefix("demo-"), c): amount for s, c, amount in stated} == delivered


def test_everything_reconciles_and_nothing_is_held(platform: Platform) -> None:
    assert platform.query("SELECT count(*) FROM quality WHERE NOT passed") == [(0,)]
    assert platform.query("SELECT DISTINCT status FROM bills ORDER BY 1") == [("accepted",), ("superseded",)]


def by_currency(delivered: Totals) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for (_, currency), amount in delivered.items():
        total[currency] = total.get(currency, Decimal()) + amount
    return total


def test_the_api_answers_the_same(
    platform: Platform, delivered: Totals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINOPS_CONFIG", str(platform.root / "finops.toml"))
    ((first, last),) = platform.query("SELECT min(x_Day)::VARCHAR, max(x_Day)::VARCHAR FROM daily_costs")
    period = {"start_date": first, "end_date": last, "metric": "BilledCost"}
    with TestClient(create_app(load_settings())) as client:
        answer = client.get("/api/v1/costs", params=period).json()
    assert {t["currency"]: Decimal(t["cost"]) for t in answer["totals"]} == by_currency(delivered)


def test_the_page_shows_the_same(platform: Platform, delivered: Totals, chromium: None) -> None:
    view = "period=All&metric=Billed+cost&currency"
    with dashboard(platform.root / "var") as address, browser_page() as page:
        for currency, sign in (("USD", "$"), ("EUR", "€")):
            open_page(page, f"{address}/explorer?{view}={currency}")
            assert card(page, "Total") == f"{sign}{by_currency(delivered)[currency]:,.2f}"
