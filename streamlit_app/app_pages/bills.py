"""Bills: every delivery of every bill, its state, its control totals and how it reconciles."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from finops_assets.queries import bills as bill_queries
from streamlit_app import charts, data, filters, restated, states, tables
from streamlit_app.format import COST_LABELS, count, day, digits, exact, markdown

STATUS_COLORS = {"accepted": "green", "quarantined": "red", "superseded": "gray"}

_STAGES = {
    "raw": "Delivered rows",
    "costs": "Unified costs",
    "daily_costs": "Daily costs",
    "published costs": "Published costs",
    "published daily_costs": "Published daily costs",
}


def page() -> None:
    """Totals, the grid of months, what was refused and restated, all deliveries, the checks."""
    st.title("Bills")
    every = data.ask(bill_queries.bills)
    if not every.num_rows:
        states.nothing_here(
            "No bill has been delivered yet", "Configure a source in finops.toml, then `finops run`."
        )
        return
    checks = data.ask(bill_queries.reconciliation)
    charges = data.ask(bill_queries.bills, charges_only=True)
    _cards(every, charges, checks)
    if charges.num_rows:  # else there is nothing but lists and invoices that no bill came with
        _grid(charges)
    _refused(every)
    restated.section()
    _deliveries(every, checks)


def _cards(every: pa.Table, charges: pa.Table, checks: pa.Table) -> None:
    status = charges["status"].to_pylist()
    failed = checks.num_rows - (pc.sum(checks["passed"]).as_py() or 0)
    accepted = charges.filter(pc.equal(charges["status"], "accepted"))
    held = every["status"].to_pylist().count("quarantined")
    sources = count(len(set(accepted["x_Source"].to_pylist())), "source")
    with st.grid(4, min_column_width=160):
        _card("Bills in force", status.count("accepted"), sources)
        _card(
            "Rows in them",
            pc.sum(accepted["rows"]).as_py() or 0,
            _bytes(pc.sum(accepted["bytes"]).as_py() or 0),
        )
        _card("Restated", status.count("superseded"), "replaced by a later delivery")
        _card(
            "Quarantined",
            held,
            "refused, nothing of them landed" if held else "none refused",
            "red" if held else "off",
        )
    if failed:
        st.error(
            f"{failed:,} of {checks.num_rows:,} checks do not add up; they are listed below.",
            title="Not every bill reconciles",
            icon=":material/error:",
        )
    elif checks.num_rows:
        st.success(
            f"All {checks.num_rows:,} checks pass: the bill's own total, the rows as delivered, the unified "
            "costs, the daily costs and what is published of both are equal.",
            title="Every bill reconciles to the last digit",
            icon=":material/verified:",
        )


def _card(label: str, number: int, note: str, color: Literal["off", "red"] = "off") -> None:
    st.metric(label, f"{number:,}", note, delta_color=color, delta_arrow="off", border=True, height="stretch")


def _grid(every: pa.Table) -> None:
    """Each source's months by the state of the newest delivery; a gap between months is missing."""
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for row in every.sort_by([("ingested_at", "ascending"), ("exported_at", "ascending")]).to_pylist():
        place = (row["x_Source"], row["x_BillingMonth"])
        # A refused delivery leaves the accepted one in force, and both facts matter: show the refusal.
        if row["status"] != "superseded" or place not in newest:
            newest[place] = row
    sources = sorted({source for source, _ in newest})
    months = _months(min(m for _, m in newest), max(m for _, m in newest))
    cells = []
    for source in sources:
        own = [m for s, m in newest if s == source]
        for month in months:
            row = newest.get((source, month))
            if row is not None:
                cells.append((source, month, row["status"], row["bill_id"]))
            elif min(own) < month < max(own):
                cells.append((source, month, "missing", "no delivery"))
    drawn = pd.DataFrame(cells, columns=["source", "month", "status", "text"])
    with st.container(border=True):
        st.subheader("Months by source")
        tables.chart(
            charts.deliveries(drawn, height=90 + 40 * len(sources)),
            pa.Table.from_pandas(drawn, preserve_index=False),
            text="State of each source's bill, month by month",
        )


def _refused(every: pa.Table) -> None:
    for row in (
        every.filter(pc.equal(every["status"], "quarantined"))
        .sort_by([("ingested_at", "ascending"), ("exported_at", "ascending")])
        .to_pylist()
    ):
        st.error(
            markdown(row["problem"] or "No reason was recorded."),
            title=f"{row['x_Source']}, {row['x_BillingMonth']}: quarantined {day(row['ingested_at'].date())}",
            icon=":material/block:",
        )


def _deliveries(every: pa.Table, checks: pa.Table) -> None:
    with st.container(border=True):
        st.subheader("Deliveries")
        sources = sorted(set(every["x_Source"].to_pylist()))
        statuses = [s for s in STATUS_COLORS if s in set(every["status"].to_pylist())]
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            source = st.selectbox("Source", ("All", *sources), key="source", bind="query-params", width=240)
            status = st.pills(
                "Status", statuses, selection_mode="multi", key="state", bind="query-params",
                format_func=str.capitalize,
            )  # fmt: skip
        listed = every.sort_by([("x_BillingMonth", "descending"), ("ingested_at", "descending")])
        if source != "All":
            listed = listed.filter(pc.equal(listed["x_Source"], source))
        if status:
            listed = listed.filter(pc.is_in(listed["status"], value_set=pa.array(status)))
        if not listed.num_rows:
            states.nothing_here("No deliveries here", "None matches these filters.")
            return
        _list(listed, checks)


@st.fragment
def _list(listed: pa.Table, checks: pa.Table) -> None:
    rows = listed.to_pylist()
    shown = listed.append_column("state", pa.array([[r["status"].capitalize()] for r in rows]))
    shown = shown.append_column("files_count", pa.array([len(json.loads(r["files"] or "[]")) for r in rows]))
    chosen = tables.select_row(
        shown,
        {
            "x_Source": "Source",
            "x_BillingMonth": "Month",
            "state": st.column_config.MultiselectColumn(
                "Status",
                options=[s.capitalize() for s in STATUS_COLORS],
                color=list(STATUS_COLORS.values()),
                width=110,
            ),
            "format": "Format",
            "rows": st.column_config.NumberColumn("Rows", format="%,d"),
            "files_count": st.column_config.NumberColumn("Files", format="%,d"),
            "bytes": st.column_config.NumberColumn("Size", format="bytes"),
            "exported_at": st.column_config.DatetimeColumn(
                "Exported", format="D MMM YYYY, HH:mm", timezone="UTC"
            ),
            "ingested_at": st.column_config.DatetimeColumn(
                "Taken in", format="D MMM YYYY, HH:mm", timezone="UTC"
            ),
            "bill_id": st.column_config.TextColumn("Bill", width="medium"),
        },
        alt="Deliveries of bills, the newest month first",
        key="deliveries",
        height=tables.fitted(listed, 360),
        name="bills",
        whole=listed,
        note=f"{count(len(rows), 'delivery', 'deliveries')}. Choose one to see its totals, files and checks.",
    )
    if chosen is not None:
        _bill(rows[chosen], checks)


def _bill(row: dict[str, Any], checks: pa.Table) -> None:
    st.markdown(f"**{row['x_Source']}, {row['x_BillingMonth']}** `{row['bill_id']}`")
    if row["problem"]:
        st.error(markdown(row["problem"]), icon=":material/block:")
    if row["decision"]:
        taken = f"Taken although rows break a rule: {row['decision']}"
        st.warning(markdown(taken), icon=":material/gavel:")
    left, right = st.columns(2)
    with left:
        st.caption("Control totals: what the bill's own rows add up to")
        for total in json.loads(row["control_totals"] or "[]"):
            st.metric(
                COST_LABELS.get(total["metric"], total["metric"]),
                exact(Decimal(total["amount"]), total["currency"]),
                border=True,
            )
    with right:
        st.caption("Files")
        files = json.loads(row["files"] or "[]")
        names = ("path", "rows", "bytes", "sha256")
        tables.show(
            pa.table({name: pa.array([f.get(name) for f in files]) for name in names}),
            {
                "path": "File",
                "rows": st.column_config.NumberColumn("Rows", format="%,d"),
                "bytes": st.column_config.NumberColumn("Size", format="bytes"),
                "sha256": "SHA-256",
            },
            alt="The files of the bill",
        )
    own = checks.filter(pc.equal(checks["bill_id"], row["bill_id"]))
    if own.num_rows:
        st.caption("Checks")
        _checks(own)
    elif row["status"] != "accepted":
        st.caption("Checks are held against bills in force only.")


def _checks(checks: pa.Table) -> None:
    names = [_STAGES.get(s, s) for s in checks["stage"].to_pylist()]
    what = [
        COST_LABELS.get(m, m) if m else n.replace("_", " ").capitalize()
        for m, n in zip(checks["metric"].to_pylist(), checks["check_name"].to_pylist(), strict=True)
    ]
    shown = pa.table(
        {
            "stage": names,
            "what": what,
            "BillingCurrency": checks["BillingCurrency"],
            "expected": [digits(v) for v in checks["expected"].to_pylist()],
            "found": [digits(v) for v in checks["found"].to_pylist()],
            "residual": [digits(v) for v in checks["residual"].to_pylist()],
            "passed": checks["passed"],
        }
    )
    right = {"alignment": "right"}
    tables.show(
        shown,
        {
            "stage": "Stage",
            "what": "What is added up",
            "BillingCurrency": "Currency",
            "expected": st.column_config.TextColumn("The bill says", **right),  # type: ignore[arg-type]
            "found": st.column_config.TextColumn("The stage holds", **right),  # type: ignore[arg-type]
            "residual": st.column_config.TextColumn("Difference", **right),  # type: ignore[arg-type]
            "passed": st.column_config.CheckboxColumn("Equal"),
        },
        alt="The bill's totals against each stage",
    )


def _months(first: str, last: str) -> list[str]:
    found, at = [], date.fromisoformat(f"{first}-01")
    while f"{at:%Y-%m}" <= last:
        found.append(f"{at:%Y-%m}")
        at = filters.add_months(at, 1)
    return found


def _bytes(size: int) -> str:
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return count(size, "byte")


page()
