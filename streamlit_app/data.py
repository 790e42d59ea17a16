"""The pages' only way to the warehouse: one reader a process, answers cached by snapshot, scope and question.

A page run is pinned to one snapshot: the one in force, or that of a past day. When a refresh publishes a
newer one in the middle of a run, the run starts again on the newer one, so that no page ever mixes two states
of the bills.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import streamlit as st

from finops_assets.access.principal import Principal
from finops_assets.access.roles import Permission
from finops_assets.access.scope import Scope
from finops_assets.queries.access import Reader, Warehouse, as_known_on, open_warehouse, pinned, within
from finops_assets.settings import Settings, current_settings

P = ParamSpec("P")
R = TypeVar("R")

_PINNED, _DAY, _WHO = "_snapshot_version", "_snapshot_day", "_principal"


class _MovedError(Exception):
    """A newer snapshot is in force than the one the page shows."""


def settings() -> Settings:
    """The process's settings. Raises ConfigError."""
    return current_settings()


def let_in(who: Principal) -> None:
    """Say who looks in this run: only what they may see is answered."""
    st.session_state[_WHO] = who


def principal() -> Principal:
    """Who looks. Raises KeyError before anybody was let in."""
    return cast("Principal", st.session_state[_WHO])


def may(permission: Permission) -> bool:
    """Whether who looks may do that; what they may not do is not shown."""
    return principal().may(permission)


def newest_version() -> int:
    """The version in force now. Raises NotPublishedError."""
    return _warehouse(str(settings().paths.warehouse)).version()


def oldest_day() -> date:
    """The oldest day that can be shown as it was known at its end. Raises NotPublishedError."""
    return _warehouse(str(settings().paths.warehouse)).oldest_day()


def pin(day: date | None = None) -> int:
    """Bind this session's run to the version in force, or to the one at the end of `day`.

    Raises NotPublishedError, NotKeptError.
    """
    version = as_known_on(_warehouse(str(settings().paths.warehouse)), day).version()
    st.session_state[_PINNED] = version
    st.session_state[_DAY] = day
    return version


def day_shown() -> date | None:
    """The past day whose knowledge this run shows; None where it shows what is known now."""
    return cast("date | None", st.session_state.get(_DAY))


def ask(question: Callable[Concatenate[Reader, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The answer of one function of finops_assets.queries, from the cache where it was asked before.

    Starts the page again when it has shown an older snapshot than the one in force. Raises what the
    question raises.
    """
    name = f"{question.__module__}.{question.__qualname__}"
    root = str(settings().paths.warehouse)
    version = cast("int", st.session_state[_PINNED])
    try:
        scope = principal().scope.to_json()
        return cast(
            "R", _answer(root, version, scope, name, args, kwargs, _question=question, _day=day_shown())
        )
    except _MovedError:
        st.rerun()


@st.cache_data(max_entries=2000, show_spinner=False)
def _answer(
    root: str,
    version: int,
    scope: str,
    name: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    _question: Callable[..., Any],
    _day: date | None,
) -> Any:
    with pinned(as_known_on(within(_warehouse(root), Scope.from_json(scope)), _day)) as held:
        if held.version() != version:
            raise _MovedError
        return _question(held, *args, **kwargs)


@st.cache_resource(show_spinner=False)
def _warehouse(root: str) -> Warehouse:
    return open_warehouse(settings())
