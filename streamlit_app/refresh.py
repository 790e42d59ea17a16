"""Start a refresh of some sources and months in Dagster, watch it, stop it."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, date, datetime
from typing import Literal

import pyarrow as pa
import streamlit as st

from finops_assets.orchestrator.errors import OrchestratorDownError, OrchestratorRefusedError
from finops_assets.orchestrator.ingestions import Ingestion, Orchestrator, State
from finops_assets.orchestrator.selection import Selection
from finops_assets.settings import Settings
from streamlit_app import data, login, tables
from streamlit_app.filters import add_months
from streamlit_app.format import ago, count, markdown, month

_UNDER_WAY = {"queued", "running"}

_WORDS: dict[State, tuple[str, Literal["gray", "blue", "green", "red", "orange"], str]] = {
    "queued": ("Waiting", "gray", "hourglass_empty"),
    "running": ("Running", "blue", "sync"),
    "succeeded": ("Done", "green", "check"),
    "failed": ("Failed", "red", "error"),
    "canceled": ("Canceled", "orange", "block"),
}


def section() -> None:
    """The form, and everything that was started in the last day."""
    with st.container(border=True):
        st.subheader("Refresh")
        st.caption(
            "Sources are watched, and new deliveries are taken in by themselves. A refresh asks for some "
            "months at once; what is already taken in is recognized and left alone."
        )
        try:
            recent = _orchestrator(data.settings()).recent()
        except OrchestratorDownError as error:
            st.warning(str(error), title="Dagster does not answer", icon=":material/cloud_off:")
            return
        except OrchestratorRefusedError as error:
            st.error(str(error), title="Dagster refused the request", icon=":material/error:")
            return
        _form(data.settings())
    if recent:
        under_way = any(r.state in _UNDER_WAY for r in recent)
        with st.container(border=True):
            st.subheader("Started in the last 24 hours")
            # While one is under way the list asks again by itself; after that nothing does.
            st.fragment(_watched, run_every="3s" if under_way else None)(under_way)


def _form(settings: Settings) -> None:
    months = _months(settings.first_month)
    with st.form("refresh", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        sources = st.multiselect(
            "Sources", list(settings.sources), placeholder="All of them", key="refresh_sources"
        )
        first = st.selectbox(
            "From", months, index=min(1, len(months) - 1), format_func=_month, key="refresh_from"
        )
        last = st.selectbox("To", months, format_func=_month, key="refresh_to")
        sent = st.form_submit_button("Start", icon=":material/sync:", type="primary")
    if not sent:
        return
    if first > last:
        st.error(f"{_month(first)} lies after {_month(last)}: choose an earlier first month.")
        return
    chosen = tuple(s for s in settings.sources if not sources or s in sources)
    selection = Selection(first, last, chosen)
    try:
        started = _orchestrator(settings).launch(
            selection, f"dashboard-{uuid.uuid4()}", author=data.principal().author("")
        )
    except (OrchestratorDownError, OrchestratorRefusedError) as error:
        st.error(str(error), title="Nothing was started", icon=":material/error:")
        return
    login.noted("start", f"ingestion/{started}", f"{first}..{last} {','.join(chosen)}")
    st.toast(f"Started: {count(len(selection.partitions()), 'month')} of bills", icon=":material/sync:")
    st.rerun()


def _watched(was_under_way: bool) -> None:
    try:
        recent = _orchestrator(data.settings()).recent()
    except (OrchestratorDownError, OrchestratorRefusedError) as error:
        st.warning(str(error), title="Dagster stopped answering", icon=":material/cloud_off:")
        return
    if was_under_way and not any(r.state in _UNDER_WAY for r in recent):
        st.rerun()  # the whole page: it stops asking, and shows what has come
    for ingestion in recent:
        _one(ingestion)


def _one(found: Ingestion) -> None:
    word, color, icon = _WORDS[found.state]
    counts = Counter(found.partitions.values())
    ended = sum(n for state, n in counts.items() if state not in _UNDER_WAY)
    span = _month(found.selection.start)
    if found.selection.end != found.selection.start:
        span += f" to {_month(found.selection.end)}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(word, icon=f":material/{icon}:", color=color)
        st.markdown(f"**{markdown(', '.join(found.selection.sources))}**, {span}", width="content")
        started = datetime.fromtimestamp(found.requested_at, UTC)
        st.caption(f"started {ago(started, datetime.now(UTC))}", width="content")
        if found.state in _UNDER_WAY:
            st.button(
                "Cancel",
                icon=":material/stop_circle:",
                key=f"cancel_{found.id}",
                on_click=_cancel,
                args=(found.id,),
            )
    if found.state in _UNDER_WAY:
        st.progress(ended / len(found.partitions), text=f"{ended} of {len(found.partitions)} months of bills")
    elif found.state == "succeeded":
        st.caption("Taken in. What is new is published by itself; the note at the side says when.")
    if found.problem:
        st.code(found.problem, language=None, wrap_lines=True)
    with st.expander("By month and source", expanded=counts["failed"] > 0):
        parts = [(*key.split("|", 1), [_WORDS[state][0]]) for key, state in found.partitions.items()]
        listed = pa.table(
            {
                "month": [p[0] for p in parts],
                "source": [p[1] for p in parts],
                "state": pa.array([p[2] for p in parts], pa.list_(pa.string())),
            }
        )
        tables.show(
            listed,
            {
                "month": "Month",
                "source": "Source",
                "state": st.column_config.MultiselectColumn(
                    "State",
                    options=[w for w, _, _ in _WORDS.values()],
                    color=[c for _, c, _ in _WORDS.values()],
                ),
            },
            alt="The state of each month of each source in this refresh",
            height=tables.fitted(listed, 260),
            key=f"parts_{found.id}",
            name=f"refresh-{found.id}",
        )
        for run in found.run_ids:
            st.link_button("Dagster's log", f"{data.settings().services.dagster_address}/runs/{run}")


def _cancel(ingestion_id: str) -> None:
    try:
        _orchestrator(data.settings()).cancel(ingestion_id)
    except (OrchestratorDownError, OrchestratorRefusedError) as error:
        st.toast(f"Not canceled: {error}", icon=":material/error:")
        return
    login.noted("cancel", f"ingestion/{ingestion_id}")


def _months(first: str) -> list[str]:
    """Every month from `first` to the current one, the newest first."""
    newest = datetime.now(UTC).date().replace(day=1)
    oldest = date.fromisoformat(f"{first}-01")
    found = []
    while newest >= oldest:
        found.append(f"{newest:%Y-%m}")
        newest = add_months(newest, -1)
    return found


def _month(text: str) -> str:
    return month(date.fromisoformat(f"{text}-01"))


@st.cache_resource(show_spinner=False, on_release=Orchestrator.close)
def _connected(url: str) -> Orchestrator:
    return Orchestrator(url)


def _orchestrator(settings: Settings) -> Orchestrator:
    return _connected(settings.services.dagster_graphql)
