"""Who looks at the pages: the lock before them, logging in and out, and what is kept of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import streamlit as st

from finops_assets.access.audit import AuditLog, Entry
from finops_assets.access.binding import is_asked_here, is_loopback
from finops_assets.access.principal import LOOPBACK, ForbiddenError, Principal
from finops_assets.access.tokens import principal_of
from streamlit_app import data
from streamlit_app.format import markdown

_SEEN = "_audited"


def enter() -> Principal | None:
    """Who looks, for this run of the page; None when they may not, and the screen says what to do."""
    access = data.settings().access
    if not access.is_locked:
        if _from_elsewhere():
            _closed(
                "This dashboard has no lock, so it serves its own machine only. Open it there, or set up "
                "[access.oidc] in finops.toml."
            )
            return None
        return _entered(LOOPBACK)
    oidc = access.oidc
    if oidc is None or not oidc.has_login:
        _closed(
            "The lock is on, and nobody can log in here: API keys are for programs. Set client_id, "
            "client_secret, cookie_secret and dashboard_url in [access.oidc] of finops.toml."
        )
        return None
    claims = st.user.to_dict()
    since = claims.get("iat")
    is_old = not isinstance(since, int | float) or time.time() - since > oidc.login_hours * 3600
    if not claims.get("is_logged_in") or is_old:
        _ask_in("Log in to see the costs that you may see.")
        return None
    try:
        return _entered(principal_of(claims, access, oidc, "login"))
    except ForbiddenError as error:
        _closed(str(error))
        st.button("Log in as somebody else", icon=":material/logout:", on_click=st.logout)
        return None


def note() -> None:
    """In the sidebar: who is logged in, and the way out."""
    who = data.principal()
    if who.means == "loopback":
        return
    st.caption(
        f":material/person: {markdown(who.name)} · {who.role}",
        help=f"You see {who.scope}." if not who.scope.is_whole else "You see all bills.",
    )
    st.button("Log out", icon=":material/logout:", on_click=st.logout, width="stretch", key="log_out")


def audited(page: str) -> None:
    """Keep in the audit log that a page was opened, or that it shows something else now."""
    who = data.principal()
    address = "&".join(
        f"{name}={value}" for name in st.query_params for value in st.query_params.get_all(name)
    )
    seen = (who.name, page, address)
    if who.means == "loopback" or st.session_state.get(_SEEN) == seen:
        return
    st.session_state[_SEEN] = seen
    noted("open", page, address)


def noted(action: str, place: str, parameters: str = "") -> None:
    """Keep in the audit log what was seen or changed; nothing is kept while the lock is off."""
    who = data.principal()
    if who.means == "loopback":
        return
    written = _log(str(data.settings().paths.access)).append(
        Entry(
            at=datetime.now(UTC),
            principal=who.name,
            means=who.means,
            role=who.role,
            face="dashboard",
            action=action,
            place=place,
            parameters=parameters,
            status=0,
            request_id="",
            client=_address(),
        )
    )
    written.result(timeout=30)


def _entered(who: Principal) -> Principal:
    data.let_in(who)
    return who


def _ask_in(says: str) -> None:
    st.title("FinOps", icon=":material/savings:")
    st.info(says, icon=":material/lock:")
    st.button("Log in", icon=":material/login:", type="primary", on_click=st.login)


def _closed(says: str) -> None:
    st.title("FinOps", icon=":material/savings:")
    st.error(markdown(says), title="Closed", icon=":material/lock:")


def _address() -> str:
    """Where the browser is; '' for the machine itself, and for a run without a browser."""
    given = st.context.ip_address
    return given if isinstance(given, str) else ""


def _from_elsewhere() -> bool:
    """Whether the page is looked at from another machine, by a proxy, or by a name of another site."""
    address = _address()
    return (bool(address) and not is_loopback(address)) or not is_asked_here(st.context.headers)


@st.cache_resource(show_spinner=False)
def _log(store: str) -> AuditLog:
    return AuditLog(data.settings().paths.access)
