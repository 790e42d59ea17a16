"""Conformance: how each month's bill keeps the rules of FOCUS, and the rows that break them."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from finops_assets.queries import conformance
from streamlit_app import data, states, tables
from streamlit_app.format import NOTHING, count, markdown

ALL = "All"

_RIGHT: dict[str, Any] = {"alignment": "right"}


def page() -> None:
    """The choice of bills, the score of each month, the rules that are broken."""
    st.title("Conformance")
    every = data.ask(conformance.scores)
    if not every.num_rows:
        states.nothing_here(
            "No bill is held to the rules of FOCUS yet",
            "Take bills in with `finops run`; it checks them too.",
        )
        return
    with st.container(horizontal=True, gap="medium"):
        source = _choice("Source", every["x_Source"].to_pylist(), key="source")
        month = _choice("Month", every["x_BillingMonth"].to_pylist()[::-1], key="month", newest_first=True)
    scores = data.ask(conformance.scores, source, month)
    if not scores.num_rows:
        states.nothing_here("No bill here", f"{source} has no bill of {month}.")
        return
    _cards(scores)
    _months(scores)
    _rules(data.ask(conformance.report, source, month, failed_only=True))


def _choice(label: str, values: list[str], *, key: str, newest_first: bool = False) -> str | None:
    options = sorted(set(values), reverse=newest_first)
    chosen = st.selectbox(label, (ALL, *options), key=key, bind="query-params", width=240)
    return None if chosen == ALL else chosen


def _cards(scores: pa.Table) -> None:
    checked, failed = (pc.sum(scores[name]).as_py() or 0 for name in ("checked", "failed"))
    with st.grid(4, min_column_width=160):
        st.metric("Months", f"{scores.num_rows:,}", border=True, height="stretch")
        st.metric(
            "Checks", f"{checked:,}", border=True, height="stretch", help="Rows by rules that say MUST."
        )
        st.metric("Of them broken", f"{failed:,}", border=True, height="stretch")
        share = _percent(1 - failed / checked if checked else None)
        st.metric("Checks that hold", share, border=True, height="stretch")


def _months(scores: pa.Table) -> None:
    shown = scores.append_column("holds", pa.array([_percent(s) for s in scores["score"].to_pylist()]))
    with st.container(border=True):
        st.subheader("Score of each month")
        st.caption(
            "The share of checks that hold, of rules that say MUST. A bill that is delivered in FOCUS is "
            "checked as it was delivered, any other as it was normalized to FOCUS 1.4."
        )
        tables.show(
            shown,
            {
                "x_Source": "Source",
                "x_BillingMonth": "Month",
                "focus_version": "FOCUS",
                "rules": st.column_config.NumberColumn("Rules that apply", format="%,d"),
                "broken_must": st.column_config.NumberColumn("Broken, MUST", format="%,d"),
                "broken_should": st.column_config.NumberColumn("Broken, SHOULD", format="%,d"),
                "checked": st.column_config.NumberColumn("Checks", format="%,d"),
                "failed": st.column_config.NumberColumn("Broken checks", format="%,d"),
                "holds": st.column_config.TextColumn("Holds", **_RIGHT),
            },
            alt="How many checks of each month's bill hold",
            height=tables.fitted(shown, 360),
            name="conformance-scores",
            whole=scores,
        )


def _rules(broken: pa.Table) -> None:
    with st.container(border=True):
        st.subheader("Rules that are broken")
        if not broken.num_rows:
            st.success("Every row keeps every rule.", icon=":material/verified:")
            return
        rows = broken.to_pylist()
        shares = [_percent(r["cost_share"]) for r in rows]
        shown = broken.append_column("share_of_cost", pa.array(shares))
        chosen = tables.select_row(
            shown,
            {
                "rule": st.column_config.TextColumn("Rule", width="medium"),
                "level": "Level",
                "x_Source": "Source",
                "x_BillingMonth": "Month",
                "failed": st.column_config.NumberColumn("Rows that break it", format="%,d"),
                "checked": st.column_config.NumberColumn("Of", format="%,d"),
                "failed_cost": st.column_config.NumberColumn("Their cost", format=tables.MONEY_FORMAT),
                "BillingCurrency": "Currency",
                "share_of_cost": st.column_config.TextColumn("Of the bill's cost", **_RIGHT),
            },
            alt="Rules of FOCUS that rows break, the costliest first",
            key="broken",
            height=tables.fitted(shown, 420),
            name="conformance",
            whole=broken,
            note=f"{count(len(rows), 'broken rule')}. Choose one to see what it says and rows that break it.",
        )
        if chosen is not None:
            _rule(rows[chosen])


def _rule(row: dict[str, Any]) -> None:
    st.markdown(f"**{markdown(row['rule'])}** ({row['level']}): {markdown(row['says'])}")
    st.caption(
        f"FOCUS {row['focus_version']}, {markdown(row['section'])}; "
        f"{row['failed']:,} of {count(row['checked'], 'row')} that it applies to."
    )
    samples = json.loads(row["samples"])
    shown = {
        "File": [s["x_File"] for s in samples],
        "Row": [s["x_RowNumber"] for s in samples],
        "Of": [s.get("key") or NOTHING for s in samples],
        "Expected": [s.get("expected") or NOTHING for s in samples],
        "Found": [NOTHING if s["found"] is None else s["found"] for s in samples],
    }
    if not any(s.get("key") for s in samples):  # a rule of one row says in words what it expects
        del shown["Of"], shown["Expected"]
    columns: dict[str, Any] = {name: name for name in shown}
    columns["Row"] = st.column_config.NumberColumn(format="%,d", help="From 1, header not counted.")
    tables.show(
        pa.table(shown),
        columns,
        alt="Rows that break the rule, by file and row number",
    )


def _percent(share: float | None) -> str:
    """Two digits more than whole percents, and never 100 % where a row fails."""
    if share is None:
        return NOTHING
    return f"{min(share, 0.9999):.2%}" if share < 1 else "100%"


page()
