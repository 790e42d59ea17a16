"""The pages on a built warehouse, in process; and the rows of that warehouse for a test's own arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from finops_assets.settings import current_settings
from tests.warehouse_builder import build_warehouse, lake_table

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
