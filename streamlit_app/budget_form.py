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
from finops_assets.queries.costs import CostQuery, Filter, costs
from finops_assets.queries.dimensions import tag_dimension
from streamlit_app import data, filters, login
from streamlit_app.format import COST_LABELS, exact, markdown

ALL, OF_TAG = "All costs", "A tag"
OF_PROVIDER, OF_BOTH = "All of it", "Service of an account"

_PARTS = {
    "Billing account": ("billing_account", "BillingAccountId"),
    "Account": ("sub_account", "SubAccountId"),
    "Service": ("service", "ServiceName"),
    "Region": ("region", "RegionId"),
}

_METRICS = ("EffectiveCost", "BilledCost")


def in_force() -> list[KnownBudget]:
    """Every budget that is set now, in finops.toml or here."""
    settings = data.settings()
    return known_budgets(settings.budgets, settings.paths.decisions)


def form(*, expanded: bool) -> None:
    """Set a budget: its scope first, as that offers what follows from it."""
    known = filters.covered_days()
    with st.expander("Set a budget", icon=":material/add:", expanded=expanded):
        scope = _scope()
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
                        **scope,
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
    if not data.may("decide") or not any(k.budget.name == name and k.origin == "api" for k in in_force()):
        return
    with st.popover("Remove", icon=":material/delete:"):
        st.write("Its past periods are left out too, from the next analysis on.")
        if st.button("Remove it", key=f"remove_{name}", type="primary"):
            settings = data.settings()
            remove_budget(
                settings.paths.decisions,
                name,
                settings.budgets,
                author=data.principal().author("page"),
                said_at=datetime.now(UTC),
            )
            login.noted("remove", f"budgets/{name}")
            st.rerun()


def _set(given: dict[str, Any]) -> None:
    settings = data.settings()
    try:
        budget = Budget.model_validate(given)
        set_budget(
            settings.paths.decisions,
            budget,
            settings.budgets,
            author=data.principal().author("page"),
            said_at=datetime.now(UTC),
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
        login.noted("set", f"budgets/{budget.name}", budget.model_dump_json(by_alias=True, exclude_none=True))
        st.rerun()


def _scope() -> dict[str, str | None]:
    """What the budget is of, chosen one after the other: each choice offers what follows from it."""
    tags = data.settings().tag_keys
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        offered = (ALL, *_values("ServiceProviderName"), *([OF_TAG] if tags else []))
        chosen = st.selectbox("Of", offered, key="new_provider", width=240)
        if chosen == ALL:
            return {}
        if chosen == OF_TAG:
            key = st.selectbox("Tag", tags, key="new_tag_key", width=160)
            value = st.selectbox("Value", _values(tag_dimension(key)), key=f"new_{key}", width=240)
            return {"tag_key": key, "tag_value": value}
        here = Filter("ServiceProviderName", (chosen,))
        part = st.segmented_control(
            "Which part", (OF_PROVIDER, *_PARTS, OF_BOTH), default=OF_PROVIDER, required=True, key="new_part"
        )
        if part in _PARTS:
            name, column = _PARTS[part]
            value = st.selectbox(part, _values(column, here), key=f"new_{column}", width=320)
            return {"provider": chosen, name: value}
        if part != OF_BOTH:
            return {"provider": chosen}
        account = st.selectbox("Account", _values("SubAccountId", here), key="new_account", width=240)
        own = Filter("SubAccountId", (account,))
        payer = st.selectbox(
            "Billing account", _values("BillingAccountId", here, own), key="new_payer", width=240
        )
        service = st.selectbox(
            "Service",
            _values("ServiceName", here, own, Filter("BillingAccountId", (payer,))),
            key="new_service",
            width=320,
        )
        return {
            "provider": chosen, "billing_account": payer, "sub_account": account, "service": service
        }  # fmt: skip


def _values(column: str, *within: Filter) -> list[str]:
    """The names of one dimension among some costs, the costliest first; a budget may be of none but these."""
    known = filters.covered_days()
    asked = CostQuery(known.first, known.last + timedelta(days=1), group_by=(column,), filters=within)
    found = data.ask(costs, asked)[column].to_pylist()
    return list(dict.fromkeys(name for name in found if name is not None))
