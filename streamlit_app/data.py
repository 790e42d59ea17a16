"""The pages' only way to the warehouse: one reader a process, answers cached by snapshot and question.

A page run is pinned to one snapshot. When a refresh publishes a newer one in the middle of a run, the run
starts again on the newer one, so that no page ever mixes two states of the bills.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import streamlit as st

from finops_assets.queries.access import open_warehouse
from finops_assets.settings import Settings, current_settings

P = ParamSpec("P")
R = TypeVar("R")

_PINNED = "_snapshot_version"


class MovedError(Exception):
    """A newer snapshot was published while a question was being answered: run the page again."""


def settings() -> Settings:
    """The process's settings. Raises ConfigError."""
    return current_settings()


def newest_version() -> int:
    """The version in force now. Raises NotPublishedError."""
    return cast("int", _warehouse(str(settings().paths.warehouse)).version())


def pin() -> int:
    """Bind this session's run to the version in force. Raises NotPublishedError."""
    version = newest_version()
    st.session_state[_PINNED] = version
    return version


def pinned_version() -> int:
    """The version that the page on the screen shows."""
    return cast("int", st.session_state[_PINNED])


def ask(question: Callable[Concatenate[Any, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The answer of one function of finops_assets.queries, from the cache where it was asked before.

    Raises what the question raises, and MovedError when a newer snapshot was published meanwhile.
    """
    name = f"{question.__module__}.{question.__qualname__}"
    root = str(settings().paths.warehouse)
    return cast("R", _answer(root, pinned_version(), name, args, kwargs, _question=question))


@st.cache_data(max_entries=2000, show_spinner=False)
def _answer(
    root: str,
    version: int,
    name: str,  # noqa: ARG001 - part of the cache's key, in place of the function
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    _question: Callable[..., Any],
) -> Any:
    warehouse = _warehouse(root)
    answer = _question(warehouse, *args, **kwargs)
    # The reader follows the pointer: had it moved before the question was asked, it would have moved by now.
    if warehouse.version() != version:
        raise MovedError
    return answer


@st.cache_resource(show_spinner=False)
def _warehouse(root: str) -> Any:  # noqa: ARG001 - the key: one reader for each place
    return open_warehouse(settings())
