"""Cost by some dimensions over time: the chart, the table with shares and trends, the rows behind a line.

The cost explorer and the provider pages are both this, with other words around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from finops_assets.queries.costs import CostQuery, Granularity, MissingRateError, costs
from streamlit_app import charts, conversion, data, deeper, drill, filters, tables
from streamlit_app.axes import PALETTE
from streamlit_app.filters import Period
from streamlit_app.format import compact, count, day, label, markdown, money, signed_percent
from streamlit_app.format import growth as growth_of
from streamlit_app.links import Figure, rows_link

CHART_GROUPS = PALETTE - 1
"""More colors than this cannot be told apart; the rest is drawn as one."""

Steps = Literal["day", "week", "month"]


def query(
    figure: Figure, groups: Sequence[str] = (), steps: Granularity = "none", limit: int | None = None
) -> pa.Table:
    """The figure's costs by groups and steps of time; columns as queries.costs.costs() gives them."""
    return data.ask(costs, asked(figure, groups, steps, limit))


def asked(
    figure: Figure, groups: Sequence[str] = (), steps: Granularity = "none", limit: int | None = None
) -> CostQuery:
    """The question that gives the figure by groups and steps of time."""
    return CostQuery(
        start=figure.start,
        end=figure.end,
        group_by=tuple(groups),
        filters=figure.filters,
        granularity=steps,
        metric=figure.metric,
        currency=None if figure.converted else figure.currency,
        limit=limit,
        convert_to=figure.currency if figure.converted else None,
    )


def total(figure: Figure) -> tuple[Decimal, int]:
    """The figure itself and how many bill rows it sums."""
    table = query(figure)
    if not table.num_rows:
        return Decimal(0), 0
    return pc.sum(table[figure.metric]).as_py() or Decimal(0), pc.sum(table["x_RowCount"]).as_py()


def cards(figure: Figure, before: Period | None) -> None:
    """The total against another period, the mean of a day beside the highest one, the bill rows."""
    currency = figure.currency
    now, rows = total(figure)
    then, rows_then = Decimal(0), 0
    if before is not None:
        try:
            then, rows_then = total(replace(figure, start=before.start, end=before.end))
        except MissingRateError:  # no rates so far back: nothing to compare with, and the figure stands
            before = None
    share = growth_of(then, now)
    daily = query(figure, steps="day")
    covered = max(daily.num_rows, 1)
    highest = daily.sort_by([(figure.metric, "descending")]).slice(0, 1).to_pylist()[0]
    with st.grid(3):
        st.metric(
            "Total",
            money(now, currency),
            None if share is None else signed_percent(share),
            delta_color="inverse",
            delta_description=None if share is None or before is None else f"vs. {before.text}",
            border=True,
            height="stretch",
        )
        st.metric(
            "A day, on average",
            money(now / covered, currency),
            f"highest: {compact(highest[figure.metric], currency)}",
            delta_color="off",
            delta_arrow="off",
            delta_description=f"on {day(highest['period'])}",
            border=True,
            height="stretch",
        )
        st.metric(
            "Bill rows",
            f"{rows:,}",
            f"{rows_then:,} before" if rows_then else f"on {count(covered, 'day')}",
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
        )


def over_time(figure: Figure, groups: Sequence[str], labels: Sequence[str], steps: Steps) -> None:
    """The chart."""
    table = query(figure, groups, steps, CHART_GROUPS if groups else None)
    chart = charts.costs_over_time(table, groups, figure.metric, figure.currency, steps)
    text = f"Cost by {steps}" + (f" and {', '.join(labels)}" if labels else "")
    tables.chart(chart, table, text=text)


@st.fragment
def by_group(
    figure: Figure,
    groups: Sequence[str],
    labels: Mapping[str, str],
    steps: Steps,
    key: str,
    beside: pa.Table | None = None,
) -> None:
    """The table, one row a group, and the bill rows behind the row that is chosen.

    `beside` is that of comparison.by_group: the same costs with those of another period.
    """
    table = _with_share(query(figure, groups) if beside is None else beside, figure.metric)
    table = table.append_column("trend", _trends(figure, groups, table, steps))
    columns = {
        **{c: labels[c] for c in groups},
        figure.metric: tables.money_column("Cost", figure.currency),
        **(
            {
                "before": tables.money_column("Before", figure.currency),
                "change": tables.money_column("Change", figure.currency, signed=True),
            }
            if beside is not None
            else {}
        ),
        "share": st.column_config.ProgressColumn("Share", format="%.1f%%", min_value=0, max_value=100),
        "trend": st.column_config.AreaChartColumn(f"By {steps}", width="medium"),
        "x_RowCount": st.column_config.NumberColumn("Bill rows", format="%,d"),
    }
    chosen = tables.select_row(
        tables.named(table, groups),
        columns,
        alt=f"Cost by {', '.join(labels[c] for c in groups)}",
        key=f"{key}_table",
        height=tables.fitted(table),
        name=f"costs-{figure.start}-{figure.end}",
        whole=table.drop_columns(["share", "trend"]),
        note=f"{count(table.num_rows, 'line')}. Choose one to see the bill rows behind it.",
    )
    if chosen is None:
        if not figure.converted:
            rows_link(figure, "Bill rows behind the total")
        return
    line = table.slice(chosen, 1).to_pylist()[0]
    narrowed = figure.only(groups, [line[c] for c in groups])
    with st.container(border=True):
        name = " · ".join(label(line[c]) for c in groups)
        st.subheader(f"{markdown(name)}: {markdown(money(line[figure.metric], figure.currency))}")
        if figure.converted:
            conversion.bills_behind(narrowed, key=f"{key}_line")
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            behind = st.segmented_control(
                "Behind it",
                ("Bill rows", "Resources"),
                default="Bill rows",
                required=True,
                key=f"{key}_behind",
                label_visibility="collapsed",
            )
            deeper.deeper_link(narrowed, filters.dimension_names())
            rows_link(narrowed, "These rows as a page of their own")
        if behind == "Resources":
            drill.resources_behind(narrowed, key=f"{key}_resources")
        else:
            drill.rows_behind(narrowed, key=f"{key}_drill", expected=line[figure.metric])


def by_step(figure: Figure, groups: Sequence[str], labels: Mapping[str, str], steps: Steps, key: str) -> None:
    """The table of the chart: one row a period and group, every group of it."""
    table = query(figure, groups, steps)
    columns = {
        "period": st.column_config.DateColumn(steps.capitalize(), format="D MMM YYYY"),
        **{c: labels[c] for c in groups},
        figure.metric: tables.money_column("Cost", figure.currency),
        "x_RowCount": st.column_config.NumberColumn("Bill rows", format="%,d"),
    }
    tables.show(
        tables.named(table, groups),
        columns,
        alt=f"Cost by {steps}",
        height=tables.fitted(table),
        name=f"costs-by-{steps}-{figure.start}-{figure.end}",
        whole=table,
    )


def _with_share(table: pa.Table, metric: str) -> pa.Table:
    table = table.sort_by([(metric, "descending")])
    amounts = table[metric].cast(pa.float64())
    whole = pc.sum(pc.if_else(pc.greater(amounts, 0), amounts, 0)).as_py() or 1.0
    return table.append_column(
        "share", pc.max_element_wise(pc.multiply(pc.divide(amounts, whole), 100.0), 0.0)
    )


def _trends(figure: Figure, groups: Sequence[str], table: pa.Table, steps: Steps) -> pa.Array:
    """For each row of `table`, its cost step by step, zero where it has none."""
    stepped = query(figure, groups, steps)
    periods = sorted(set(stepped["period"].to_pylist()))
    position = {p: i for i, p in enumerate(periods)}
    lines: dict[tuple[str | None, ...], list[float]] = {}
    amounts = stepped[figure.metric].cast(pa.float64()).to_pylist()
    keys = zip(*(stepped[c].to_pylist() for c in groups), strict=True)
    for key, period, amount in zip(keys, stepped["period"].to_pylist(), amounts, strict=True):
        lines.setdefault(key, [0.0] * len(periods))[position[period]] = amount
    rows = zip(*(table[c].to_pylist() for c in groups), strict=True)
    return pa.array([lines.get(row, []) for row in rows], pa.list_(pa.float64()))
