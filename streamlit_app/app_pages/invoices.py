"""Invoices: what each one comes to, held against the rows as delivered and the amounts that were given."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from finops_assets.queries import invoices
from streamlit_app import data, states, tables
from streamlit_app.format import count, digits, markdown
from streamlit_app.links import figure_of, rows_link

ALL = "All"

SHOWN = 10
"""How many residuals are put into words; the table has all."""

_RIGHT: dict[str, Any] = {"alignment": "right"}


def page() -> None:
    """The choice of bills, their invoices, the amounts that are given for them."""
    st.title("Invoices")
    every, given = data.ask(invoices.invoices), data.ask(invoices.control_totals)
    if not every.num_rows and not given.num_rows:
        states.nothing_here("No invoice is here yet", "Take bills in with `finops run`; it adds them up too.")
        return
    with st.container(horizontal=True, gap="medium"):
        keys = {k: every[k].to_pylist() + given[k].to_pylist() for k in ("x_Source", "x_BillingMonth")}
        source = _choice("Source", keys["x_Source"], key="source")
        month = _choice("Month", keys["x_BillingMonth"], key="month", newest_first=True)
    found = data.ask(invoices.invoices, source, month)
    totals = data.ask(invoices.control_totals, source, month)
    if not found.num_rows and not totals.num_rows:
        states.nothing_here("No invoice here", f"{source} has no bill of {month}.")
        return
    _cards(found, totals)
    _control_totals(totals)
    _invoices(found)


def _choice(label: str, values: list[str], *, key: str, newest_first: bool = False) -> str | None:
    options = sorted(set(values), reverse=newest_first)
    chosen = st.selectbox(label, (ALL, *options), key=key, bind="query-params", width=240)
    return None if chosen == ALL else chosen


def _cards(found: pa.Table, totals: pa.Table) -> None:
    numbered = found.num_rows - found["InvoiceId"].null_count
    unequal = found.num_rows - (pc.sum(found["passed"]).as_py() or 0)
    differing = totals.num_rows - (pc.sum(totals["passed"]).as_py() or 0)
    with st.grid(4, min_column_width=160):
        _card("Invoices", numbered, "with a number")
        _card(
            "Not final", found.num_rows - (pc.sum(found["is_final"]).as_py() or 0), "number or days to come"
        )
        _card("Unlike the delivered rows", unequal, "to the last digit")
        _card("Unlike the amount given", differing, f"of {count(totals.num_rows, 'amount')}")
    if unequal:
        st.error(
            "Their costs are not the sum of the rows as they were delivered; the table says by how much.",
            title=f"{count(unequal, 'invoice')} of {found.num_rows:,} not reconciled",
            icon=":material/error:",
        )


def _card(label: str, number: int, note: str) -> None:
    st.metric(label, f"{number:,}", note, delta_color="off", delta_arrow="off", border=True, height="stretch")


def _control_totals(totals: pa.Table) -> None:
    with st.container(border=True):
        st.subheader("Amounts that were given")
        if not totals.num_rows:
            st.caption(
                "Give what an invoice, or a month, should come to as `[[control_totals]]` in finops.toml, "
                "or let the provider's FOCUS Invoice Detail files lie beside its bill: they are held against "
                "the bill."
            )
            return
        rows = totals.to_pylist()
        texts = {
            "number": [r["InvoiceId"] or "the whole month" for r in rows],
            "given": [f"{r['expected']:,.{r['digits']}f}" for r in rows],
            "bill": [digits(r["found"]) for r in rows],
            "difference": [digits(r["residual"]) for r in rows],
        }
        shown = totals
        for name, values in texts.items():
            shown = shown.append_column(name, pa.array(values, pa.string()))
        tables.show(
            shown,
            {
                "x_Source": "Source",
                "x_BillingMonth": "Month",
                "number": "Invoice",
                "given": st.column_config.TextColumn("Given", **_RIGHT),
                "bill": st.column_config.TextColumn("The bill", **_RIGHT),
                "difference": st.column_config.TextColumn("Residual", **_RIGHT),
                "BillingCurrency": "Currency",
                "passed": st.column_config.CheckboxColumn("Equal", help="To the decimals that were given."),
                "cause": "Likely cause",
                "given_by": "Given by",
            },
            alt="Amounts that were given, those that differ from the bill first",
            height=tables.fitted(shown, 360),
            name="control-totals",
            whole=totals,
        )
        _alert([r for r in rows if not r["passed"]])


def _alert(differing: list[dict[str, Any]]) -> None:
    """Every residual with what it likely is; red where one has no known cause."""
    if not differing:
        st.success("Every amount is what the bill comes to.", icon=":material/verified:")
        return
    lines = [
        f"- {markdown(r['x_Source'])} {r['x_BillingMonth']}, {markdown(r['InvoiceId'] or 'the whole month')}"
        f": residual {markdown(digits(r['residual']))} {r['BillingCurrency']}. {r['says']}"
        for r in differing[:SHOWN]
    ]
    if len(differing) > SHOWN:
        lines.append(f"- and {len(differing) - SHOWN} more, in the table")
    known = all(r["is_explained"] for r in differing)
    alert = st.warning if known else st.error
    title = f"{count(len(differing), 'amount')} unlike the bill"
    alert("\n".join(lines), title=title, icon=":material/warning:" if known else ":material/error:")


def _invoices(found: pa.Table) -> None:
    if not found.num_rows:
        return
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
        chosen = tables.select_row(
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
                "difference": st.column_config.TextColumn(
                    "Residual", help="Billed minus the rows as delivered, every digit.", **_RIGHT
                ),
                "passed": st.column_config.CheckboxColumn("Equal"),
            },
            alt="Invoices, the newest month first",
            key="invoices",
            height=tables.fitted(shown, 360),
            whole=found,
            note="Choose an invoice to see its bill rows.",
        )
        if chosen is None:
            return
        figure = figure_of(rows[chosen], invoices.OF_INVOICE, "BilledCost")
        if figure is None:
            st.caption("It has no bill row.")
        else:
            rows_link(figure, f"Bill rows of {numbers[chosen]}")


page()
