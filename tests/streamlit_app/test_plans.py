"""The Forecast page's planned changes: marked in the form, listed in words, withdrawn again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

from streamlit.testing.v1 import AppTest

from finops_assets.decisions.plans import stored_plans
from tests.streamlit_app.conftest import run_page
from tests.streamlit_app.test_pages import texts
from tests.warehouse_builder import build_warehouse


def fill(app: AppTest, **values: str) -> None:
    """Write into the form's fields by their labels, and send it."""
    fields = {f.label: f for f in app.text_input}
    for label, value in values.items():
        fields[label].set_value(value)
    next(b for b in app.button if b.label == "Mark").click().run()
    assert not app.exception


def test_a_change_is_marked_listed_and_withdrawn(tmp_path: Path, use: Callable[[Path], None]) -> None:
    path = build_warehouse(tmp_path).paths.decisions
    use(tmp_path)
    app = run_page("forecast")
    said = texts(app)
    assert "Nothing is marked." in said
    ends = "Savings Plan one ends on 30 Mar 2026: +$120.40 a day from then, -$310.50 a month in fees"
    assert ends in said.replace("\\", "").replace("−", "-")
    assert "plan/three takes its place" in said
    next(s for s in app.selectbox if s.label == "Of").set_value("AWS").run()
    fill(app, **{"USD a day": "1,5"})
    assert "amount: expected an amount in quotes" in texts(app)
    assert stored_plans(path) == []
    app.date_input[0].set_value(date(2026, 12, 3))
    fill(app, **{"USD a day": "120.40", "Why": "Brazil"})
    said = texts(app)
    assert "Launch, AWS: +$120.40 a day from 3 Dec 2026 on" in said.replace("\\", "")
    assert "Brazil" in said
    (known,) = stored_plans(path)
    assert (known.plan.amount, known.plan.provider, known.plan.metric) == (Decimal("120.40"), "AWS", None)
    next(b for b in app.button if b.label == "Withdraw").click().run()
    assert "Nothing is marked." in texts(app)
    assert stored_plans(path) == []
