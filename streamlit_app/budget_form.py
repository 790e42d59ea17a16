"""The form that sets a budget, and the list of those that the next analysis will bring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st
from pydantic import ValidationError

from finops_assets.budget_settings import Budget
from finops_assets.decisions.budgets import (
    ConfiguredBudgetError,
    KnownBudget,
    known_budgets,
    remove_budget,
    set_budget,
)
from finops_assets.queries.costs import CostQuery, costs
from streamlit_app import data, filters
from streamlit_app.format import COST_LABELS, exact, markdown

ALL = "All costs"
OF_PROVIDER = "All of it"

_METRICS = ("EffectiveCost", "BilledCost")


def in_force() -> list[KnownBudget]:
    """Every budget that is set now, in finops.toml or here."""
    settings = data.settings()
    return known_budgets(settings.budgets, settings.paths.decisions)


def form(*, expanded: bool) -> None:
    """Set a budget: its scope first, as that offers what follows from it."""
    known = filters.covered_days()
    with st.expander("Set a budget", icon=":material/add:", expanded=expanded):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            provider = st.selectbox(
                "Of", (ALL, *_values("ServiceProviderName")), key="new_provider", width=240
            )
            part, value = OF_PROVIDER, None
            if provider != ALL:
                part = st.segmented_control(
                    "Which part",
                    (OF_PROVIDER, "Account", "Service"),
                    default=OF_PROVIDER,
                    required=True,
                    key="new_part",
                ) or OF_PROVIDER  # fmt: skip
            if part != OF_PROVIDER:
                column = "SubAccountId" if part == "Account" else "ServiceName"
                value = st.selectbox(part, _values(column, provider), key=f"new_{column}", width=320)
        with st.form("new_budget", border=False):
            with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
                name = st.text_input("Name", placeholder="Data platform", width=240)
                amount = st.text_input("Amount", placeholder="1000.00", width=160)
                currency = st.selectbox("Currency", filters.currencies(known), width=120)
                period = st.selectbox("A", ("month", "year"), width=120)
                metric = st.selectbox("Cost", _METRICS, format_func=lambda m: COST_LABELS[m], width=180)
                first = st.text_input(
                    "From",
                    placeholder="YYYY-MM",
                    width=120,
                    help="Its first month, if it has one; a year begins with it, else with January.",
                )
            if st.form_submit_button("Set", icon=":material/check:", type="primary"):
                _set(
                    {
                        "name": name.strip(),
                        "amount": amount.strip(),
                        "currency": currency,
                        "period": period,
                        "metric": metric,
                        "from": first.strip() or None,
                        "provider": None if provider == ALL else provider,
                        "sub_account": value if part == "Account" else None,
                        "service": value if part == "Service" else None,
                    }
                )


def waiting(published: set[str]) -> None:
    """Budgets that are set and that the published state does not know yet."""
    names = [k.budget for k in in_force() if k.budget.name not in published]
    if names:
        said = ", ".join(
            f"**{markdown(b.name)}** ({markdown(exact(b.amount, b.currency))} a {b.period})" for b in names
        )
        st.info(
            f"{said}: held against costs and forecast by the next analysis. `finops run` makes one now.",
            title="Set, and not held yet",
            icon=":material/hourglass_empty:",
        )


def removal(name: str) -> None:
    """A button that removes a budget that was set here, on a second click."""
    if not any(k.budget.name == name and k.origin == "api" for k in in_force()):
        return
    with st.popover("Remove", icon=":material/delete:"):
        st.write("Its past periods are left out too, from the next analysis on.")
        if st.button("Remove it", key=f"remove_{name}", type="primary"):
            settings = data.settings()
            remove_budget(
                settings.paths.decisions, name, settings.budgets, author="page", said_at=datetime.now(UTC)
            )
            st.rerun()


def _set(given: dict[str, Any]) -> None:
    settings = data.settings()
    try:
        budget = Budget.model_validate(given)
        set_budget(
            settings.paths.decisions, budget, settings.budgets, author="page", said_at=datetime.now(UTC)
        )
    except ValidationError as error:
        for fault in error.errors():
            key = ".".join(str(part) for part in fault["loc"]) or "scope"
            st.error(
                f"{key}: {markdown(fault['msg'].removeprefix('Value error, '))}", icon=":material/error:"
            )
    except ConfiguredBudgetError as error:
        st.error(markdown(f"{error}."), icon=":material/error:")
    else:
        st.rerun()


def _values(column: str, provider: str | None = None) -> list[str]:
    """The names of one dimension, the costliest first; a budget may be of none but these."""
    known = filters.covered_days()
    table = data.ask(
        costs,
        CostQuery(
            known.first,
            known.last + timedelta(days=1),
            group_by=("ServiceProviderName", column) if provider else (column,),
        ),
    )
    names = [
        row[column]
        for row in table.to_pylist()
        if row[column] is not None and provider in (None, row["ServiceProviderName"])
    ]
    return list(dict.fromkeys(names))
