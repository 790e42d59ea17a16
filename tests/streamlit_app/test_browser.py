"""The real server and the real Chromium: a figure read off the page equals one added up from the rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from finops_assets.warehouse import publish as publishing
from tests.streamlit_app.browser import PHONE, browser_page, card, dashboard, open_page, settle
from tests.streamlit_app.conftest import Built
from tests.warehouse_builder import LAST_DAY, build_warehouse

JANUARY = date(2026, 1, 1)


pytestmark = pytest.mark.usefixtures("chromium")


@pytest.fixture(scope="module")
def address(built: Built) -> Iterator[str]:
    with dashboard(built.folder) as served:
        yield served


def test_a_figure_on_the_page_is_the_sum_of_the_rows(address: str, built: Built) -> None:
    expected = built.total(JANUARY, LAST_DAY, metric="BilledCost", ServiceProviderName="Google Cloud")
    with browser_page() as page:
        # The link alone makes the view: nothing is clicked.
        open_page(page, f"{address}/gcp?period=All&metric=Billed+cost&currency=USD")
        shown = card(page, "Total")
        assert shown == f"${expected:,.2f}"
        # From the figure to its rows, and their sum to the last digit.
        page.get_by_role("link", name="Bill rows behind the total").click()
        page.get_by_role("heading", name="Bill rows").wait_for()
        settle(page)
        said = page.get_by_text("add up to").first.inner_text()
        found = re.search(r"\$([\d,.]+\d)", said)
        assert found is not None, said
        assert Decimal(found.group(1).replace(",", "")) == expected
        assert "exactly the figure above" in page.get_by_test_id("stMain").inner_text()


def test_a_choice_becomes_part_of_the_address_and_the_address_makes_the_choice(
    address: str, built: Built
) -> None:
    with browser_page() as page:
        open_page(page, f"{address}/explorer")
        page.get_by_role("radio", name="All", exact=True).click()
        page.wait_for_url(re.compile("period=All"))
        settle(page)
        shown = card(page, "Total")
        link = page.url
    assert shown == f"${built.total(JANUARY, LAST_DAY):,.2f}"
    with browser_page(PHONE) as elsewhere:
        open_page(elsewhere, link)
        assert card(elsewhere, "Total") == shown


def test_a_past_day_stays_chosen_from_page_to_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for day, surcharge in ((21, Decimal(0)), (22, Decimal("0.25"))):
        published_at = datetime(2026, 3, day, 7, tzinfo=UTC)
        monkeypatch.setattr(publishing, "now", lambda at=published_at: at)
        build_warehouse(tmp_path, surcharge=surcharge)
    with dashboard(tmp_path) as address, browser_page() as page:
        open_page(page, f"{address}/explorer?period=All")
        today = card(page, "Total")
        open_page(page, f"{address}/explorer?period=All&as_of=2026-03-21")
        then = card(page, "Total")
        assert then != today
        page.get_by_role("link", name="Bill rows behind the total").click()
        page.get_by_role("heading", name="Bill rows").wait_for()
        settle(page)
        assert "as_of=2026-03-21" in page.url
        assert card(page, "Effective cost") == then
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Cost explorer").click()
        page.get_by_role("heading", name="Cost explorer").wait_for()
        settle(page)
        assert "as_of=2026-03-21" in page.url
        page.get_by_role("button", name="Back to today").click()
        page.get_by_text("As known on 21 Mar 2026").wait_for(state="detached")
        assert "as_of" not in page.url
