"""A view is saved from the page, is a link on every other page, shows the same figures, and can go again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

from tests.streamlit_app.conftest import metric, run_page
from tests.warehouse_builder import build_warehouse


def test_a_saved_view_shows_what_was_saved(tmp_path: Path, use: Callable[[Path], None]) -> None:
    build_warehouse(tmp_path)
    use(tmp_path)
    app = run_page("explorer", period="All", group=["Provider"], x_filter=["Service"], currency="EUR")
    shown = metric(app, "Total")
    next(t for t in app.text_input if t.label == "Name of the view").set_value("Euro services")
    next(b for b in app.button if b.label == "Save what is shown").click()
    app.run()

    elsewhere = run_page("budgets")
    link = next(link.proto for link in elsewhere.get("page_link") if link.proto.label == "Euro services")
    address = parse_qs(link.query_string)
    assert address["period"] == ["All"]
    assert metric(run_page("explorer", **address), "Total") == shown

    elsewhere.button(key="remove_view_Euro services").click().run()
    assert not [link for link in elsewhere.get("page_link") if link.proto.label == "Euro services"]


def test_a_view_without_a_name_is_asked_for_one(tmp_path: Path, use: Callable[[Path], None]) -> None:
    build_warehouse(tmp_path)
    use(tmp_path)
    app = run_page("bills")
    next(b for b in app.button if b.label == "Save what is shown").click()
    app.run()
    assert [w.value for w in app.warning] == ["Give it a name."]
