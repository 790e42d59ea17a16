"""What is known of the costs to come: the list of planned changes, and the form that marks one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import streamlit as st
from pydantic import ValidationError

from finops_assets.decisions.plans import KnownPlan, known_plans, mark, withdraw
from finops_assets.plan_settings import KINDS, PlannedChange
from finops_assets.queries.costs import Metric
from finops_assets.queries.dimensions import Filter
from finops_assets.queries.forecasts import series_filters
from finops_assets.queries.plans import commitments_ending, published_plan_ids, scope_values
from streamlit_app import data, login
from streamlit_app.format import COST_LABELS, day, exact, markdown

ALL = "All costs"
EVERY = "All of them"
LABELS = {
    "launch": "Launch",
    "change": "Change",
    "end": "End",
    "one_off": "One-off",
    "credit_end": "Credit runs out",
}
_NARROWER = {"billing_account": "Billing account", "sub_account": "Account", "service": "Service"}


def section(row: dict[str, Any], until: date, currency: str, metric: Metric) -> None:
    """Commitments of the series that end by `until`, the changes that are marked now, and the form."""
    with st.container(border=True):
        st.subheader("Known in advance")
        settings = data.settings()
        if row["level"] not in {"region", "tag"}:  # it is leaves whose commitments end
            _commitments(series_filters(row), until, currency, metric)
        if not data.may("platform"):
            st.caption("Changes that others plan are of all bills; you see a part of them.")
            return
        known = known_plans(settings.planned_changes, settings.paths.decisions)
        if known:
            published = data.ask(published_plan_ids)
            for plan in known:
                _listed(plan, in_forecast=plan.plan_id in published)
        else:
            st.caption(
                "Nothing is marked. A launch, a change of costs, an end or a one-off that is marked moves "
                "the forecast from its day on, and does not mislead it once it is past."
            )
        if data.may("decide"):
            _form(currency, metric)


def described(plan: PlannedChange) -> str:
    """What changes, by how much and when, in words."""
    percent, amount = plan.signed_percent, plan.signed_amount
    if amount is not None and plan.currency is not None:
        size = f"{_signed(amount, plan.currency)} a day"
    else:
        size = "all of it" if percent == -100 else f"{percent:+f}%"
    scope = " · ".join(plan.scope.values()) or "all costs"
    cost = f" ({COST_LABELS[plan.metric]})" if plan.metric else ""
    if plan.end is None:
        when = f"from {day(plan.first_day)} on"
    elif plan.end == plan.first_day:
        when = f"on {day(plan.end)}"
    else:
        when = f"from {day(plan.first_day)} to {day(plan.end)}"
    return f"{LABELS[plan.kind]}, {scope}: {size} {when}{cost}"


def _commitments(filters: Sequence[Filter], until: date, currency: str, metric: Metric) -> None:
    found = data.ask(commitments_ending, metric, currency=currency, filters=tuple(filters))
    for row in found.to_pylist():
        if row["first_day"] > until:
            continue
        name = row["ContractCommitmentDescription"] or row["ContractCommitmentId"].rpartition("/")[2]
        kind = row["ContractCommitmentType"] or "Commitment"
        ends = f"{kind} {name} ends on {day(row['first_day'] - timedelta(days=1))}"
        if row["renewed_by"] is not None:
            after = f"{row['renewed_by']} takes its place"
        else:
            after = f"{_signed(row['a_day'], currency)} a day from then"
            if row["fees_a_month"]:
                after += f", {_signed(row['fees_a_month'], currency)} a month in fees"
        st.markdown(f":material/event_busy: {markdown(ends)}: {markdown(after)}")


def _signed(amount: Decimal, currency: str) -> str:
    return f"{'+' if amount > 0 else ''}{exact(amount, currency)}"


def _listed(known: KnownPlan, *, in_forecast: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        note = f" — {markdown(known.plan.note)}" if known.plan.note else ""
        st.markdown(f"{markdown(described(known.plan))}{note}", width="stretch")
        if in_forecast:
            st.badge("In the forecast", color="green", icon=":material/check:")
        else:
            st.badge("From the next analysis on", color="orange", icon=":material/hourglass_empty:")
        if known.origin == "finops.toml":
            st.badge("finops.toml", color="gray")
        elif data.may("decide") and st.button(
            "Withdraw", key=f"withdraw_{known.plan_id}", icon=":material/undo:"
        ):
            settings = data.settings()
            withdraw(
                settings.paths.decisions,
                known.plan_id,
                settings.planned_changes,
                author=data.principal().author("page"),
                said_at=datetime.now(UTC),
            )
            login.noted("withdraw", f"planned-changes/{known.plan_id}")
            st.rerun()


def _form(currency: str, metric: Metric) -> None:
    with st.expander("Mark a change", icon=":material/add:"):
        scope: dict[str, str] = {}
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            kind = st.selectbox(
                "What",
                list(KINDS),
                format_func=lambda k: f"{LABELS[k]}: {KINDS[k]}",
                key="plan_kind",
                width=360,
            )
            provider = st.selectbox(
                "Of", (ALL, *data.ask(scope_values, "provider", {})), key="plan_provider", width=240
            )
            if provider != ALL:
                scope["provider"] = provider
                for key, label in _NARROWER.items():
                    values = data.ask(scope_values, key, dict(scope))
                    chosen = st.selectbox(label, (EVERY, *values), key=f"plan_{key}", width=240)
                    if chosen != EVERY:
                        scope[key] = chosen
        with st.form("new_plan", border=False):
            with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
                first = st.date_input("From", value=date.today() + timedelta(days=1), width=160)  # noqa: DTZ011 - the user's own day
                last = st.date_input("Until", value=None, width=160, help="Its last day; empty: it stays.")
                amount = st.text_input(f"{currency} a day", placeholder="120.40", width=140)
                percent = st.text_input("or percent", placeholder="15", width=120)
                both = st.checkbox(f"Not only of the {COST_LABELS[metric].lower()}", value=True)
                note = st.text_input("Why", width=320)
            if st.form_submit_button("Mark", icon=":material/check:", type="primary"):
                _mark(
                    {
                        "kind": kind,
                        "from": first,
                        "until": last,
                        "amount": amount.strip() or None,
                        "currency": currency if amount.strip() else None,
                        "percent": percent.strip() or None,
                        "metric": None if both else metric,
                        "note": note.strip(),
                        **scope,
                    }
                )


def _mark(given: dict[str, Any]) -> None:
    try:
        plan = PlannedChange.model_validate(given)
    except ValidationError as error:
        for fault in error.errors():
            key = ".".join(str(part) for part in fault["loc"])
            says = markdown(fault["msg"].removeprefix("Value error, "))
            st.error(f"{key}: {says}" if key else says, icon=":material/error:")
        return
    known = mark(
        data.settings().paths.decisions,
        plan,
        author=data.principal().author("page"),
        said_at=datetime.now(UTC),
    )
    said = plan.model_dump_json(by_alias=True, exclude_none=True)
    login.noted("mark", f"planned-changes/{known.plan_id}", said)
    st.rerun()
