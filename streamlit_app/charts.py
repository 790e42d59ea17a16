"""The drawings. Here, and only here, amounts become floats: pixels need no more, and tables stay exact.

Colors come from the theme (`.streamlit/config.toml`), so every chart follows light and dark; the few set
here are greys and signals that read on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, TypeAlias

import altair as alt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from streamlit_app.axes import group_color, legend, money_axis, month_axis, name_axis, short, time_axis
from streamlit_app.format import OTHER, label

AnyChart: TypeAlias = Any
"""Altair's own types do not survive its chained calls."""

GREY = "#94a3b8"
UP = "#d9476b"
DOWN = "#1d9a6c"
ACCENT = "#3b82f6"
HIGHLIGHT = "#e08a1e"

STATUS_COLORS = {
    "accepted": "#1d9a6c",
    "superseded": "#94a3b8",
    "quarantined": "#d9476b",
    "missing": "rgba(148,163,184,0.25)",
}

EXPECTED = "expected"

_PERIODS = {
    "day": ("%-d %b", "%a %d %b %Y"),
    "week": ("%-d %b", "week of %d %b %Y"),
    "month": ("%b %Y", "%B %Y"),
}


def frame(table: pa.Table) -> pd.DataFrame:
    """A table for drawing: decimals as floats, everything else as it is."""
    fields = [pa.field(f.name, pa.float64() if pa.types.is_decimal(f.type) else f.type) for f in table.schema]
    drawn: pd.DataFrame = table.cast(pa.schema(fields)).to_pandas()
    return drawn


def joined_labels(table: pa.Table, columns: Sequence[str]) -> list[str]:
    """One label for each row of the group-by columns: `AWS · Amazon EC2`."""
    if not columns:
        return ["Total"] * table.num_rows
    values = [[label(v) for v in table[c].to_pylist()] for c in columns]
    return [OTHER if OTHER in row else " · ".join(row) for row in zip(*values, strict=True)]


def costs_over_time(
    table: pa.Table,
    groups: Sequence[str],
    metric: str,
    currency: str,
    granularity: str,
    *,
    height: int = 340,
) -> AnyChart:
    """Stacked bars of a cost by period and group; the largest group lies at the bottom.

    `table` has the columns of queries.costs.costs(): period, the groups, the metric.
    """
    data = frame(table.select(["period", metric]))
    data["group"] = joined_labels(table, groups)
    totals = data.groupby("group")[metric].sum().sort_values(ascending=False)
    order = [g for g in totals.index if g != OTHER] + [g for g in totals.index if g == OTHER]
    data["rank"] = data["group"].map({g: i for i, g in enumerate(order)})
    axis_format, tip_format = _PERIODS[granularity]
    one = not groups
    return (
        alt.Chart(data)
        .mark_bar(cornerRadius=1.5, stroke=None)
        .encode(
            x=alt.X(
                "yearmonthdate(period):O",
                title=None,
                axis=alt.Axis(
                    format=axis_format, labelOverlap="greedy", labelAngle=0, grid=False, ticks=False
                ),
            ),
            y=alt.Y(f"sum({metric}):Q", title=None, axis=money_axis(currency)),
            color=alt.value(ACCENT) if one else group_color(order),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("period:T", title="Period", format=tip_format),
                alt.Tooltip("group:N", title=" · ".join(groups) or "All"),
                alt.Tooltip(f"sum({metric}):Q", title=f"Cost ({currency})", format=",.2f"),
            ],
        )
        .properties(height=height)
    )


def months_by_provider(
    table: pa.Table, providers: Sequence[str], metric: str, currency: str, *, height: int = 300
) -> AnyChart:
    """Cost by month and provider, stacked, with what is forecast of the running month drawn pale.

    `table` has period, ServiceProviderName, the metric and `forecast` (bool). `providers` are all that
    any of these charts shows, so that a provider has one color in all of them. Each month's total is
    written above its bar.
    """
    data = frame(table)
    data["ServiceProviderName"] = [label(v) for v in data["ServiceProviderName"]]
    data["month"] = [f"{d:%Y-%m}" for d in data["period"]]
    data["kind"] = ["forecast" if f else "actual" for f in data["forecast"]]
    data["rank"] = [2 * list(providers).index(p) for p in data["ServiceProviderName"]]
    data["rank"] += [100 if f else 0 for f in data["forecast"]]
    x = alt.X("month:O", title=None, axis=month_axis())
    bars = (
        alt.Chart(data)
        .mark_bar(cornerRadius=2)
        .encode(
            x=x,
            y=alt.Y(f"sum({metric}):Q", title=None, axis=money_axis(currency)),
            color=group_color(providers, "ServiceProviderName", shown=set(data["ServiceProviderName"])),
            order=alt.Order("rank:Q"),
            opacity=alt.Opacity(
                "kind:N", scale=alt.Scale(domain=["actual", "forecast"], range=[1, 0.35]), legend=None
            ),
            tooltip=[
                alt.Tooltip("period:T", title="Month", format="%B %Y"),
                alt.Tooltip("ServiceProviderName:N", title="Provider"),
                alt.Tooltip("kind:N", title="Kind"),
                alt.Tooltip(f"sum({metric}):Q", title=f"Cost ({currency})", format=",.2f"),
            ],
        )
    )
    totals = (
        alt.Chart(data)
        .transform_aggregate(total=f"sum({metric})", groupby=["month"])
        .transform_calculate(text=short("datum.total", currency))
        # On a phone the texts would run into each other.
        .mark_text(dy=-8, fontSize=11, color=GREY, opacity={"expr": "width < 480 ? 0 : 1"})
        .encode(x=x, y="total:Q", text="text:N")
    )
    return (bars + totals).properties(height=height)


def movers(table: pa.Table, currency: str) -> AnyChart:
    """Changes as bars to the right (more) and left (less). `table`: name, before, after, change."""
    data = frame(table)
    data["direction"] = ["more" if c > 0 else "less" for c in data["change"]]
    height = bars_height(len(data))
    return (
        alt.Chart(data)
        .mark_bar(cornerRadius=2, size=14)
        .encode(
            x=alt.X("change:Q", title=None, axis=money_axis(currency, ticks=5)),
            y=alt.Y("name:N", title=None, sort=None, axis=name_axis()),
            color=alt.Color(
                "direction:N", scale=alt.Scale(domain=["more", "less"], range=[UP, DOWN]), legend=None
            ),
            tooltip=[
                alt.Tooltip("name:N", title="What"),
                alt.Tooltip("before:Q", title=f"Before ({currency})", format=",.2f"),
                alt.Tooltip("after:Q", title=f"After ({currency})", format=",.2f"),
                alt.Tooltip("change:Q", title=f"Change ({currency})", format="+,.2f"),
            ],
        )
        .properties(height=height)
    )


def ranking(table: pa.Table, column: str, metric: str, currency: str) -> AnyChart:
    """The largest values of one dimension as horizontal bars."""
    data = frame(table.select([metric]))
    data["name"] = joined_labels(table, [column])
    height = bars_height(len(data))
    return (
        alt.Chart(data)
        .mark_bar(cornerRadius=2, size=14)
        .encode(
            x=alt.X(f"{metric}:Q", title=None, axis=money_axis(currency, ticks=5)),
            y=alt.Y("name:N", title=None, sort=None, axis=name_axis()),
            color=alt.value(ACCENT),
            tooltip=[
                alt.Tooltip("name:N", title="What"),
                alt.Tooltip(f"{metric}:Q", title=f"Cost ({currency})", format=",.2f"),
            ],
        )
        .properties(height=height)
    )


def event(
    history: pa.Table, metric: str, currency: str, first: date, last: date, *, height: int = 300
) -> AnyChart:
    """A series around an event, with the event's days shaded and marked. `history`: period, the metric."""
    data = frame(history)
    span = pd.DataFrame({"from": [first], "to": [last + timedelta(days=1)]})
    x = alt.X("yearmonthdate(period):T", title=None, axis=time_axis("%-d %b"))
    shade = (
        alt.Chart(span)
        .mark_rect(opacity=0.18, color=HIGHLIGHT)
        .encode(x="yearmonthdate(from):T", x2="yearmonthdate(to):T")
    )
    line = (
        alt.Chart(data)
        .mark_line(strokeWidth=1.6, color=ACCENT)
        .encode(x=x, y=alt.Y(f"{metric}:Q", title=None, axis=money_axis(currency)))
    )
    days = data[[first <= d <= last for d in data["period"]]]
    tooltip = [
        alt.Tooltip("period:T", title="Day", format="%a %d %b %Y"),
        alt.Tooltip(f"{metric}:Q", title=f"Cost ({currency})", format=",.2f"),
    ]
    marks = alt.Chart(days).mark_point(filled=True, size=60, color=UP, opacity=1).encode(x=x, y=f"{metric}:Q")
    hover = alt.Chart(data).mark_point(opacity=0, size=90).encode(x=x, y=f"{metric}:Q", tooltip=tooltip)
    return alt.layer(shade, line, marks, hover).properties(height=height)


def deliveries(data: pd.DataFrame, *, height: int) -> AnyChart:
    """Sources by month, each cell colored by the state of its bill. Columns: source, month, status, text."""
    statuses = [s for s in STATUS_COLORS if s in set(data["status"])]
    return (
        alt.Chart(data)
        .mark_rect(cornerRadius=3, stroke="transparent", strokeWidth=3)
        .encode(
            x=alt.X(
                "month:O",
                title=None,
                axis=month_axis(),
                scale=alt.Scale(paddingInner=0.12, paddingOuter=0.05),
            ),
            y=alt.Y(
                "source:N",
                title=None,
                axis=alt.Axis(labelLimit=160, ticks=False, domain=False),
                scale=alt.Scale(paddingInner=0.18, paddingOuter=0.1),
            ),
            color=alt.Color(
                "status:N",
                title=None,
                scale=alt.Scale(domain=statuses, range=[STATUS_COLORS[s] for s in statuses]),
                legend=legend(),
            ),
            tooltip=[
                alt.Tooltip("source:N", title="Source"),
                alt.Tooltip("month:N", title="Month"),
                alt.Tooltip("status:N", title="Status"),
                alt.Tooltip("text:N", title="Bill"),
            ],
        )
        .properties(height=height)
    )


def running_totals(
    now: pa.Table,
    then: pa.Table,
    ahead: pa.Table,
    metric: str,
    currency: str,
    names: tuple[str, str],
    *,
    height: int = 300,
) -> AnyChart:
    """Running totals by day of month: this month, what is expected of its rest (dashed), the month before.

    `now` and `then`: period and the metric; `ahead`: day and mean; `names`: of the two months.
    """
    this, last = names
    parts = [_running(now, "period", metric, this), _running(then, "period", metric, last)]
    if ahead.num_rows:
        reached = float(parts[0]["total"].iloc[-1]) if len(parts[0]) else 0.0
        rest = _running(ahead, "day", "mean", EXPECTED, start=reached)
        parts.append(pd.concat([parts[0].tail(1).assign(name=EXPECTED), rest]))
    data = pd.concat(parts)
    order = [this, EXPECTED, last]
    return (
        alt.Chart(data)
        .mark_line(strokeWidth=2, interpolate="step-after" if len(data) < 4 else "linear")
        .encode(
            x=alt.X(
                "number:Q",
                title=None,
                axis=alt.Axis(grid=False, tickMinStep=1, ticks=False),
                scale=alt.Scale(domain=[1, 31], nice=False),
            ),
            y=alt.Y("total:Q", title=None, axis=money_axis(currency)),
            color=alt.Color(
                "name:N",
                scale=alt.Scale(domain=order, range=[ACCENT, HIGHLIGHT, GREY]),
                legend=legend(),
            ),
            strokeDash=alt.StrokeDash(
                "name:N", scale=alt.Scale(domain=order, range=[[1, 0], [5, 4], [1, 0]]), legend=None
            ),
            tooltip=[
                alt.Tooltip("day:T", title="Up to", format="%a %d %b %Y"),
                alt.Tooltip("total:Q", title=f"Running total ({currency})", format=",.2f"),
            ],
        )
        .properties(height=height)
    )


def _running(table: pa.Table, day: str, metric: str, name: str, *, start: float = 0.0) -> pd.DataFrame:
    data = frame(table.select([day, metric])).sort_values(day)
    return pd.DataFrame(
        {
            "day": data[day],
            "number": [d.day for d in data[day]],
            "total": start + data[metric].cumsum(),
            "name": name,
        }
    )


def bars_height(bars: int) -> int:
    """Room for so many horizontal bars with their names, and the axis below them."""
    return 27 * max(bars, 1) + 45


def trend(table: pa.Table, metric: str) -> list[float]:
    """The metric's values for the small line inside a card."""
    return [float(v) for v in pc.fill_null(table[metric].cast(pa.float64()), 0.0).to_pylist()]
