"""What a page says when it has nothing to show, cannot show it, or shows something old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import streamlit as st

from finops_assets.queries import snapshot as snapshots
from streamlit_app import data
from streamlit_app.format import ago, count

STALE_AFTER = timedelta(hours=36)
"""The daily schedule publishes once a day; half a day more than that is late."""

_RUN = "finops run"


def nothing_published(where: str) -> None:
    """The empty state of the whole dashboard: no snapshot exists yet."""
    st.title("Welcome", icon=":material/waving_hand:")
    st.info(
        "Bring bills in and publish them once; the dashboard fills by itself after that. "
        "Without a configured source, demo bills of AWS, Azure and Google Cloud are written first.",
        title="Nothing has been published yet",
        icon=":material/inbox:",
    )
    st.code(_RUN, language="bash")
    st.caption(f"Looked in `{where}`. Or materialize the asset `warehouse` in Dagster.")
    if st.button("Look again", icon=":material/refresh:", type="primary"):
        st.rerun()


def failed(problem: str, version: int | None) -> None:
    """The failed state: the question could not be answered. The rest of the dashboard stays usable."""
    st.error(
        "The question could not be answered from the published snapshot"
        + (f" {version}. " if version else ". ")
        + "Publish again with `finops run`; other pages may still work.",
        title="This page could not be shown",
        icon=":material/error:",
    )
    st.code(problem, language=None, wrap_lines=True)
    if st.button("Try again", icon=":material/refresh:", type="primary"):
        st.rerun()


def nothing_here(title: str, what_to_do: str) -> None:
    """The empty state of one page or card: no rows for what was asked."""
    st.info(what_to_do, title=title, icon=":material/search_off:")


@st.fragment(run_every="20s")
def snapshot_note() -> None:
    """In the sidebar: which snapshot this is, how old, and whether a newer one has come."""
    shown = data.ask(snapshots.snapshot)
    now = datetime.now(UTC)
    st.caption(
        f":material/database: Snapshot {shown.version} · {ago(shown.published_at, now)}",
        help=f"Published {shown.published_at:%Y-%m-%d %H:%M} UTC. Every figure here is of this snapshot.",
    )
    if data.day_shown() is not None:
        return
    if data.newest_version() != shown.version:
        st.info("New data has been published.", icon=":material/update:")
        if st.button("Show it", key="show_new", width="stretch", type="primary"):
            st.rerun()
    elif now - shown.published_at > STALE_AFTER:
        late = count((now - shown.published_at) // timedelta(hours=1), "hour")
        st.warning(f"Nothing new for {late}. Is the daily schedule on?", icon=":material/schedule:")
