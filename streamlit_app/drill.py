"""What is behind a figure: its resources, its bill rows that add up to it, each row as it was delivered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import streamlit as st

from finops_assets.queries.resources import RESOURCE, resources
from finops_assets.queries.rows import RowCursor, RowNotFoundError, RowPage, RowQuery, cost_rows, native_row
from streamlit_app import data, tables
from streamlit_app.format import COST_LABELS, NOTHING, count, exact, label, markdown
from streamlit_app.links import Figure, rows_link

PAGE_ROWS = 200
MOST_RESOURCES = 500

_COLUMNS: dict[str, Any] = {
    "ChargePeriodStart": st.column_config.DatetimeColumn(
        "Charged from", format="D MMM YYYY, HH:mm", timezone="UTC"
    ),
    "ServiceName": "Service",
    "SubAccountName": "Account",
    "ResourceId": st.column_config.TextColumn("Resource", width="medium"),
    "ChargeDescription": st.column_config.TextColumn("Charge", width="medium"),
    "ChargeCategory": "Category",
    "x_File": st.column_config.TextColumn("File", help="The delivered file, relative to its source."),
    "x_RowNumber": st.column_config.NumberColumn("Row", format="%,d", help="From 1, header not counted."),
    "x_BillId": st.column_config.TextColumn("Bill", help="The delivery; see the page Bills."),
    "x_Source": "Source",
}


def rows_behind(figure: Figure, *, key: str, expected: Decimal | None = None) -> None:
    """The rows of `figure`, a page at a time, with their exact sum. `expected` is the figure shown above."""
    state = f"{key}_pages"
    asked = st.session_state.get(state)
    cursors: list[RowCursor | None] = asked[1] if asked is not None and asked[0] == figure else [None]
    page = data.ask(
        cost_rows,
        RowQuery(
            start=figure.start,
            end=figure.end,
            filters=figure.filters,
            metric=figure.metric,
            currency=figure.currency,
            after=cursors[-1],
            limit=PAGE_ROWS,
        ),
    )
    _sum(page.totals.get(figure.currency), page.total_rows, figure, expected)
    if not page.rows.num_rows:
        return
    columns = {
        figure.metric: tables.money_column(COST_LABELS[figure.metric], figure.currency),
        **{c: config for c, config in _COLUMNS.items() if c in page.rows.column_names},
    }
    chosen = tables.select_row(
        page.rows,
        columns,
        alt="The bill rows behind the figure, with file and row number",
        key=f"{key}_rows_{len(cursors)}",
        height=360,
        name=f"bill-rows-{figure.start}-{(len(cursors) - 1) * PAGE_ROWS + 1}",
    )
    _pager(figure, cursors, page, key)
    if chosen is None:
        st.caption("Choose a row to see it as the provider delivered it.")
    else:
        _delivered(page.rows.slice(chosen, 1).to_pylist()[0])


def resources_behind(figure: Figure, *, key: str) -> None:
    """The resources of `figure`, the costliest first, and the bill rows of the one that is chosen."""
    found = data.ask(
        resources,
        RowQuery(
            figure.start, figure.end, figure.filters, figure.metric, figure.currency, limit=MOST_RESOURCES
        ),
    )
    if not found.table.num_rows:
        return
    others = (
        f" {count(found.others, 'other resource')} come to "
        f"{markdown(exact(found.other_cost, figure.currency))}."
        if found.others
        else ""
    )
    columns = {
        RESOURCE: st.column_config.TextColumn("Resource", width="large"),
        "ResourceName": "Name",
        "ResourceType": "Type",
        figure.metric: tables.money_column(COST_LABELS[figure.metric], figure.currency),
        "x_RowCount": st.column_config.NumberColumn("Bill rows", format="%,d"),
    }
    chosen = tables.select_row(
        tables.named(found.table, [RESOURCE]),
        columns,
        alt="The resources behind the figure, the costliest first",
        key=f"{key}_table",
        height=tables.fitted(found.table, 300),
        name=f"resources-{figure.start}-{figure.end}",
        whole=found.table,
        note=f"Choose a resource to see its bill rows.{others}",
    )
    if chosen is not None:
        line = found.table.slice(chosen, 1).to_pylist()[0]
        own = figure.only([RESOURCE], [line[RESOURCE]])
        rows_behind(own, key=f"{key}_rows", expected=line[figure.metric])
        rows_link(own, "The rows of this resource as a page of their own")


def _sum(total: Decimal | None, rows: int, figure: Figure, expected: Decimal | None) -> None:
    amount = markdown(exact(total or Decimal(0), figure.currency))
    text = f"**{count(rows, 'bill row')}** add up to **{amount}**"
    if expected is None:
        st.markdown(text)
    elif (total or Decimal(0)) == expected:
        st.markdown(f"{text} :green-badge[:material/check: exactly the figure above]")
    else:
        st.markdown(
            f"{text} :red-badge[:material/error: the figure above is "
            f"{markdown(exact(expected, figure.currency))}]"
        )


def _pager(figure: Figure, cursors: list[RowCursor | None], page: RowPage, key: str) -> None:
    state, rows = f"{key}_pages", page.rows
    first = (len(cursors) - 1) * PAGE_ROWS + 1
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Rows {first:,}–{first + rows.num_rows - 1:,} of {page.total_rows:,}", width="content")
        st.button(
            "Back",
            icon=":material/chevron_left:",
            key=f"{key}_back",
            disabled=len(cursors) == 1,
            on_click=_turn,
            args=(state, figure, cursors[:-1]),
        )
        st.button(
            "Next",
            icon=":material/chevron_right:",
            key=f"{key}_next",
            disabled=page.next_cursor is None,
            on_click=_turn,
            args=(state, figure, [*cursors, page.next_cursor]),
        )


def _turn(state: str, figure: Figure, cursors: list[RowCursor | None]) -> None:
    st.session_state[state] = (figure, cursors)


def _delivered(row: dict[str, Any]) -> None:
    try:
        delivered = data.ask(native_row, row["x_BillId"], row["x_File"], row["x_RowNumber"])
    except RowNotFoundError as error:
        st.warning(str(error), icon=":material/search_off:")
        return
    st.markdown(
        f"**As delivered**: row {row['x_RowNumber']:,} of `{row['x_File']}`, bill `{row['x_BillId']}`"
    )
    filled = {str(name): value for name, value in delivered.items() if value is not None and value != ""}
    tables.show(
        pa.table({"Column": list(filled), "Value": [_text(v) for v in filled.values()]}),
        {"Column": "Column", "Value": "Value"},
        height=320,
        alt="The row as the provider delivered it: every column that has a value",
    )


def _text(value: object) -> str:
    if value is None:
        return NOTHING
    return f"{value:f}" if isinstance(value, Decimal) else label(str(value))
