"""Axes, colors and legends that all charts share.

Colors of groups come from the theme (`.streamlit/config.toml`), so charts follow light and dark.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import altair as alt

from streamlit_app.format import OTHER, SYMBOLS

PALETTE = 10
"""How many colors the theme has for groups; the last is the grey of what is left over."""


# A phone has room for two names beside each other.
_COLUMNS = {"expr": "width < 480 ? 2 : 4"}


def money_axis(currency: str, *, ticks: int = 6) -> alt.Axis:
    """An axis of amounts: `$1.2k`, `$3M`."""
    return alt.Axis(labelExpr=short("datum.value", currency), tickCount=ticks, domain=False, ticks=False)


def short(value: str, currency: str) -> str:
    """A Vega expression that writes an amount short: the unit G is B for people who read bills."""
    sign = SYMBOLS.get(currency, currency + " ")
    number = f"replace(format(abs({value}), '.3~s'), 'G', 'B')"
    small = f"format(abs({value}), ',.2~f')"
    return f"({value} < 0 ? '−' : '') + '{sign}' + (abs({value}) < 1 ? {small} : {number})"


def name_axis() -> alt.Axis:
    """An axis of names, every one written."""
    return alt.Axis(labelLimit=190, labelOverlap=False, ticks=False, domain=False, grid=False)


def time_axis(label_format: str) -> alt.Axis:
    """An axis of days."""
    return alt.Axis(format=label_format, labelOverlap=True, grid=False, ticks=False, tickCount=8)


def month_axis() -> alt.Axis:
    """An axis of months given as '2026-01': the month, and the year where it begins."""
    text = "timeFormat(toDate(datum.value + '-01T00:00:00'), '%b')"
    year = "slice(datum.value, 5) == '01' || datum.index == 0 ? slice(datum.value, 0, 4) : ''"
    return alt.Axis(labelExpr=f"[{text}, {year}]", labelAngle=0, grid=False, ticks=False, labelOverlap=True)


def legend(**options: Any) -> alt.Legend:
    """A legend above the chart, close to it."""
    return alt.Legend(orient="top", title=None, padding=0, offset=12, **options)


def group_color(
    order: Sequence[str], field: str = "group", shown: Collection[str] | None = None
) -> alt.Color:
    """The theme's colors in this order; what is added up as other gets the last one, a grey."""
    domain = list(order)
    if OTHER in domain:
        domain.remove(OTHER)
        domain += [f"unused {n}" for n in range(len(domain), PALETTE - 1)] + [OTHER]
    listed = [group for group in order if shown is None or group in shown]
    return alt.Color(
        f"{field}:N",
        sort=list(order),
        scale=alt.Scale(domain=domain),
        legend=legend(columns=_COLUMNS, labelLimit=230, symbolLimit=12, values=listed),
    )
