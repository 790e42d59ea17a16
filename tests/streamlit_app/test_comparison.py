"""The explorer beside another period: each line's cost then and the change, added up from the rows."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest

from streamlit_app.format import money
from tests.streamlit_app.conftest import Built, Open, metric
from tests.streamlit_app.test_pages import texts

FEBRUARY = {"period": "Custom", "days": ["2026-02-01", "2026-02-28"]}


@pytest.mark.parametrize(
    ("address", "first", "last"),
    [
        ({}, date(2026, 1, 1), date(2026, 1, 31)),
        ({"compare": "Year before"}, date(2025, 2, 1), date(2025, 2, 28)),
        (
            {"compare": "Other days", "compared_days": ["2026-01-03", "2026-01-09"]},
            date(2026, 1, 3),
            date(2026, 1, 9),
        ),
    ],
)
def test_each_line_stands_beside_the_other_days(
    open_page: Open, built: Built, address: dict[str, str | list[str]], first: date, last: date
) -> None:
    app = open_page("explorer", group=["Service"], **FEBRUARY, **address)
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for place, (start, end) in enumerate([(date(2026, 2, 1), date(2026, 2, 28)), (first, last)]):
        for row in built.rows(start, end):
            sums[row["ServiceName"]][place] += row["EffectiveCost"]
    shown = app.dataframe[0].value
    found = zip(shown["ServiceName"], shown["EffectiveCost"], shown["before"], shown["change"], strict=True)
    assert {name: (now, then, change) for name, now, then, change in found} == {
        name: (now, then, now - then) for name, (now, then) in sums.items()
    }
    assert metric(app, "Total") == money(sum((now for now, _ in sums.values()), Decimal(0)), "USD")


def test_nothing_is_compared_when_nothing_is_asked(open_page: Open) -> None:
    app = open_page("explorer", group=["Service"], compare="Nothing", **FEBRUARY)
    assert "before" not in app.dataframe[0].value
    assert "vs." not in texts(app)
