"""Forecast: what each series is expected to cost, how sure that is, and how right it was before."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from finops_assets.queries import forecasts
from finops_assets.queries.costs import Metric
from finops_assets.queries.forecasts import series_filters
from streamlit_app import (
    breakdown,
    charts_ahead,
    data,
    filters,
    forecast_months,
    live,
    plan_form,
    states,
    tables,
)
from streamlit_app.format import COST_LABELS, compact, day, growth, markdown, money, percent, signed_percent
from streamlit_app.links import Figure, rows_link
from streamlit_app.series import LEVELS, series_name

HISTORIES = {"1 month": 31, "3 months": 92, "6 months": 183, "1 year": 366}
NEAR = 30


def page() -> None:
    """Pick a series; see its past, its future and the record of the model that made it."""
    st.title("Forecast")
    known = filters.covered_days()
    currency, metric = filters.currency(known), filters.metric()
    every = data.ask(forecasts.forecast_series)
    offered = every.filter(
        pc.and_(pc.equal(every["BillingCurrency"], currency), pc.equal(every["metric"], metric))
    )
    if not offered.num_rows:
        made = " and ".join(COST_LABELS[m] for m in sorted(set(every["metric"].to_pylist())))
        states.nothing_here(
            f"No forecast of the {COST_LABELS[metric].lower()} in {currency}",
            f"Forecast are: {made}. Choose one of them in the sidebar."
            if made
            else "The asset `cost_forecasts` makes them, once there is enough history: `finops run`.",
        )
        return
    row, span = _pick(offered.to_pylist())
    ahead = data.ask(
        forecasts.forecast,
        row["level"],
        series_id=row["series_id"],
        metric=metric,
        currency=currency,
    )
    figure = _past(row, span, metric, currency)
    _cards(row, ahead, figure)
    with st.container(border=True):
        st.subheader(markdown(series_name(row)))
        history = breakdown.query(figure, steps="day")
        tables.chart(
            charts_ahead.forecast(history, ahead, metric, currency),
            history,
            text=f"Daily cost of {series_name(row)} and its forecast, with the 80% and 95% bands",
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.caption(
                f"Made by {row['model']} from data up to {day(row['data_until'])}. "
                "The darker band holds a day four times out of five, the paler one nineteen out of twenty.",
                width="stretch",
            )
            rows_link(figure, "Bill rows of the history")
        _days(ahead, currency)
    forecast_months.section(row, currency, metric)
    plan_form.section(row, row["last_day"], currency, metric)
    _record(row, metric, currency)


def _pick(rows: list[dict[str, Any]]) -> tuple[dict[str, Any], int]:
    levels = {name: key for key, name in LEVELS.items() if any(r["level"] == key for r in rows)}
    first = next(iter(levels))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        level = st.segmented_control(
            "Level", list(levels), default=first, required=True, key="of", bind="query-params"
        )
        own = {series_name(r): r for r in rows if r["level"] == levels[level or first]}
        name = next(iter(own))
        if len(own) > 1:
            name = st.selectbox("Series", list(own), key="series", bind="query-params", width=360) or name
        span = st.segmented_control(
            "History", list(HISTORIES), default="3 months", required=True, key="history", bind="query-params"
        )
    return own[name], HISTORIES[span or "3 months"]


def _past(row: dict[str, Any], span: int, metric: Metric, currency: str) -> Figure:
    until: date = row["data_until"]
    return Figure(
        until - timedelta(days=span - 1), until + timedelta(days=1), metric, currency, series_filters(row)
    )


def _cards(row: dict[str, Any], ahead: pa.Table, figure: Figure) -> None:
    near = ahead.slice(0, NEAR)
    expected: Decimal = pc.sum(near["mean"]).as_py()
    recent, _ = breakdown.total(
        Figure(figure.end - timedelta(days=NEAR), figure.end, figure.metric, figure.currency, figure.filters)
    )
    share = growth(recent, expected)
    best = _champion(row, figure.metric, figure.currency)
    with st.grid(4, min_column_width=160):
        st.metric(
            f"Next {near.num_rows} days",
            compact(expected, figure.currency),
            signed_percent(share) if share is not None else None,
            delta_color="inverse",
            delta_description=f"vs. the last {NEAR} days",
            help=markdown(money(expected, figure.currency)),
            border=True,
            height="stretch",
        )
        st.metric(
            "A day, on average",
            compact(expected / max(near.num_rows, 1), figure.currency),
            f"{row['model']}",
            delta_color="off",
            delta_arrow="off",
            delta_description="won the backtest",
            border=True,
            height="stretch",
        )
        st.metric(
            "Typical error",
            percent(best["wape"]) if best else "–",
            f"{best['bias'] * 100:+.1f}% bias" if best else None,
            delta_color="off",
            delta_arrow="off",
            delta_description=f"{live.HORIZONS[best['horizon']]} ahead" if best else None,
            help="In the backtest: the daily errors over the daily costs (WAPE), all series of this level.",
            border=True,
            height="stretch",
        )
        st.metric(
            "Days inside the 80% band",
            percent(best["coverage_80"], 0) if best else "–",
            f"{percent(best['coverage_95'], 0)} inside the 95% band" if best else None,
            delta_color="off",
            delta_arrow="off",
            help="In the backtest. An honest 80% band holds 80% of the days: fewer and it is too narrow.",
            border=True,
            height="stretch",
        )


def _days(ahead: pa.Table, currency: str) -> None:
    with st.expander("Day by day"):
        tables.show(
            ahead,
            {
                "day": st.column_config.DateColumn("Day", format="ddd D MMM YYYY"),
                "mean": tables.money_column("Expected", currency),
                "lo_80": tables.money_column("80% from", currency),
                "hi_80": tables.money_column("80% to", currency),
                "lo_95": tables.money_column("95% from", currency),
                "hi_95": tables.money_column("95% to", currency),
            },
            alt="The forecast day by day",
            height=tables.fitted(ahead),
            name="forecast",
        )


def _record(row: dict[str, Any], metric: str, currency: str) -> None:
    table = live.backtest(row["level"], metric, currency)
    if not table.num_rows:
        return
    since = live.errors_by_model(row["level"], metric, currency)
    keys = zip(*(table[name].to_pylist() for name in ("model", "is_champion", "horizon")), strict=True)
    table = table.append_column("since", pa.array([since.get(key) for key in keys], pa.float64()))
    words = pa.array([live.HORIZONS[name] for name in table["horizon"].to_pylist()], pa.string())
    table = table.set_column(table.schema.get_field_index("horizon"), "horizon", words)
    with st.container(border=True):
        st.subheader(f"How right it was: {LEVELS[row['level']].lower()} level, backtested")
        tables.show(
            table,
            {
                "horizon": "Ahead",
                "model": "Model",
                "is_champion": st.column_config.CheckboxColumn("In force"),
                "wape": st.column_config.NumberColumn("Error (WAPE)", format="percent"),
                **(
                    {
                        "since": st.column_config.NumberColumn(
                            "Error so far",
                            format="percent",
                            help="The same of all makings that have come: see the page Forecast record.",
                        )
                    }
                    if since
                    else {}
                ),
                "mase": st.column_config.NumberColumn(
                    "MASE",
                    format="%.2f",
                    help="Error against repeating last week, or last month; below 1 is better.",
                ),
                "bias": st.column_config.NumberColumn("Bias", format="percent"),
                "coverage_80": st.column_config.NumberColumn("In 80% band", format="percent"),
                "coverage_95": st.column_config.NumberColumn("In 95% band", format="percent"),
                "series": st.column_config.NumberColumn("Series", format="%,d"),
                "windows": st.column_config.NumberColumn("Backtests", format="%,d"),
            },
            alt="Backtest errors by model and horizon",
        )


def _champion(row: dict[str, Any], metric: str, currency: str) -> dict[str, Any] | None:
    """The record of the model in force 30 days ahead, or 7 where no backtest reached so far."""
    table = live.backtest(row["level"], metric, currency)
    best = {r["horizon"]: r for r in table.to_pylist() if r["is_champion"]}
    return best.get("30d") or best.get("7d")


page()
