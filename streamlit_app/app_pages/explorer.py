"""Cost explorer: any cost by any dimensions, over all providers, down to the rows of the bill."""

from __future__ import annotations

import streamlit as st

from finops_assets.queries.costs import MissingRateError
from streamlit_app import breakdown, comparison, conversion, filters, states
from streamlit_app.deeper import EXPLORER_KEY
from streamlit_app.format import COST_LABELS, markdown
from streamlit_app.links import Figure

st.title("Cost explorer")
known = filters.covered_days()
currency, metric = filters.currency(known), filters.metric()
names = filters.dimension_names()
labels = {column: d.label for column, d in names.items() if column != "BillingCurrency"}
by_label = {name: column for column, name in labels.items()}

with st.container(border=True):
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        period = filters.period(known)
        steps = filters.granularity(period)
        before = comparison.choice(period, known)
    offered = conversion.offered()
    left, right, last = st.columns((4, 4, 2)) if offered else (*st.columns(2), None)
    with left:
        chosen = st.multiselect(
            "Group by",
            list(by_label),
            default=[labels["ServiceCategory"]],
            max_selections=3,
            key="group",
            bind="query-params",
            placeholder="Nothing: the total",
        )
    with right:
        narrowing = filters.filters(period, labels=labels, key=EXPLORER_KEY)
    target = None
    if last is not None:
        with last:
            target = conversion.choice(offered)

groups = [by_label[name] for name in chosen]
figure = Figure(period.start, period.end, metric, target or currency, narrowing, converted=target is not None)
converted = ", bills of all currencies at the rates of their days" if target else ""
st.caption(f"{COST_LABELS[metric]} in {figure.currency}{converted}, {markdown(period.text)}")

try:
    _, rows = breakdown.total(figure)
except MissingRateError as error:
    st.error(str(error), title="A rate is missing", icon=":material/currency_exchange:")
    st.stop()
if not rows:
    states.nothing_here("No costs here", "Nothing matches these filters in this period. Widen one of them.")
    st.stop()

breakdown.cards(figure, before)
if figure.converted:
    conversion.bills_behind(figure, key="total")
with st.container(border=True):
    st.subheader("Over time")
    breakdown.over_time(figure, groups, chosen, steps)
with st.container(border=True):
    shown = st.segmented_control(
        "Table", ("Totals", "By period"), default="Totals", required=True, key="table", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    if shown == "By period" or not groups:
        breakdown.by_step(figure, groups, labels, steps, key="explorer")
    else:
        beside = comparison.by_group(figure, groups, before) if before is not None else None
        breakdown.by_group(figure, groups, labels, steps, key="explorer", beside=beside)
