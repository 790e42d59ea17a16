"""From a figure one step deeper: the address shows the same money, by the next column."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from finops_assets.queries.costs import Filter
from finops_assets.queries.dimensions import DIMENSIONS
from streamlit_app.deeper import LADDER, explorer_address, next_column
from streamlit_app.format import money
from streamlit_app.links import Figure
from tests.streamlit_app.conftest import Built, Open, metric
from tests.streamlit_app.test_pages import texts

JANUARY, FEBRUARY = date(2026, 1, 5), date(2026, 2, 20)
FIGURE = Figure(JANUARY, FEBRUARY, "EffectiveCost", "USD")


def test_the_ladder_is_climbed_down_rung_by_rung() -> None:
    figure, path = FIGURE, []
    while (column := next_column(figure)) is not None:
        path.append(column)
        figure = figure.narrowed(Filter(column, ("x",)))
    assert tuple(path) == LADDER
    assert next_column(FIGURE.narrowed(Filter("ServiceProviderName", ("a", "b")))) == "ServiceProviderName"
    assert next_column(FIGURE.narrowed(Filter("ServiceProviderName", ("a",), exclude=True))) == LADDER[0]


@pytest.mark.parametrize(
    ("filters", "where"),
    [
        ((), {}),
        ((Filter("ServiceProviderName", ("AWS",)),), {"ServiceProviderName": "AWS"}),
        (
            (Filter("ServiceProviderName", ("AWS", "Google Cloud")), Filter("ServiceProviderName", ("AWS",))),
            {"ServiceProviderName": "AWS"},
        ),
    ],
)
def test_the_address_shows_the_same_money(
    open_page: Open, built: Built, filters: tuple[Filter, ...], where: dict[str, str]
) -> None:
    address = explorer_address(FIGURE.narrowed(*filters), "SubAccountName", DIMENSIONS)
    assert address is not None
    app = open_page("explorer", **address)
    last = date(2026, 2, 19)
    assert metric(app, "Total") == money(built.total(JANUARY, last, **where), "USD")
    shown = app.dataframe[0].value
    own = built.rows(JANUARY, last, **where)
    assert set(shown["SubAccountName"]) == {r["SubAccountName"] or "(none)" for r in own}


def test_what_the_explorer_cannot_say_has_no_address() -> None:
    both = (Filter("ServiceName", ("a",)), Filter("ServiceName", ("b",), exclude=True))
    assert explorer_address(FIGURE.narrowed(*both), "SubAccountName", DIMENSIONS) is None
    contains = Filter("ServiceName", ("a",), contains=True)
    assert explorer_address(FIGURE.narrowed(contains), "SubAccountName", DIMENSIONS) is None
    assert explorer_address(FIGURE.narrowed(Filter("ResourceId", ("a",))), "ServiceName", DIMENSIONS) is None


def test_the_rows_of_one_resource(open_page: Open, built: Built) -> None:
    resource = next(r["ResourceId"] for r in built.costs if r["ResourceId"] and r["BillingCurrency"] == "USD")
    app = open_page("rows", from_="2026-01-01", to="2026-04-01", where=[f"0:ResourceId:{resource}"])
    rows = [r for r in built.costs if r["ResourceId"] == resource]
    total = sum((r["EffectiveCost"] or Decimal(0) for r in rows), Decimal(0))
    said = texts(app)
    assert f"{len(rows):,} bill row" in said
    assert f"{total:,f}".rstrip("0") in said
