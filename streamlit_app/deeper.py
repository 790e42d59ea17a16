"""One step deeper from a figure: provider, account, service, then its resources and bill rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import streamlit as st

from finops_assets.queries.dimensions import Dimension, Filter
from streamlit_app.format import label
from streamlit_app.links import Figure

EXPLORER_PAGE = "app_pages/explorer.py"
EXPLORER_KEY = "x_"
"""Begins the explorer's address parameters of filters."""

LADDER = ("ServiceProviderName", "SubAccountName", "ServiceName")


def next_column(figure: Figure) -> str | None:
    """The first rung that the figure does not hold fixed; None below the last one."""
    fixed = {f.column for f in figure.filters if len(f.values) == 1 and not (f.exclude or f.contains)}
    return next((column for column in LADDER if column not in fixed), None)


def explorer_address(
    figure: Figure, by: str, names: Mapping[str, Dimension]
) -> dict[str, str | list[str]] | None:
    """The explorer's parameters that show the figure broken down by a column.

    None where the explorer's controls cannot say the figure: a filter on what it does not offer, or two
    of one column that do not narrow each other.
    """
    merged = _one_a_column(figure.filters)
    if merged is None or any(f.column not in names for f in merged):
        return None
    address: dict[str, str | list[str]] = {
        "period": "Custom",
        "days": [figure.start.isoformat(), (figure.end - timedelta(days=1)).isoformat()],
        "group": [names[by].label],
    }
    if merged:
        address[f"{EXPLORER_KEY}filter"] = [names[f.column].label for f in merged]
    for f in merged:
        address[f"{EXPLORER_KEY}{f.column}"] = [label(v) for v in f.values]
        if f.exclude:
            address[f"{EXPLORER_KEY}not_{f.column}"] = "true"
    return address


def deeper_link(figure: Figure, names: Mapping[str, Dimension]) -> None:
    """A link to the same figure by the next rung; nothing at the last one, where resources are."""
    column = next_column(figure)
    if column is None or column not in names:
        return
    address = explorer_address(figure, column, names)
    if address is not None:
        st.page_link(
            EXPLORER_PAGE,
            label=f"By {names[column].label.lower()}",
            icon=":material/subdirectory_arrow_right:",
            query_params=address,
        )


def _one_a_column(filters: tuple[Filter, ...]) -> list[Filter] | None:
    """The filters with those of one column made one; None where that cannot be said in one."""
    found: dict[str, Filter] = {}
    for f in filters:
        if f.contains:
            return None
        known = found.setdefault(f.column, f)
        if known is f:
            continue
        if known.exclude or f.exclude:
            return None
        found[f.column] = Filter(f.column, tuple(v for v in known.values if v in f.values))
    return list(found.values())
