"""One provider's page: the cost explorer in the provider's own words, shared by all three."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa
import streamlit as st

from finops_assets.queries.costs import CostQuery, DateRange, Filter, costs
from streamlit_app import breakdown, charts, data, filters, states, tables
from streamlit_app.format import COST_LABELS, label, markdown
from streamlit_app.links import Figure

TOP = 10


@dataclass(frozen=True)
class Words:
    """What a provider calls things: column → its own word, the order being the way one drills down."""

    title: str
    key: str
    """Begins the address parameters of this page, so that pages do not share their filters."""
    providers: tuple[str, ...]
    """The values of ServiceProviderName that are this provider."""
    dimensions: dict[str, str]
    first: str
    """The column that the page opens with."""
    rankings: tuple[str, str]
    """The two columns whose largest values stand side by side."""


def page(words: Words) -> None:
    """Draw the page."""
    st.title(words.title)
    known = filters.covered_days()
    metric = filters.metric()
    names = filters.dimension_names()
    # The warehouse says what can be asked: a column it does not keep is not offered.
    own = {column: word for column, word in words.dimensions.items() if column in names}
    by_word = {word: column for column, word in own.items()}
    here = Filter("ServiceProviderName", words.providers)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            period = filters.period(known)
            steps = filters.granularity(period)
        left, right = st.columns(2)
        with left:
            words_offered = list(by_word)
            picked = st.selectbox(
                "Break down by",
                words_offered,
                index=words_offered.index(own[words.first]),
                key=f"{words.key}_by",
                bind="query-params",
            )
        with right:
            narrowing = filters.filters(period, labels=own, key=f"{words.key}_", within=(here,))
    column = by_word[picked]
    currency = _currency(words, known, here)
    figure = Figure(period.start, period.end, metric, currency, (here, *narrowing))
    st.caption(f"{COST_LABELS[metric]} in {currency}, {markdown(period.text)}")
    _, rows = breakdown.total(figure)
    if not rows:
        states.nothing_here(
            f"No {words.title} costs in {currency} here",
            "Choose another period, currency or filter; the page Bills shows which bills have come.",
        )
        return
    breakdown.cards(figure, period.before())
    with st.container(border=True):
        st.subheader(f"By {own[column].lower()}")
        breakdown.over_time(figure, (column,), (own[column],), steps)
    for place, ranked in zip(st.columns(2), words.rankings, strict=True):
        with place, st.container(border=True, height="stretch"):
            _largest(figure, ranked, own[ranked])
    with st.container(border=True):
        breakdown.by_group(figure, (column,), own, steps, key=words.key)


def _currency(words: Words, known: DateRange, here: Filter) -> str:
    """The chosen currency; where this provider never bills in it, the one that it bills in most."""
    chosen = filters.currency(known)
    everything = CostQuery(known.first, known.last + timedelta(days=1), filters=(here,))
    billed = data.ask(costs, everything)["BillingCurrency"].to_pylist()
    if not billed or chosen in billed:
        return chosen
    st.info(
        f"The {words.title} bills are in {' and '.join(billed)}, so this page shows {billed[0]} "
        f"rather than {chosen}.",
        icon=":material/currency_exchange:",
    )
    return str(billed[0])


def _largest(figure: Figure, column: str, word: str) -> None:
    table: pa.Table = breakdown.query(figure, (column,)).slice(0, TOP)
    st.subheader(f"Largest: {word.lower()}")
    chart = charts.ranking(table, column, figure.metric, figure.currency)
    largest = label(table[column][0].as_py()) if table.num_rows else "nothing"
    tables.chart(chart, table, text=f"Costs by {word.lower()}, {largest} the largest")
