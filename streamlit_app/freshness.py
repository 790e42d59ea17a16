"""How fresh each source is, as a table: the overview's, and the page Sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import streamlit as st

from streamlit_app import tables

STATES = {"fresh": "Fresh", "late": "Late", "quarantined": "Quarantined", "empty": "Empty"}

_STATE_COLORS = ["green", "orange", "red", "gray"]

COLUMNS: Mapping[str, Any] = {
    "x_Source": "Source",
    "state": st.column_config.MultiselectColumn("Status", options=list(STATES.values()), color=_STATE_COLORS),
    "newest_day": st.column_config.DateColumn("Newest day", format="D MMM YYYY"),
    "ingested_at": st.column_config.DatetimeColumn(
        "Last bill taken in", format="D MMM YYYY, HH:mm", timezone="UTC"
    ),
    "months": st.column_config.NumberColumn("Months", format="%,d"),
    "rows": st.column_config.NumberColumn("Bill rows", format="%,d"),
    "quarantined": st.column_config.NumberColumn("Months refused", format="%,d"),
}


def show(sources: pa.Table, columns: Mapping[str, Any] = COLUMNS) -> None:
    """The table of queries.bills.freshness(), with its status in words."""
    state = pa.array([[STATES[s]] for s in sources["status"].to_pylist()], pa.list_(pa.string()))
    tables.show(sources.append_column("state", state), columns, alt="How fresh each source is")
