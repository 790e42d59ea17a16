"""A month restated end to end, on the pages: the explorer of the day before, the report on the page Bills."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import streamlit as st

from tests.deliveries import FIRST, RESTATED, deliveries
from tests.streamlit_app.conftest import metric, run_page


@pytest.fixture
def _restated(tmp_path: Path) -> Iterator[None]:
    with deliveries(tmp_path) as shop:
        shop.deliver(FIRST, datetime(2026, 2, 3, tzinfo=UTC))
        shop.publish(datetime(2026, 3, 4, 7, tzinfo=UTC))
        shop.deliver(RESTATED, datetime(2026, 3, 5, tzinfo=UTC))
        shop.publish(datetime(2026, 3, 5, 7, tzinfo=UTC))
        yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.mark.usefixtures("_restated")
def test_the_explorer_and_the_report_of_a_restated_month() -> None:
    view = {"period": "All", "metric": "Billed cost", "currency": "USD"}
    assert metric(run_page("explorer", **view), "Total") == "$175.26"
    assert metric(run_page("explorer", **view, as_of="2026-03-04"), "Total") == "$165.35"
    bills = run_page("bills")
    (fault,) = [e for e in bills.error if e.proto.title == "1 closed month changed without a correction"]
    assert fault.value.replace("\\", "").endswith("shop 2026-01 +$9.91")
    listed = next(d.value for d in bills.dataframe if "judged" in d.value.columns)
    assert [*listed["judged"][0]] == ["Uncorrected"]
    assert str(listed["billed_change"][0]).rstrip("0") == "9.91"
    assert "Restatements" not in [s.value for s in run_page("bills", as_of="2026-03-04").subheader]
