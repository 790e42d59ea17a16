"""The drawings of what is expected: days and months ahead with their bands, a budget's burn-down."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import altair as alt
import pandas as pd
import pyarrow as pa

from streamlit_app.axes import money_axis, month_axis, time_axis
from streamlit_app.charts import ACCENT, HIGHLIGHT, UP, AnyChart, frame


def forecast(
    history: pa.Table, ahead: pa.Table, metric: str, currency: str, *, height: int = 380
) -> AnyChart:
    """What was, what is expected, and the 80% and 95% bands around it.

    `history`: period and the metric; `ahead`: day, mean, lo_80, hi_80, lo_95, hi_95.
    """
    past, future = frame(history), frame(ahead)
    axis = alt.X("yearmonthdate(period):T", title=None, axis=time_axis("%-d %b"))
    ahead_axis = alt.X("yearmonthdate(day):T", title=None)
    y_axis = money_axis(currency)
    band = alt.Chart(future).encode(x=ahead_axis)
    tips = [
        alt.Tooltip("day:T", title="Day", format="%a %d %b %Y"),
        alt.Tooltip("mean:Q", title=f"Expected ({currency})", format=",.2f"),
        alt.Tooltip("lo_80:Q", title="80% from", format=",.2f"),
        alt.Tooltip("hi_80:Q", title="80% to", format=",.2f"),
        alt.Tooltip("lo_95:Q", title="95% from", format=",.2f"),
        alt.Tooltip("hi_95:Q", title="95% to", format=",.2f"),
    ]
    layers = [
        band.mark_area(opacity=0.14, color=HIGHLIGHT).encode(
            y=alt.Y("lo_95:Q", title=None, axis=y_axis), y2="hi_95:Q"
        ),
        band.mark_area(opacity=0.24, color=HIGHLIGHT).encode(y="lo_80:Q", y2="hi_80:Q"),
        alt.Chart(past)
        .mark_line(strokeWidth=1.6, color=ACCENT)
        .encode(
            x=axis,
            y=alt.Y(f"{metric}:Q", title=None, axis=y_axis),
            tooltip=[
                alt.Tooltip("period:T", title="Day", format="%a %d %b %Y"),
                alt.Tooltip(f"{metric}:Q", title=f"Cost ({currency})", format=",.2f"),
            ],
        ),
        band.mark_line(strokeWidth=1.8, color=HIGHLIGHT).encode(y="mean:Q", tooltip=tips),
    ]
    return alt.layer(*layers).properties(height=height)


def months_ahead(
    history: pa.Table, ahead: pa.Table, metric: str, currency: str, *, height: int = 320
) -> AnyChart:
    """Months that were and months that are expected, with the 80% and 95% bands as lines on their bars.

    `history`: period and the metric, up to what has come of the month under way; `ahead`: month, mean,
    actual, lo_80, hi_80, lo_95, hi_95.
    """
    past, future = frame(history), frame(ahead)
    past["at"] = [f"{d:%Y-%m}" for d in past["period"]]
    future["at"] = [f"{d:%Y-%m}" for d in future["month"]]
    x = alt.X("at:O", title=None, axis=month_axis())
    amount = money_axis(currency)
    tips = [
        alt.Tooltip("month:T", title="Month", format="%B %Y"),
        alt.Tooltip("mean:Q", title=f"Expected ({currency})", format=",.2f"),
        alt.Tooltip("actual:Q", title="Of it so far", format=",.2f"),
        alt.Tooltip("lo_80:Q", title="80% from", format=",.2f"),
        alt.Tooltip("hi_80:Q", title="80% to", format=",.2f"),
        alt.Tooltip("lo_95:Q", title="95% from", format=",.2f"),
        alt.Tooltip("hi_95:Q", title="95% to", format=",.2f"),
    ]
    expected = alt.Chart(future).encode(x=x, tooltip=tips)
    layers = [
        expected.mark_bar(cornerRadius=2, color=HIGHLIGHT, opacity=0.45).encode(
            y=alt.Y("mean:Q", title=None, axis=amount)
        ),
        alt.Chart(past)
        .mark_bar(cornerRadius=2, color=ACCENT)
        .encode(
            x=x,
            y=alt.Y(f"{metric}:Q", title=None, axis=amount),
            tooltip=[
                alt.Tooltip("period:T", title="Month", format="%B %Y"),
                alt.Tooltip(f"{metric}:Q", title=f"Cost ({currency})", format=",.2f"),
            ],
        ),
        expected.mark_rule(color=HIGHLIGHT, strokeWidth=1.5).encode(y="lo_95:Q", y2="hi_95:Q"),
        expected.mark_rule(color=HIGHLIGHT, strokeWidth=4).encode(y="lo_80:Q", y2="hi_80:Q"),
    ]
    return alt.layer(*layers).properties(height=height)


def burn_down(
    days: pa.Table, amount: Decimal, currency: str, crossing: date | None, *, height: int = 320
) -> AnyChart:
    """Running totals of a budget's period: what was charged, what is expected and its 80% band.

    `days`: day, actual, expected, lo_80, hi_80, all running totals; `crossing` is a mark on its line.
    """
    data = frame(days)
    x = alt.X("yearmonthdate(day):T", title=None, axis=time_axis("%-d %b"))
    base = alt.Chart(data).encode(x=x)
    total = alt.Y("actual:Q", title=None, axis=money_axis(currency))
    line = alt.Chart(pd.DataFrame({"amount": [float(amount)]}))
    layers = [
        base.mark_area(opacity=0.24, color=HIGHLIGHT).encode(
            y=alt.Y("lo_80:Q", title=None, axis=money_axis(currency)), y2="hi_80:Q"
        ),
        line.mark_rule(strokeWidth=1.6, strokeDash=[6, 4], color=UP).encode(y="amount:Q"),
        base.mark_line(strokeWidth=2, strokeDash=[5, 4], color=HIGHLIGHT).encode(y="expected:Q"),
        base.mark_line(strokeWidth=2.2, color=ACCENT).encode(y=total),
        base.mark_point(opacity=0, size=90)
        .encode(
            y="reached:Q",
            tooltip=[
                alt.Tooltip("day:T", title="Up to", format="%a %d %b %Y"),
                alt.Tooltip("actual:Q", title=f"Spent ({currency})", format=",.2f"),
                alt.Tooltip("expected:Q", title=f"Expected ({currency})", format=",.2f"),
                alt.Tooltip("lo_80:Q", title="80% from", format=",.2f"),
                alt.Tooltip("hi_80:Q", title="80% to", format=",.2f"),
            ],
        )
        .transform_calculate(reached="isValid(datum.actual) ? datum.actual : datum.expected"),
    ]
    if crossing is not None:
        mark = pd.DataFrame({"day": [crossing], "amount": [float(amount)]})
        layers.append(
            alt.Chart(mark)
            .mark_point(filled=True, size=110, color=UP, opacity=1)
            .encode(x=x, y="amount:Q", tooltip=[alt.Tooltip("day:T", title="Crossed", format="%a %d %b %Y")])
        )
    return alt.layer(*layers).properties(height=height)
