"""What later deliveries of a month changed: the section of the page Bills, and one restatement opened."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from finops_assets.queries import restatements
from streamlit_app import data, tables
from streamlit_app.format import NOTHING, change, count, day, exact, label, markdown
from streamlit_app.links import figure_of, rows_link

_RIGHT: dict[str, Any] = {"alignment": "right"}
_STATES = ["Open month", "Corrected", "Uncorrected"]
_COLORS = ["gray", "green", "red"]


def section() -> None:
    """Nothing where no delivery ever changed a month; else what was changed unannounced, then all of it."""
    found = data.ask(restatements.restatements)
    if not found.num_rows:
        return
    with st.container(border=True):
        st.subheader("Restatements")
        st.caption(
            "A delivery that took the place of an earlier one of its month and changed figures. "
            f"{restatements.CLOSED_AFTER_DAYS} days after its end a month is closed; what changes then has "
            "to come as correction rows."
        )
        unannounced = found.filter(pc.greater(found["uncorrected"], 0))
        if unannounced.num_rows:
            months = {(r["x_Source"], r["x_BillingMonth"]) for r in unannounced.to_pylist()}
            st.error(
                "The provider changed what it had finalized, without corrections that add up to the change: "
                + ", ".join(_amounts(unannounced)),
                title=f"{count(len(months), 'closed month')} changed without a correction",
                icon=":material/gavel:",
            )
        _list(found)


def _amounts(unannounced: pa.Table) -> list[str]:
    rows = unannounced.to_pylist()
    amounts = [change(row["uncorrected_billed"], row["BillingCurrency"]) for row in rows]
    return [
        markdown(f"{row['x_Source']} {row['x_BillingMonth']} {amount}")
        for row, amount in zip(rows, amounts, strict=True)
    ]


@st.fragment
def _list(found: pa.Table) -> None:
    rows = found.to_pylist()
    shown = found.append_column("judged", pa.array([[_state(row)] for row in rows]))
    chosen = tables.select_row(
        shown,
        {
            "x_Source": "Source",
            "x_BillingMonth": "Month",
            "exported_before": st.column_config.DatetimeColumn(
                "Delivered", format="D MMM YYYY", timezone="UTC"
            ),
            "exported_after": st.column_config.DatetimeColumn(
                "Changed by that of", format="D MMM YYYY", timezone="UTC"
            ),
            "judged": st.column_config.MultiselectColumn("State", options=_STATES, color=_COLORS, width=110),
            "changed": st.column_config.NumberColumn(
                "Changes", format="%,d", help="Services of accounts whose cost or rows changed."
            ),
            "billed_change": tables.money_column("Billed change", "", signed=True),
            "effective_change": tables.money_column("Effective change", "", signed=True),
            "BillingCurrency": "Currency",
        },
        alt="Deliveries that changed a month, the newest month first",
        key="restatements",
        height=tables.fitted(shown, 320),
        name="restatements",
        whole=found,
        note=f"{count(len(rows), 'restatement')}. Choose one to see it by service and account.",
    )
    if chosen is not None:
        _opened(rows[chosen])


def _state(row: dict[str, Any]) -> str:
    if not row["was_closed"]:
        return _STATES[0]
    return _STATES[2] if row["uncorrected"] else _STATES[1]


def _opened(row: dict[str, Any]) -> None:
    currency = row["BillingCurrency"]
    every = data.ask(restatements.changes, row["x_Source"], row["x_BillingMonth"])
    own = every.filter(
        pc.and_(pc.equal(every["state"], row["state"]), pc.equal(every["BillingCurrency"], currency))
    )
    st.markdown(
        f"**{row['x_Source']}, {row['x_BillingMonth']}**: {_delivered(row, 'before')}, "
        f"then {_delivered(row, 'after')}"
    )
    shown = pa.table(
        {
            "Service": [label(s) for s in own["ServiceName"].to_pylist()],
            "Account": [
                label(name or number)
                for name, number in zip(
                    own["SubAccountName"].to_pylist(), own["SubAccountId"].to_pylist(), strict=True
                )
            ],
            "Before": [exact(v, currency) for v in own["billed_before"].to_pylist()],
            "After": [exact(v, currency) for v in own["billed_after"].to_pylist()],
            "Change": [exact(v, currency) for v in own["billed_change"].to_pylist()],
            "Of it corrections": [exact(v, currency) for v in own["correction_billed"].to_pylist()],
            "Effective change": [exact(v, currency) for v in own["effective_change"].to_pylist()],
            "Rows before": own["rows_before"],
            "Rows after": own["rows_after"],
            "Uncorrected": own["uncorrected"],
        }
    )
    amounts = ("Before", "After", "Change", "Of it corrections", "Effective change")
    chosen = tables.select_row(
        shown,
        {
            "Service": "Service",
            "Account": "Account",
            **{
                name: st.column_config.TextColumn(
                    name if name == "Effective change" else f"Billed: {name.lower()}", **_RIGHT
                )
                for name in amounts
            },
            "Rows before": st.column_config.NumberColumn("Rows before", format="%,d"),
            "Rows after": st.column_config.NumberColumn("Rows after", format="%,d"),
            "Uncorrected": st.column_config.CheckboxColumn("Uncorrected"),
        },
        alt="What the delivery changed, by service and account",
        key="restated",
        height=tables.fitted(shown, 420),
        name=f"restatement-{row['x_Source']}-{row['x_BillingMonth']}",
        whole=own,
        note="Choose one to see the bill rows that it became.",
    )
    if chosen is not None:
        _rows_behind(own.slice(chosen, 1).to_pylist()[0])


def _rows_behind(change: dict[str, Any]) -> None:
    figure = figure_of(change, restatements.PLACE, "BilledCost")
    if figure is None:
        st.caption("It became no row that is in force.", width="content")
    else:
        rows_link(figure, f"Bill rows of {label(change['ServiceName'])} after the change")


def _delivered(row: dict[str, Any], side: str) -> str:
    at = row[f"exported_{side}"]
    bills = ", ".join(f"`{bill_id}`" for bill_id in json.loads(row[f"bills_{side}"])) or "without a row"
    return f"{bills} ({NOTHING if at is None else day(at.date())})"
