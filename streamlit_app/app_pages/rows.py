"""Bill rows: the rows behind one figure, as its own page so that a figure can be passed on as a link."""

from __future__ import annotations

import streamlit as st

from finops_assets.queries.costs import UnknownDimensionError
from streamlit_app import breakdown, drill, filters, states
from streamlit_app.filters import Period
from streamlit_app.format import COST_LABELS, label, markdown, money
from streamlit_app.links import BadLinkError, from_params

st.title("Bill rows")
known = filters.covered_days()
try:
    figure = from_params(filters.metric(), filters.currency(known))
    names = filters.dimension_names()
    st.caption(
        f"{COST_LABELS[figure.metric]} in {figure.currency}, "
        f"{markdown(Period(figure.start, figure.end).text)}"
    )
    with st.container(horizontal=True):
        for term in figure.filters:
            relation = "is not" if term.exclude else "is"
            values = ", ".join(label(v) for v in term.values)
            name = names[term.column].label if term.column in names else term.column
            st.badge(f"{markdown(name)} {relation} {markdown(values)}", color="gray")
    # Below the cube, as by resource, there is no figure but the sum of the rows.
    amount, found = None, True
    if all(term.column in names for term in figure.filters):
        amount, rows = breakdown.total(figure)
        st.metric(COST_LABELS[figure.metric], money(amount, figure.currency), border=True, width=320)
        found = bool(rows)
    if found:
        drill.rows_behind(figure, key="rows", expected=amount)
    else:
        states.nothing_here("No rows", "No bill row matches this figure in the published snapshot.")
except (BadLinkError, UnknownDimensionError) as error:
    st.error(str(error), title="This link does not name a figure", icon=":material/link_off:")
