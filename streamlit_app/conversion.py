"""Amounts of all bills in one currency, on request only: the choice, and what the figure was made of."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import streamlit as st

from finops_assets.queries.costs import CostQuery, conversion, costs
from finops_assets.queries.currency import convertible
from streamlit_app import data, tables
from streamlit_app.format import markdown, money
from streamlit_app.links import Figure, rows_link

AS_BILLED = "As billed"


def offered() -> tuple[str, ...]:
    """The currencies to convert to; none without rates."""
    return data.ask(convertible)


def choice(currencies: tuple[str, ...]) -> str | None:
    """The currency to show everything in; None for amounts as they were billed."""
    chosen = st.selectbox(
        "Convert to",
        (AS_BILLED, *currencies),
        key="convert",
        bind="query-params",
        help="Each day's charges of every bill at the day's rate. As billed, nothing is converted.",
    )
    return None if chosen == AS_BILLED else chosen


def bills_behind(figure: Figure, *, key: str) -> None:
    """What a converted figure was made of: the amount of each currency with its rows, and the rates."""
    asked = CostQuery(figure.start, figure.end, filters=figure.filters, metric=figure.metric)
    with st.expander("What was converted, and by which rates", icon=":material/currency_exchange:"):
        for row in data.ask(costs, asked).to_pylist():
            currency = row["BillingCurrency"]
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(
                    f"In {currency}: **{markdown(money(row[figure.metric], currency))}**", width="content"
                )
                rows_link(replace(figure, currency=currency, converted=False))
        rates = data.ask(conversion, replace(asked, convert_to=figure.currency))
        if rates:
            table = pa.Table.from_pylist([vars(rate) for rate in rates])
            columns = {
                "currency": "From",
                "day": st.column_config.DateColumn("Charges of", format="D MMM YYYY"),
                "rate": st.column_config.NumberColumn(f"{figure.currency} for one", format="%.6f"),
                "rate_day": st.column_config.DateColumn("Rate set on", format="D MMM YYYY"),
                "source": "Source",
            }
            tables.show(
                table,
                columns,
                alt="The rates of conversion",
                height=tables.fitted(table, 260),
                name=f"rates-{key}-{figure.start}-{figure.end}",
            )
