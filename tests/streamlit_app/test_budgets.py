"""The page of budgets: its figures are those of the rows, and its form sets one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from finops_assets.decisions.budgets import stored_budgets
from streamlit_app.format import compact
from tests.streamlit_app.conftest import Built, Open, metric, run_page
from tests.streamlit_app.test_pages import texts
from tests.warehouse_builder import build_warehouse, lake_table, settings_of

MARCH, SEEN = date(2026, 3, 1), date(2026, 3, 19)


def fill(app: AppTest, **values: str) -> None:
    """Write into the form's fields by their labels, and send it."""
    fields = {f.label: f for f in (*app.text_input, *app.selectbox)}
    for label, value in values.items():
        fields[label].set_value(value)
    next(b for b in app.button if b.label == "Set").click().run()
    assert not app.exception


def test_what_was_spent_is_the_sum_of_the_rows(open_page: Open, built: Built) -> None:
    app = open_page("budgets", budget="All in dollars")
    spent = built.total(MARCH, SEEN)
    assert metric(app, "Spent") == compact(spent, "USD")
    assert metric(app, "Left") == compact(Decimal("10963.10") - spent, "USD")
    status = status_of(built, "All in dollars")
    assert metric(app, "Expected at its end") == compact(status["expected"], "USD")
    said = texts(app)
    assert f"Over by 31 Mar 2026; {status['crossing_probability']:.0%} likely to end over." in said
    assert "Will be crossed" in said
    assert "Over since 4 Jan 2026" in said
    assert "<1% likely to end over" in said
    past = app.dataframe[0].value
    assert list(past["first_day"]) == [date(2026, 2, 1), date(2026, 1, 1)]
    assert list(past["outcome"]) == ["Crossed", "Kept"]
    assert past["actual"][0] == built.total(date(2026, 2, 1), date(2026, 2, 28))


def status_of(built: Built, name: str) -> dict[str, Any]:
    rows = lake_table(settings_of(built.folder), "budget_status").to_dicts()
    return next(r for r in rows if r["budget"] == name and r["is_current"])


def test_without_budgets_the_page_says_how_to_make_one_and_makes_it(
    tmp_path: Path, use: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.warehouse_builder.BUDGETS", ())
    path = build_warehouse(tmp_path).paths.decisions
    use(tmp_path)
    app = run_page("budgets")
    assert "`[[budgets]]` in finops.toml" in texts(app)
    fill(app, Name="Data platform", Amount="12,000")
    assert "amount: expected an amount in quotes" in texts(app)
    assert stored_budgets(path) == []
    next(s for s in app.selectbox if s.label == "Of").set_value("AWS").run()
    fill(app, Name="Data platform", Amount="12000.50", From="2026-01")
    assert "**Data platform** ($12,000.50 a month): held against costs" in texts(app)
    found = next(b for b in stored_budgets(path) if b.name == "Data platform")
    assert (found.amount, found.provider, found.first_month) == (Decimal("12000.50"), "AWS", "2026-01")


def test_a_budget_is_set_of_a_tag_and_of_a_service_in_an_account(
    tmp_path: Path, use: Callable[[Path], None]
) -> None:
    path = build_warehouse(tmp_path).paths.decisions
    use(tmp_path)
    app = run_page("budgets")

    def choose(label: str, value: str) -> None:
        next(s for s in app.selectbox if s.label == label).set_value(value).run()

    choose("Of", "A tag")
    value = next(s for s in app.selectbox if s.label == "Value").options[0]
    fill(app, Name="Team", Amount="10")
    choose("Of", "AWS")
    next(c for c in app.segmented_control if c.label == "Which part").set_value("Service of an account").run()
    fill(app, Name="One service", Amount="20")
    service, team = stored_budgets(path)
    assert (team.tag_key, team.tag_value, team.level) == ("team", value, "tag")
    assert (service.level, service.provider) == ("account_service", "AWS")
    assert None not in (service.billing_account, service.sub_account, service.service)
