"""What a period is held against: the control, and the costs of both beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import cast

import pyarrow as pa
import streamlit as st

from finops_assets.queries.comparison import Days, changes, compared_days
from finops_assets.queries.costs import DateRange, MissingRateError
from streamlit_app import breakdown, data
from streamlit_app.filters import Period
from streamlit_app.links import Figure

BEFORE, YEAR, CUSTOM, NOTHING = "Period before", "Year before", "Other days", "Nothing"


def choice(chosen: Period, known: DateRange) -> Period | None:
    """The period to compare with, or None. It is in the address, as every control is."""
    way = st.selectbox(
        "Compare with", (BEFORE, YEAR, CUSTOM, NOTHING), key="compare", bind="query-params", width=180
    )
    if way == NOTHING:
        return None
    if way == BEFORE:
        return chosen.before()
    if way == YEAR:
        found = compared_days(chosen.start, chosen.end, "previous_year")
        return Period(found.start, found.end)
    default = chosen.before()
    ends = cast(
        "tuple[date, ...]",
        st.date_input(
            "These days",
            value=(max(default.start, known.first), max(default.end - timedelta(days=1), known.first)),
            min_value=known.first,
            max_value=known.last,
            key="compared_days",
            bind="query-params",
            width=260,
        ),
    )
    if len(ends) < 2:
        st.caption("Choose the last day too.")
        return default
    return Period(ends[0], ends[1] + timedelta(days=1))


def by_group(figure: Figure, groups: Sequence[str], before: Period) -> pa.Table | None:
    """The figure by groups beside another period, as queries.comparison.changes() has it.

    None where a rate of the other days is missing, which the page says.
    """
    other = Days(before.start, before.end)
    try:
        return data.ask(changes, breakdown.asked(figure, groups), other)
    except MissingRateError as error:
        st.warning(f"Nothing to compare with: {error}", icon=":material/currency_exchange:")
        return None
