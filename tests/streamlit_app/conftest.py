"""The pages on a built warehouse, in process; and the rows of that warehouse for a test's own arithmetic."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from finops_assets.settings import current_settings
from tests.warehouse_builder import BUDGETS, SOURCES, build_warehouse, lake_table

APP = Path(__file__).resolve().parents[2] / "streamlit_app" / "app.py"

Open = Callable[..., AppTest]


@dataclass(frozen=True)
class Built:
    """A published warehouse's data folder, and every row of its `costs`, read from the lake's files."""

    folder: Path
    costs: list[dict[str, Any]]

    def total(
        self, first: date, last: date, *, metric: str = "EffectiveCost", currency: str = "USD", **where: Any
    ) -> Decimal:
        """The sum of the rows of these days, both included, added up one by one."""
        return sum((r[metric] or Decimal(0) for r in self.rows(first, last, currency, **where)), Decimal(0))

    def rows(self, first: date, last: date, currency: str = "USD", **where: Any) -> list[dict[str, Any]]:
        return [
            r
            for r in self.costs
            if first <= r["ChargePeriodStart"].date() <= last
            and r["BillingCurrency"] == currency
            and all(r[column] == value for column, value in where.items())
        ]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("dashboard")
    settings = build_warehouse(folder)
    return Built(folder, lake_table(settings, "costs").to_dicts())


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Point the dashboard at a data folder, with nothing remembered of another one."""

    def point(folder: Path) -> None:
        monkeypatch.setenv("FINOPS_PATHS__DATA", str(folder))
        current_settings.cache_clear()

    yield point
    monkeypatch.undo()
    current_settings.cache_clear()
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def open_page(built: Built, use: Callable[[Path], None]) -> Open:
    """Open a page by its name with address parameters, and run it to its end without an exception."""
    use(built.folder)
    return run_page


def run_page(name: str = "overview", **address: str | list[str]) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60)
    for key, value in address.items():
        app.query_params[key.rstrip("_")] = value
    app.switch_page(f"app_pages/{name}.py").run()
    assert not app.exception, app.exception[0].message
    return app


def metric(app: AppTest, label: str) -> str:
    """The value of the card with this label."""
    values = {m.label: m.value for m in app.metric}
    return str(values[label])


GROUPS: dict[str, dict[str, Any]] = {
    "source": {"sources": ["aws-main"]},
    "other sources": {"sources": ["azure-ea", "gcp-prod"]},
    "account": {"accounts": ["444455556666"]},
    "tag": {"tags": {"team": ["shop"]}},
    "everything": {},
}


@pytest.fixture
def locked(
    built: Built, use: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Path:
    """The dashboard over the built warehouse with a provider configured; what people do is kept apart."""
    for name in ("lake", "warehouse"):
        (tmp_path / name).symlink_to(built.folder / name)
    for name, value in {
        "TAG_KEYS": '["team", "env"]',
        "SOURCES": json.dumps({name: {"kind": "files", "path": "bills"} for name in SOURCES}),
        "BUDGETS": json.dumps([b.budget.model_dump(mode="json", by_alias=True) for b in BUDGETS]),
        "ACCESS__OIDC__ISSUER": "https://login.example.com",
        "ACCESS__OIDC__AUDIENCE": "finops",
        "ACCESS__OIDC__CLIENT_ID": "dashboard",
        "ACCESS__OIDC__CLIENT_SECRET": "hunter2-hunter2",
        "ACCESS__OIDC__COOKIE_SECRET": "c00kie" * 6,
        "ACCESS__OIDC__DASHBOARD_URL": "https://finops.example.com",
        "ACCESS__RULES": json.dumps(
            [{"group": f"{role} {name}", "role": role, **scope}
             for role in ("viewer", "analyst") for name, scope in GROUPS.items()]
            + [{"group": "admin", "role": "admin"}]
        ),
    }.items():  # fmt: skip
        monkeypatch.setenv(f"FINOPS_{name}", value)
    use(tmp_path)
    return tmp_path


def open_as(
    page: str, *groups: str, logged_in: bool = True, age: float = 0, address: Mapping[str, str] | None = None
) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=120)
    app.user = {
        "is_logged_in": logged_in,
        "email": "ann@example.com",
        "groups": list(groups),
        "iat": time.time() - age,
    }
    for key, value in (address or {}).items():
        app.query_params[key] = value
    app.switch_page(f"app_pages/{page}.py").run()
    assert not app.exception, (page, app.exception[0].message)
    return app
