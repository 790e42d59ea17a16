"""Forecast record: what was said on a day, what came, and whether the backtest's promise was kept."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from finops_assets.queries import forecasts
from finops_assets.queries.costs import Metric
from finops_assets.queries.forecasts import series_filters
from streamlit_app import breakdown, charts_ahead, data, filters, live, states, tables
from streamlit_app.format import (
    COST_LABELS,
    change,
    compact,
    count,
    day,
    growth,
    markdown,
    money,
    percent,
    signed_percent,
)
from streamlit_app.links import Figure, rows_link
from streamlit_app.series import LEVELS, series_name

# How much of the past is drawn before what was said.
BEFORE = timedelta(days=30)

# A making of which so much has come tells enough to be shown first.
TELLING = timedelta(days=30)


def page() -> None:
    """Pick a series and a day of making; see both lines, their difference, and the ledger's record."""
    st.title("Forecast record")
    known = filters.covered_days()
    currency, metric = filters.currency(known), filters.metric()
    made = data.ask(forecasts.makings).to_pylist()
    every = data.ask(forecasts.forecast_series)
    offered = every.filter(
        pc.and_(pc.equal(every["BillingCurrency"], currency), pc.equal(every["metric"], metric))
    )
    if not offered.num_rows:
        states.nothing_here(
            f"No forecast of the {COST_LABELS[metric].lower()} in {currency}",
            "Choose another cost or currency in the sidebar. The asset `cost_forecasts` makes forecasts, "
            "once there is enough history: `finops run`.",
        )
        return
    row, making = _pick(offered.to_pylist(), made)
    asked = {
        "series_id": row["series_id"],
        "metric": metric,
        "currency": currency,
    }
    said = data.ask(forecasts.said_on, making["made_on"], row["level"], **asked)
    totals = data.ask(forecasts.said_totals, making["made_on"], row["level"], **asked).to_pylist()
    if not totals:
        states.nothing_here(
            f"Nothing was said of {series_name(row)} on {day(making['made_on'])}",
            "Choose another day of making: the series began later.",
        )
        return
    _series(row, said, totals[0], metric, currency)
    _record(row["level"], metric, currency, making["made_on"])


def _pick(rows: list[dict[str, Any]], made: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    levels = {name: key for key, name in LEVELS.items() if any(r["level"] == key for r in rows)}
    first = next(iter(levels))
    days = {making["made_on"].isoformat(): making for making in made}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        level = st.segmented_control(
            "Level", list(levels), default=first, required=True, key="of", bind="query-params"
        )
        own = {series_name(r): r for r in rows if r["level"] == levels[level or first]}
        name = next(iter(own))
        if len(own) > 1:
            name = st.selectbox("Series", list(own), key="series", bind="query-params", width=360) or name
        chosen = st.selectbox(
            "Said on",
            list(days),
            index=_telling(made),
            key="made_on",
            bind="query-params",
            width=180,
            help="The days on which forecasts were made, the newest first. Each is kept as it was made.",
        )
    return own[name], days[chosen]


def _telling(made: list[dict[str, Any]]) -> int:
    """The newest making of which a month has come, else the oldest one."""
    for place, making in enumerate(made):
        if making["came_until"] - making["data_until"] >= TELLING:
            return place
    return len(made) - 1


def _series(
    row: dict[str, Any], said: pa.Table, total: dict[str, Any], metric: Metric, currency: str
) -> None:
    until: date = said["data_until"][0].as_py()
    narrowed = series_filters(row)
    came = (
        Figure(total["first_day"], total["last_day"] + timedelta(days=1), metric, currency, narrowed)
        if total["days"]
        else None
    )
    if came is None:
        states.nothing_here(
            "Nothing of it has come yet",
            f"It was said from data up to {day(until)}, and no day since is complete. The chart shows what "
            "was said; what came will stand beside it as the bills arrive.",
        )
    else:
        _cards(total, currency)
    with st.container(border=True):
        st.subheader(markdown(series_name(row)))
        end = came.end if came is not None else until + timedelta(days=1)
        history = breakdown.query(Figure(until - BEFORE, end, metric, currency, narrowed), steps="day")
        tables.chart(
            charts_ahead.forecast(history, said, metric, currency),
            history,
            text=f"What was said of {series_name(row)}, with the 80% and 95% bands, and what came",
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.caption(
                f"Orange: what {said['model'][0].as_py()} said from data up to {day(until)}, with its 80% "
                "and 95% bands. Blue: what came, as it is known now.",
                width="stretch",
            )
            if came is not None:
                rows_link(came, "Bill rows of what came")
        _days(said, currency)


def _cards(total: dict[str, Any], currency: str) -> None:
    share = growth(total["actual"], total["said"])
    with st.grid(4, min_column_width=160):
        for label, name in (("Said", "said"), ("Came", "actual")):
            st.metric(
                label,
                compact(total[name], currency),
                count(total["days"], "day"),
                delta_color="off",
                delta_arrow="off",
                delta_description=f"up to {day(total['last_day'])}",
                help=markdown(money(total[name], currency)),
                border=True,
                height="stretch",
            )
        st.metric(
            "Error of the total",
            change(total["error"], currency),
            signed_percent(share) if share is not None else None,
            delta_color="off",
            delta_arrow="off",
            delta_description=f"days: {percent(total['wape'])}",
            help="Said minus came. Of the days: their absolute errors over their costs (WAPE); days that "
            "were too dear and too cheap do not cancel out there.",
            border=True,
            height="stretch",
        )
        st.metric(
            "Days inside the 80% band",
            percent(total["inside_80"] / total["days"], 0),
            f"{percent(total['inside_95'] / total['days'], 0)} inside the 95% band",
            delta_color="off",
            delta_arrow="off",
            help=f"{total['inside_80']} and {total['inside_95']} of {count(total['days'], 'day')}.",
            border=True,
            height="stretch",
        )


def _days(said: pa.Table, currency: str) -> None:
    with st.expander("Day by day"):
        tables.show(
            said,
            {
                "day": st.column_config.DateColumn("Day", format="ddd D MMM YYYY"),
                "mean": tables.money_column("Said", currency),
                "actual": tables.money_column("Came", currency),
                "error": tables.money_column("Error", currency, signed=True),
                "lo_80": tables.money_column("80% from", currency),
                "hi_80": tables.money_column("80% to", currency),
                "lo_95": tables.money_column("95% from", currency),
                "hi_95": tables.money_column("95% to", currency),
            },
            alt="What was said and what came, day by day",
            height=tables.fitted(said),
            name="said",
        )


def _record(level: str, metric: str, currency: str, made_on: date) -> None:
    with st.container(border=True):
        st.subheader(f"The ledger's record: {LEVELS[level].lower()} level")
        this = f"Made on {day(made_on)}"
        shown = st.segmented_control(
            "Makings", ("All makings", this), default="All makings", required=True, key="makings",
            label_visibility="collapsed",
        )  # fmt: skip
        table = live.beside_backtest(level, metric, currency, made_on if shown == this else None)
        if not table.num_rows:
            st.caption(
                "Nothing to judge yet: a horizon counts once all of its days have come, a month once it is "
                "complete."
            )
            return
        share: dict[str, Any] = {"format": "percent"}
        tables.show(
            table,
            {
                "horizon": "Ahead",
                "wape": st.column_config.NumberColumn("Error (WAPE)", **share),
                "promised_wape": st.column_config.NumberColumn("Backtest said", **share),
                "bias": st.column_config.NumberColumn("Bias", **share),
                "promised_bias": st.column_config.NumberColumn("Backtest's bias", **share),
                "coverage_80": st.column_config.NumberColumn("In 80% band", **share),
                "promised_coverage_80": st.column_config.NumberColumn("Backtest in 80%", **share),
                "coverage_95": st.column_config.NumberColumn("In 95% band", **share),
                "promised_coverage_95": st.column_config.NumberColumn("Backtest in 95%", **share),
                "windows": st.column_config.NumberColumn("Makings", format="%,d"),
                "series": st.column_config.NumberColumn("Series", format="%,d"),
            },
            alt="How right the forecasts turned out, by horizon, beside their backtest",
        )
        st.caption(
            "All series of the level, by what was in force when it was made. The backtest is that of the "
            "models in force now."
        )


page()
