"""Anomalies: events that left what was expected, what they cost and what they are made of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from finops_assets.queries import anomalies as events
from finops_assets.queries.forecasts import Level, series_filters
from streamlit_app import breakdown, charts, data, drivers, filters, states, tables
from streamlit_app.feedback import feedback_form
from streamlit_app.format import (
    change,
    compact,
    count,
    day,
    days,
    growth,
    markdown,
    moment,
    money,
    signed_percent,
)
from streamlit_app.links import Figure, rows_link
from streamlit_app.series import KINDS, LEVELS, SEVERITIES, SEVERITY_COLORS, series_name

_STATUSES: dict[str, events.Status | None] = {"All": None, "Open": "open", "Ended": "ended"}

AROUND = timedelta(days=45)


def page() -> None:
    """The list, and the chosen event."""
    st.title("Anomalies")
    known = filters.covered_days()
    currency, metric = filters.currency(known), filters.metric()
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        status = st.segmented_control(
            "Status",
            ("All", "Open", "Ended"),
            default="All",
            required=True,
            key="status",
            bind="query-params",
        )
        severity = st.pills(
            "Severity", SEVERITIES, selection_mode="multi", key="severity", bind="query-params",
            format_func=str.capitalize,
        )  # fmt: skip
        level = st.segmented_control(
            "Level", ("All", *LEVELS.values()), default="All", required=True, key="level", bind="query-params"
        )
        every = st.toggle(
            "Every level of a story",
            key="every",
            bind="query-params",
            help="The same money can stand out in a service, its account and its provider: one story, shown "
            "by the event that tells it best.",
        )
    found = _matching(currency, metric, status or "All", severity, level or "All")
    if not found.num_rows:
        states.nothing_here(
            "No anomalies here",
            f"No event of {metric} in {currency} matches. Widen a filter or change the cost.",
        )
        return
    chosen = _list(found if every else _main_events(found), currency)
    _event(chosen, currency)


def _matching(currency: str, metric: str, status: str, severity: list[str], level: str) -> pa.Table:
    table = data.ask(
        events.anomalies,
        metric=metric,
        currency=currency,
        status=_STATUSES[status],
        level=None
        if level == "All"
        else cast("Level", next(k for k, name in LEVELS.items() if name == level)),
    )
    if severity:
        table = table.filter(pc.is_in(table["severity"], value_set=pa.array(severity)))
    order = pa.array([SEVERITIES.index(s) for s in table["severity"].to_pylist()], pa.int32())
    return table.append_column("order", order).sort_by(
        [("status", "descending"), ("order", "ascending"), ("first_day", "descending")]
    )


def _main_events(found: pa.Table) -> pa.Table:
    """One event a story: the one that tells it best or, where a filter hides that one, the first."""
    main: dict[str, str] = {}
    for row in found.to_pylist():
        if row["anomaly_id"] == row["story_id"] or row["story_id"] not in main:
            main[row["story_id"]] = row["anomaly_id"]
    return found.filter(pc.is_in(found["anomaly_id"], value_set=pa.array(list(main.values()), pa.string())))


def _list(found: pa.Table, currency: str) -> dict[str, Any]:
    """The events; the one that is chosen by the address, by a click or, at first, the worst."""
    rows = found.to_pylist()
    by_id = {row["anomaly_id"]: row for row in rows}
    table = pa.table(
        {
            "severity": [[row["severity"].capitalize()] for row in rows],
            "series": [series_name(row) for row in rows],
            "level": [LEVELS[row["level"]] for row in rows],
            "kind": [KINDS.get(row["kind"], row["kind"]) for row in rows],
            "first_day": found["first_day"],
            "last_day": found["last_day"],
            "impact": found["impact"],
            "expected": found["expected"],
            "actual": found["actual"],
            "status": [row["status"].capitalize() for row in rows],
            "story": [row["anomaly_id"] == row["story_id"] for row in rows],
            "reason": found["reason"],
        }
    )
    st.caption(
        f"{count(len(rows), 'event')}. The same money can show at several levels: as an event of a service, "
        "of its account and of its provider. One of them tells the story. Choose a line to look into it."
    )
    st.session_state["_events"] = list(by_id)
    st.dataframe(
        table,
        column_config={
            "severity": st.column_config.MultiselectColumn(
                "Severity",
                options=[s.capitalize() for s in SEVERITIES],
                color=[SEVERITY_COLORS[s] for s in SEVERITIES],
                width=95,
            ),
            "series": st.column_config.TextColumn("Series", width="medium"),
            "level": "Level",
            "kind": "Kind",
            "first_day": st.column_config.DateColumn("First day", format="D MMM YYYY"),
            "last_day": st.column_config.DateColumn("Last day", format="D MMM YYYY"),
            "impact": tables.money_column("Impact", currency, signed=True),
            "expected": tables.money_column("Expected", currency),
            "actual": tables.money_column("Actual", currency),
            "status": "Status",
            "story": st.column_config.CheckboxColumn("Tells the story"),
            "reason": st.column_config.TextColumn("Why", width="large"),
        },
        hide_index=True,
        height=tables.fitted(table, 320),
        key="event_table",
        on_select=_pick,
        selection_mode="single-row",
        alt="Anomalies, the open and most severe ones first",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.selectbox(
            "Event",
            list(by_id),
            format_func=lambda i: _title(by_id[i]) if i in by_id else str(i),
            key="event",
            bind="query-params",
        )
        tables.download(found.drop_columns(["order"]), "anomalies")
    chosen: dict[str, Any] = by_id[picked]
    return chosen


def _pick() -> None:
    """A click in the table moves the selector below it, and with it the address."""
    rows = st.session_state["event_table"]["selection"]["rows"]
    listed = st.session_state["_events"]
    if rows and rows[0] < len(listed):
        st.session_state["event"] = listed[rows[0]]


def _title(row: dict[str, Any]) -> str:
    return f"{series_name(row)}, {days(row['first_day'], row['last_day'])}"


def _since(row: dict[str, Any]) -> None:
    """When it came and was seen; a day published before `raised_on` was told knows only the latter."""
    seen = f"First seen {moment(row['first_seen'])}."
    if row["raised_on"] is None:
        st.caption(seen)
        return
    came = f"Its data came {moment(row['data_at'])}. " if row["data_at"] else "Its data has not come. "
    st.caption(f"{came}{seen}", help=f"{day(row['raised_on'])} is the day whose cost made it an event.")


def _event(row: dict[str, Any], currency: str) -> None:
    with st.container(border=True):
        st.subheader(markdown(series_name(row)))
        with st.container(horizontal=True):
            st.badge(row["severity"].capitalize(), color=SEVERITY_COLORS[row["severity"]])
            st.badge(KINDS.get(row["kind"], row["kind"]), color="gray")
            st.badge(days(row["first_day"], row["last_day"]), icon=":material/event:", color="gray")
            st.badge(row["status"].capitalize(), color="blue" if row["status"] == "open" else "gray")
        st.markdown(markdown(row["reason"]))
        _since(row)
        share = growth(row["expected"], row["actual"])
        with st.grid(3):
            length = (row["last_day"] - row["first_day"]).days + 1
            for name in ("expected", "actual"):
                st.metric(
                    name.capitalize(),
                    money(row[name], currency),
                    f"{compact(row[name] / length, currency)} a day",
                    delta_color="off",
                    delta_arrow="off",
                    border=True,
                    height="stretch",
                )
            st.metric(
                "Impact",
                change(row["impact"], currency),
                signed_percent(share) if share is not None else None,
                delta_color="inverse",
                border=True,
                height="stretch",
            )
        figure = Figure(
            row["first_day"],
            row["last_day"] + timedelta(days=1),
            row["metric"],
            currency,
            series_filters(row),
        )
        around = Figure(figure.start - AROUND, figure.end + AROUND, figure.metric, currency, figure.filters)
        history = breakdown.query(around, steps="day")
        tables.chart(
            charts.event(history, figure.metric, currency, row["first_day"], row["last_day"]),
            history,
            text=f"Daily cost of {series_name(row)} around the event, whose days are shaded",
        )
        rows_link(figure, "Bill rows of these days")
        drivers.show(row, figure)
        feedback_form(row)


page()
