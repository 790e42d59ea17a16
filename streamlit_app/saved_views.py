"""In the sidebar: the views that people saved, as links, and a form for those who may save the one shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from finops_assets.decisions.views import View, remove_view, save_view, saved_views
from streamlit_app import data, login
from streamlit_app.format import markdown


def menu(page: StreamlitPage, pages: Sequence[StreamlitPage]) -> None:
    """A menu of all saved views; each opens its page with the filters that were saved.

    Who may not change what all share opens them, and neither saves nor removes one.
    """
    by_path = {p.url_path: p for p in pages}
    # A view of a page that is no more has nowhere to lead.
    views = [v for v in saved_views(data.settings().paths.decisions) if v.page in by_path]
    with st.popover("Views", icon=":material/bookmarks:", width="stretch"):
        if not views:
            st.caption("None yet. A view is a page with its filters, under a name.")
        for view in views:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.page_link(
                    by_path[view.page],
                    label=markdown(view.name),
                    icon=by_path[view.page].icon or ":material/bookmark:",
                    query_params={name: list(values) for name, values in view.address.items()},
                    width="stretch",
                )
                if data.may("views"):
                    st.button(
                        "Remove",
                        icon=":material/close:",
                        key=f"remove_view_{view.name}",
                        type="tertiary",
                        on_click=_remove,
                        args=(view.name,),
                    )
        if not data.may("views"):
            return
        with st.form("save_view", clear_on_submit=True, border=False):
            name = st.text_input("Name of the view", max_chars=100, placeholder="Such as: AWS by team")
            saved = st.form_submit_button("Save what is shown", icon=":material/bookmark_add:")
        if saved:
            _save(name, page)


def _save(name: str, page: StreamlitPage) -> None:
    if not name.strip():
        st.warning("Give it a name.", icon=":material/edit:")
        return
    address = {key: st.query_params.get_all(key) for key in st.query_params}
    now = datetime.now(UTC)
    save_view(
        data.settings().paths.decisions,
        View(name, page.url_path, address),
        author=data.principal().author(""),
        said_at=now,
    )
    login.noted("save", f"views/{name}", page.url_path)
    st.toast(f"Saved: {name}", icon=":material/bookmark_added:")
    st.rerun()


def _remove(name: str) -> None:
    remove_view(
        data.settings().paths.decisions, name, author=data.principal().author(""), said_at=datetime.now(UTC)
    )
    login.noted("remove", f"views/{name}")
