"""Pages on a state from before some tables and columns came into being."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.earlier_publication import take_back
from tests.streamlit_app.conftest import run_page
from tests.streamlit_app.test_pages import texts
from tests.warehouse_builder import build_warehouse


def test_the_pages_tell_what_it_knows(tmp_path: Path, use: Callable[[Path], None]) -> None:
    take_back(build_warehouse(tmp_path))
    use(tmp_path)
    said = {
        n: texts(run_page(n)) for n in ("forecast", "forecast_record", "anomalies", "budgets", "overview")
    }
    assert "materialize the asset `cost_forecasts_monthly`" in said["forecast"]
    assert "First seen" in said["anomalies"]
    assert "Its data" not in said["anomalies"]
