"""The months to come of one series, on the page Forecast: how much, how sure, and how wrong it was before."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from finops_assets.queries.costs import Metric
from finops_assets.queries.forecast_months import forecast_months
from finops_assets.queries.forecasts import Level, series_filters
from streamlit_app import breakdown, charts_ahead, data, states, tables
from streamlit_app.format import day, markdown, percent
from streamlit_app.links import Figure, rows_link
from streamlit_app.series import series_name

BEFORE = 18
"""Months of the past that are drawn beside those to come."""


def section(row: dict[str, Any], currency: str, metric: Metric) -> None:
    """The chart and the table of a series' months; `row` as queries.forecasts.forecast_series() has it."""
    ahead = data.ask(
        forecast_months,
        cast("Level", row["level"]),
        series_id=row["series_id"],
        metric=metric,
        currency=currency,
    )
    with st.container(border=True):
        st.subheader(f"By month: {markdown(series_name(row))}")
        if not ahead.num_rows:
            states.nothing_here(
                "No forecast by month of this series yet",
                "The next making has one: `finops run`, or materialize the asset `cost_forecasts_monthly`.",
            )
            return
        figure = _past(row, ahead, metric, currency)
        history = breakdown.query(figure, steps="month")
        tables.chart(
            charts_ahead.months_ahead(history, ahead, metric, currency),
            history,
            text=f"Monthly cost of {series_name(row)} and its forecast to 18 months with 80% and 95% bands",
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.caption(_words(ahead), width="stretch")
            rows_link(figure, "Bill rows of these months")
        _table(ahead, currency)


def _past(row: dict[str, Any], ahead: pa.Table, metric: Metric, currency: str) -> Figure:
    first: date = ahead["month"][0].as_py()
    months = first.year * 12 + first.month - 1 - BEFORE
    start = date(months // 12, months % 12 + 1, 1)
    until: date = ahead["data_until"][0].as_py()
    return Figure(start, until + timedelta(days=1), metric, currency, series_filters(row))


def _words(ahead: pa.Table) -> str:
    """What is drawn, and how much of it was ever tried."""
    until = day(ahead["data_until"][0].as_py())
    text = (
        f"Blue: what the bill has up to {until}. Orange: what is expected; the thick line holds a month four "
        "times out of five, the thin one nineteen out of twenty. "
    )
    tried = [r for r in ahead.to_pylist() if r["wape"] is not None]
    if not tried:
        return text + "The history is too short to tell how wrong forecasts of months are."
    farthest, off = tried[-1]["horizon"], percent(tried[-1]["wape"])
    text += f"Months up to {farthest} ahead were off by {off} in the backtest"
    if farthest < ahead["horizon"][-1].as_py():
        return text + "; beyond, the history is too short to tell, and the bands widen."
    return text + "."


def _table(ahead: pa.Table, currency: str) -> None:
    way = pc.if_else(ahead["from_days"], "days added up", "by month")
    shown = ahead.append_column("way", way)
    tables.show(
        shown,
        {
            "month": st.column_config.DateColumn("Month", format="MMMM YYYY"),
            "mean": tables.money_column("Expected", currency),
            "actual": tables.money_column("Of it so far", currency),
            "lo_80": tables.money_column("80% from", currency),
            "hi_80": tables.money_column("80% to", currency),
            "lo_95": tables.money_column("95% from", currency),
            "hi_95": tables.money_column("95% to", currency),
            "wape": st.column_config.NumberColumn(
                "Typical error",
                format="percent",
                help="In the backtest, of months' totals so far ahead, all series of this level (WAPE). "
                "Empty: none reached so far.",
            ),
            "way": st.column_config.TextColumn(
                "Made", help="The days of the daily forecast added up, or forecast by month beyond them."
            ),
            "model": "Model",
        },
        alt="The forecast by month",
        height=tables.fitted(shown),
        name="forecast-by-month",
        whole=ahead,
    )
