"""Invoices: what each one comes to, held against the rows as delivered."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from finops_assets.queries import invoices
from streamlit_app import data, states, tables
from streamlit_app.format import count, digits

ALL = "All"

_RIGHT: dict[str, Any] = {"alignment": "right"}


def page() -> None:
    """The choice of bills, their invoices."""
    st.title("Invoices")
    every = data.ask(invoices.invoices)
    if not every.num_rows:
        states.nothing_here("No invoice is here yet", "Take bills in with `finops run`; it adds them up too.")
        return
    with st.container(horizontal=True, gap="medium"):
        source = _choice("Source", every["x_Source"].to_pylist(), key="source")
        month = _choice("Month", every["x_BillingMonth"].to_pylist(), key="month", newest_first=True)
    found = data.ask(invoices.invoices, source, month)
    _cards(found)
    _invoices(found)


def _choice(label: str, values: list[str], *, key: str, newest_first: bool = False) -> str | None:
    options = sorted(set(values), reverse=newest_first)
    chosen = st.selectbox(label, (ALL, *options), key=key, bind="query-params", width=240)
    return None if chosen == ALL else chosen


def _cards(found: pa.Table) -> None:
    numbered = found.num_rows - found["InvoiceId"].null_count
    unequal = found.num_rows - (pc.sum(found["passed"]).as_py() or 0)
    with st.grid(3, min_column_width=160):
        _card("Invoices", numbered, "with a number")
        _card(
            "Not final", found.num_rows - (pc.sum(found["is_final"]).as_py() or 0), "number or days to come"
        )
        _card("Unlike the delivered rows", unequal, "to the last digit")
    if unequal:
        st.error(
            "Their costs are not the sum of the rows as they were delivered; the table says by how much.",
            title=f"{count(unequal, 'invoice')} of {found.num_rows:,} not reconciled",
            icon=":material/error:",
        )


def _card(label: str, number: int, note: str) -> None:
    st.metric(label, f"{number:,}", note, delta_color="off", delta_arrow="off", border=True, height="stretch")


def _invoices(found: pa.Table) -> None:
    rows = found.to_pylist()
    numbers = [r["InvoiceId"] or ("no number" if r["is_final"] else "not yet numbered") for r in rows]
    shown = found.append_column("number", pa.array(numbers, pa.string()))
    shown = shown.append_column("difference", pa.array([digits(r["residual"]) for r in rows], pa.string()))
    with st.container(border=True):
        st.subheader("What each invoice comes to")
        st.caption(
            "Billed cost of its rows, to the cent; held against the same sum over the rows as the provider "
            "delivered them, to the last digit."
        )
        tables.show(
            shown,
            {
                "x_Source": "Source",
                "x_BillingMonth": "Month",
                "number": "Invoice",
                "InvoiceIssuerName": "Issuer",
                "BilledCost": st.column_config.NumberColumn("Billed", format=tables.MONEY_FORMAT),
                "BillingCurrency": "Currency",
                "tax": st.column_config.NumberColumn("of it tax", format=tables.MONEY_FORMAT),
                "marketplace": st.column_config.NumberColumn(
                    "marketplace",
                    format=tables.MONEY_FORMAT,
                    help="Rows of other sellers than the bill's provider, their tax included.",
                ),
                "credits": st.column_config.NumberColumn("credits", format=tables.MONEY_FORMAT),
                "x_RowCount": st.column_config.NumberColumn("Rows", format="%,d"),
                "difference": st.column_config.TextColumn("Difference to the bill", **_RIGHT),
                "passed": st.column_config.CheckboxColumn("Equal"),
            },
            alt="Invoices, the newest month first",
            height=tables.fitted(shown, 480),
        )
        tables.download(found, "invoices", key="invoices_csv")


page()
