"""Tables and charts on the screen, each with its figures as files. Decimals reach both as they are."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
import streamlit as st

from finops_assets.queries.export import as_text
from streamlit_app.charts import AnyChart
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
    name: str = "",
    whole: pa.Table | None = None,
) -> None:
    """A table with these columns, in this order, under these headings, and what downloads it.

    The file is called `name`, or by `alt`, and has every column of the table, or is the table `whole`.
    """
    st.dataframe(
        table.select(list(columns)),
        column_config=dict(columns),
        hide_index=True,
        placeholder=NOTHING,
        height=height,
        key=key,
        alt=alt,
    )
    download(table if whole is None else whole, name or _file_name(alt))


def chart(drawn: AnyChart, table: pa.Table, *, text: str, name: str = "") -> None:
    """A chart with its words, and what downloads the figures that it draws, which are `table`."""
    st.altair_chart(drawn, alt=text)
    download(table, name or f"{_file_name(text)}-chart")


def select_row(
    table: pa.Table,
    columns: Mapping[str, Any],
    *,
    alt: str,
    key: str,
    height: Height = "auto",
    name: str = "",
    whole: pa.Table | None = None,
    note: str = "",
) -> int | None:
    """The same, with rows to choose from; the chosen row's index. `note` stands beside the download."""
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
    with st.container(horizontal=True, vertical_alignment="center"):
        download(table if whole is None else whole, name or _file_name(alt))
        if note:
            st.caption(note, width="content")
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
    out = io.BytesIO()
    pyarrow.csv.write_csv(as_text(table), out)
    return out.getvalue()


def parquet_bytes(table: pa.Table) -> bytes:
    """The table as Parquet: types as they are, decimals too."""
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out)
    return out.getvalue()


def download(table: pa.Table, name: str) -> None:
    """A menu that downloads the whole table as `<name>.csv` or `<name>.parquet`; made when it is clicked.

    `name` is unique on its page.
    """
    with st.popover("Download", icon=":material/download:", type="tertiary", disabled=not table.num_rows):
        for kind, mime, made in _FILES:
            st.download_button(
                kind,
                data=partial(made, table),
                file_name=f"{name}.{kind.lower()}",
                mime=mime,
                key=f"{name}_{kind.lower()}",
                on_click="ignore",
                type="tertiary",
            )


_FILES = (("CSV", "text/csv", csv_bytes), ("Parquet", "application/vnd.apache.parquet", parquet_bytes))


def _file_name(text: str) -> str:
    """The first words of what a table is called, as a file is called."""
    words = re.split(r"[,.;:(]", text, maxsplit=1)[0]
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
