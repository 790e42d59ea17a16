"""The address of the bill rows behind a figure: what the page app_pages/rows.py reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import streamlit as st

from finops_assets.queries.costs import Filter, Metric
from streamlit_app import data
from streamlit_app.filters import AS_OF
from streamlit_app.format import COST_LABELS, label, value_of

ROWS_PAGE = "app_pages/rows.py"

_WHERE, _NOT = "where", "not"


@dataclass(frozen=True)
class Figure:
    """What a figure on a page adds up: one cost, in one currency, of some days and filters.

    `converted` says that bills of all currencies are in it, at the rates of their days.
    """

    start: date
    end: date
    metric: Metric
    currency: str
    filters: tuple[Filter, ...] = ()
    converted: bool = False

    def narrowed(self, *more: Filter) -> Figure:
        """The same with more filters."""
        return replace(self, filters=(*self.filters, *more))

    def only(self, columns: Sequence[str], values: Sequence[str | None]) -> Figure:
        """The same for one row of a table grouped by `columns`."""
        return self.narrowed(*(Filter(c, (v,)) for c, v in zip(columns, values, strict=True)))


def figure_of(row: Mapping[str, Any], columns: Sequence[str], metric: Metric) -> Figure | None:
    """What a row with first_day and last_day adds up, by what it says of `columns`; None without days.

    BillingCurrency may be one of them: it is the figure's currency.
    """
    if row["first_day"] is None:
        return None
    narrowed = tuple(Filter(c, (row[c],)) for c in columns if c != "BillingCurrency")
    end = row["last_day"] + timedelta(days=1)
    return Figure(row["first_day"], end, metric, row["BillingCurrency"], narrowed)


class BadLinkError(ValueError):
    """The address does not say which figure's rows it wants; the text says what is wrong."""


def to_params(figure: Figure) -> dict[str, str | list[str]]:
    """The address's parameters. Values of one filter share a number, so two filters never merge."""
    shown = data.day_shown()
    params: dict[str, str | list[str]] = {
        **({AS_OF: shown.isoformat()} if shown else {}),
        "from": figure.start.isoformat(),
        "to": figure.end.isoformat(),
        "metric": COST_LABELS[figure.metric],
        "currency": figure.currency,
    }
    for name, excluding in ((_WHERE, False), (_NOT, True)):
        terms = [
            f"{number}:{f.column}:{label(v)}"
            for number, f in enumerate(figure.filters)
            if f.exclude == excluding
            for v in f.values
        ]
        if terms:
            params[name] = terms
    return params


def from_params(metric: Metric, currency: str) -> Figure:
    """The figure that the page's own address names. Raises BadLinkError."""
    try:
        start, end = (date.fromisoformat(st.query_params[name]) for name in ("from", "to"))
    except (KeyError, ValueError) as error:
        raise BadLinkError(
            "The address needs from and to as days, such as from=2026-01-01&to=2026-02-01."
        ) from error
    filters: list[Filter] = []
    for name, excluding in ((_WHERE, False), (_NOT, True)):
        merged: dict[tuple[str, str], list[str | None]] = {}
        for term in st.query_params.get_all(name):
            parts = term.split(":", 2)
            if len(parts) != 3:
                raise BadLinkError(
                    f"{name}={term} is not number:column:value, such as 0:ServiceName:Amazon S3."
                )
            merged.setdefault((parts[0], parts[1]), []).append(value_of(parts[2]))
        filters += [
            Filter(column, tuple(values), exclude=excluding) for (_, column), values in merged.items()
        ]
    return Figure(start, end, metric, currency, tuple(filters))


def rows_link(figure: Figure, text: str = "Bill rows behind this") -> None:
    """A link to the rows behind a figure."""
    st.page_link(ROWS_PAGE, label=text, icon=":material/receipt_long:", query_params=to_params(figure))
