"""Tables on the screen and their CSV files. Decimals reach both as they are."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import streamlit as st

from streamlit_app.format import NONE_LABEL, NOTHING

Height: TypeAlias = int | Literal["auto"]

MONEY_FORMAT = "%,.2f"


def money_column(label: str, currency: str, *, help: str | None = None, signed: bool = False) -> Any:
    """A column of amounts in one currency, which its heading names."""
    return st.column_config.NumberColumn(
        f"{label} ({currency})" if currency else label, format="%+,.2f" if signed else MONEY_FORMAT, help=help
    )


def show(
    table: pa.Table,
    columns: Mapping[str, Any],
    *,
    alt: str,
    height: Height = "auto",
    key: str | None = None,
) -> None:
    """A table with these columns, in this order, under these headings."""
    st.dataframe(
        table.select(list(columns)),
        column_config=dict(columns),
        hide_index=True,
        placeholder=NOTHING,
        height=height,
        key=key,
        alt=alt,
    )


def select_row(
    table: pa.Table, columns: Mapping[str, Any], *, alt: str, key: str, height: Height = "auto"
) -> int | None:
    """The same, with rows to choose from; the chosen row's index."""
    event = st.dataframe(
        table.select(list(columns)),
        column_config=dict(columns),
        hide_index=True,
        placeholder=NOTHING,
        height=height,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        alt=alt,
    )
    rows: Sequence[int] = event["selection"]["rows"]
    return rows[0] if rows and rows[0] < table.num_rows else None


def named(table: pa.Table, columns: Sequence[str]) -> pa.Table:
    """The table with the nulls of these dimensions named, as filters and charts name them."""
    for column in columns:
        place = table.schema.get_field_index(column)
        table = table.set_column(place, column, pc.fill_null(table[column], NONE_LABEL))
    return table


def fitted(table: pa.Table, most: int = 420) -> Height:
    """The height that shows every row of a short table; a longer one scrolls inside `most` pixels."""
    return "auto" if table.num_rows <= 8 else most


def csv_bytes(table: pa.Table) -> bytes:
    """The table as CSV, every digit kept; a text that a spreadsheet would run as a formula is defused."""
    safe = [
        pc.replace_substring_regex(column, pattern=r"^([=+\-@\t\r])", replacement=r"'\1")
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        else column
        for column in table.columns
    ]
    out = io.BytesIO()
    pyarrow.csv.write_csv(pa.table(safe, names=table.column_names), out)
    return out.getvalue()


def download(table: pa.Table, name: str, *, key: str, label: str = "CSV") -> None:
    """A button that downloads the whole table as `<name>.csv`; made when it is clicked."""
    st.download_button(
        label,
        data=lambda: csv_bytes(table),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=key,
        on_click="ignore",
        disabled=not table.num_rows,
    )
