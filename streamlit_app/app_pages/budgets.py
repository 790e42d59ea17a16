"""Budgets: what may be spent, what it will come to, and the day by which it is too much."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from finops_assets.queries import budgets
from streamlit_app import budget_form, charts_ahead, data, filters, states, tables
from streamlit_app.format import COST_LABELS, compact, count, day, days, exact, label, markdown, money
from streamlit_app.links import Figure, rows_link
from streamlit_app.series import Color

STATES: dict[str, tuple[str, Color, str]] = {
    "crossed": ("Crossed", "red", "error"),
    "will_cross": ("Will be crossed", "red", "trending_up"),
    "at_risk": ("At risk", "orange", "warning"),
    "on_track": ("On track", "green", "check"),
    "kept": ("Kept", "green", "check"),
    "no_forecast": ("No forecast", "gray", "question_mark"),
}


def page() -> None:
    """A card for each budget; one of them opened; a form for another one."""
    st.title("Budgets")
    every = data.ask(budgets.budget_status, past=True)
    current = every.filter(every["is_current"]).to_pylist()
    if not current:
        states.nothing_here(
            "No budget is held against costs yet",
            "Set one below, by `PUT /api/v1/budgets/{name}`, or as `[[budgets]]` in finops.toml. "
            "The next analysis says how it stands.",
        )
    if data.day_shown() is None and data.may("platform"):
        budget_form.waiting({row["budget"] for row in current})
    if current:
        with st.grid(4, min_column_width=220):
            for row in current:
                _card(row)
        _opened(_pick(current), every)
    if data.day_shown() is None and data.may("decide"):
        budget_form.form(expanded=not current)


def _card(row: dict[str, Any]) -> None:
    word, color, icon = STATES[row["state"]]
    share = row["actual"] / row["amount"]
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{markdown(row['budget'])}**  \n:{color}-badge[:material/{icon}: {word}]")
        st.progress(
            min(max(float(share), 0.0), 1.0),
            text=markdown(
                f"{compact(row['actual'], row['BillingCurrency'])} of "
                f"{compact(row['amount'], row['BillingCurrency'])}"
            ),
        )
        st.caption(markdown(_outlook(row)))


def _outlook(row: dict[str, Any]) -> str:
    """What will be, in a sentence: the day where there is one, and how sure that is."""
    if row["state"] == "crossed":
        return f"Over since {day(row['crossed_on'])}."
    if row["expected"] is None:
        return "There is no forecast of what is left of it."
    sure = f"{_chance(row['crossing_probability'])} likely to end over"
    if row["crossing_day"] is not None:
        return f"Over by {day(row['crossing_day'])}; {sure}."
    if row["crossing_from"] is not None:
        return f"{sure}, as early as {day(row['crossing_from'])} in one case of ten."
    return f"{sure}."


def _chance(probability: float) -> str:
    """A probability that was read off a few hundred paths: never quite none or all."""
    return "<1%" if probability < 0.01 else ">99%" if probability > 0.99 else f"{probability:.0%}"


def _pick(current: list[dict[str, Any]]) -> dict[str, Any]:
    own = {row["budget"]: row for row in current}
    name = next(iter(own))
    if len(own) > 1:
        name = st.selectbox("Budget", list(own), key="budget", bind="query-params", width=360) or name
    return own[name]


def _opened(row: dict[str, Any], every: pa.Table) -> None:
    currency = row["BillingCurrency"]
    with st.container(border=True):
        st.subheader(f"{markdown(row['budget'])}: {days(row['first_day'], row['last_day'])}")
        st.caption(markdown(_scope(row)))
        _figures(row)
        crossing = row["crossed_on"] or row["crossing_day"]
        burnt = data.ask(budgets.burn_down, row["budget"])
        tables.chart(
            charts_ahead.burn_down(burnt, row["amount"], currency, crossing),
            burnt,
            text=f"Burn-down of {row['budget']}: {money(row['actual'], currency)} spent by "
            f"{day(row['data_until'])}, {money(row['expected'], currency)} expected by "
            f"{day(row['last_day'])}, of {money(row['amount'], currency)}. {_outlook(row)}",
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.caption(
                "Blue is spent, orange expected, the dashed red line the amount. The band holds the running "
                "total four times out of five.",
                width="stretch",
            )
            spent = budgets.spent_days(row)
            if spent is not None:
                rows_link(
                    Figure(
                        spent[0],
                        spent[1] + timedelta(days=1),
                        row["metric"],
                        currency,
                        budgets.budget_filters(row),
                    ),
                    "Bill rows of what was spent",
                )
            if data.day_shown() is None:
                budget_form.removal(row["budget"])
    _past(row, every)


def _scope(row: dict[str, Any]) -> str:
    names = filters.dimension_names()
    parts = [
        f"{names[f.column].label}: {label(f.values[0])}" if f.column in names else label(f.values[0])
        for f in budgets.budget_filters(row)
    ]
    scope = " · ".join(parts) or "All costs"
    where = "finops.toml" if row["origin"] == "finops.toml" else "the API or this page"
    return f"{scope}, {COST_LABELS[row['metric']].lower()} in {row['BillingCurrency']}; set in {where}."


def _figures(row: dict[str, Any]) -> None:
    currency = row["BillingCurrency"]
    left: Decimal = row["amount"] - row["actual"]
    band = f"{compact(row['lo_80'], currency)} – {compact(row['hi_80'], currency)}"
    with st.grid(4, min_column_width=160):
        _metric("Budget", row["amount"], currency, f"a {row['period']}")
        _metric("Spent", row["actual"], currency, f"by {day(row['data_until'])}")
        _metric("Left" if left >= 0 else "Over by", abs(left), currency, f"until {day(row['last_day'])}")
        _metric(
            "Expected at its end",
            row["expected"],
            currency,
            "no forecast" if row["expected"] is None else band,
        )


def _metric(label: str, amount: Decimal | None, currency: str, note: str) -> None:
    st.metric(
        label,
        compact(amount, currency),
        note,
        delta_color="off",
        delta_arrow="off",
        help=markdown(exact(amount, currency)),
        border=True,
        height="stretch",
    )


def _past(row: dict[str, Any], every: pa.Table) -> None:
    own = pc.and_(pc.equal(every["budget"], row["budget"]), pc.invert(every["is_current"]))
    past = every.filter(own)
    with st.container(border=True):
        st.subheader("How earlier periods ended")
        if not past.num_rows:
            st.caption("There is none with costs.")
            return
        words = [STATES[s][0] for s in past["state"].to_pylist()]
        past = past.append_column("outcome", pa.array(words, pa.string()))
        currency = row["BillingCurrency"]
        tables.show(
            past,
            {
                "first_day": st.column_config.DateColumn("From", format="D MMM YYYY"),
                "last_day": st.column_config.DateColumn("To", format="D MMM YYYY"),
                "outcome": "Outcome",
                "actual": tables.money_column("Spent", currency),
                "amount": tables.money_column("Budget", currency),
                "crossed_on": st.column_config.DateColumn("Over since", format="D MMM YYYY"),
            },
            alt=f"How earlier periods of {row['budget']} ended",
            height=tables.fitted(past),
        )
        over = words.count(STATES["crossed"][0])
        st.caption(f"Over in {count(over, 'period')} of {past.num_rows:,}, at the amount that is set now.")


page()
