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
from streamlit_app import breakdown, charts, data, filters, live, plan_form, states, tables
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
            charts.forecast(history, ahead, metric, currency),
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
    plan_form.section(row, row["last_day"], currency, metric)
    _tables(ahead, currency)
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
    best = _champion(row, figure.metric, figure.currency, NEAR)
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
            delta_description=f"{best['horizon']} days ahead" if best else None,
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


def _tables(ahead: pa.Table, currency: str) -> None:
    with st.container(border=True):
        shown = st.segmented_control(
            "By", ("By month", "By day"), default="By month", required=True, key="step", bind="query-params",
            label_visibility="collapsed",
        )  # fmt: skip
        table = ahead.select(["day", "mean", "lo_80", "hi_80", "lo_95", "hi_95"])
        by_month = shown != "By day"
        if by_month:
            month = pc.cast(pc.floor_temporal(table["day"], unit="month"), pa.date32())
            grouped = table.append_column("month", month).group_by("month", use_threads=False)
            table = grouped.aggregate(
                [("day", "count"), ("mean", "sum"), ("lo_80", "sum"), ("hi_80", "sum")]
            ).rename_columns(["day", "days", "mean", "lo_80", "hi_80"])
        columns = {
            "day": st.column_config.DateColumn(
                "Month" if by_month else "Day", format="MMMM YYYY" if by_month else "ddd D MMM YYYY"
            ),
            **({"days": st.column_config.NumberColumn("Days forecast")} if by_month else {}),
            "mean": tables.money_column("Expected", currency),
            "lo_80": tables.money_column("80% from", currency),
            "hi_80": tables.money_column("80% to", currency),
        }
        if not by_month:
            columns |= {
                "lo_95": tables.money_column("95% from", currency),
                "hi_95": tables.money_column("95% to", currency),
            }
        tables.show(
            table, columns, alt="The forecast", height=tables.fitted(table), name="forecast", whole=ahead
        )
        if by_month:
            st.caption("A month's bounds add up its days' bounds: wider than needed, never too sure.")


def _record(row: dict[str, Any], metric: str, currency: str) -> None:
    table = live.backtest(row["level"], metric, currency)
    if not table.num_rows:
        return
    since = live.errors_by_model(row["level"], metric, currency)
    keys = zip(*(table[name].to_pylist() for name in ("model", "is_champion", "horizon")), strict=True)
    table = table.append_column("since", pa.array([since.get(key) for key in keys], pa.float64()))
    with st.container(border=True):
        st.subheader(f"How right it was: {LEVELS[row['level']].lower()} level, backtested")
        tables.show(
            table,
            {
                "horizon": st.column_config.NumberColumn("Days ahead", format="%d"),
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
                    help="Error against repeating last week; below 1 is better.",
                ),
                "bias": st.column_config.NumberColumn("Bias", format="percent"),
                "coverage_80": st.column_config.NumberColumn("In 80% band", format="percent"),
                "coverage_95": st.column_config.NumberColumn("In 95% band", format="percent"),
                "series": st.column_config.NumberColumn("Series", format="%,d"),
                "windows": st.column_config.NumberColumn("Backtests", format="%,d"),
            },
            alt="Backtest errors by model and horizon",
        )


def _champion(row: dict[str, Any], metric: str, currency: str, horizon: int) -> dict[str, Any] | None:
    """The record of the model in force, at the horizon nearest to `horizon` days."""
    table = live.backtest(row["level"], metric, currency)
    best = [r for r in table.to_pylist() if r["is_champion"]]
    return min(best, key=lambda r: abs(r["horizon"] - horizon), default=None)


page()
