"""Tables for files that people open in a spreadsheet: exact amounts, and no cell that is run as a formula."""

from __future__ import annotations

from functools import cache
from typing import cast

import duckdb
import pyarrow as pa

from finops_assets.engine.duckdb import configure
from finops_assets.schema import literal, quote

_FORMULA = r"^\s*[=+\-@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"
"""What spreadsheets run when a cell begins with it, also in the full-width forms."""


def as_text(table: pa.Table) -> pa.Table:
    """Every column as the text of a CSV cell; null stays null.

    Amounts have all their digits, no exponent and no trailing zeros; times are UTC in ISO 8601. A text that
    a spreadsheet would run as a formula gets an apostrophe before it: it then shows as it is.
    """
    columns = ", ".join(f"{_cell(field)} AS {quote(field.name)}" for field in table.schema)
    with _scratch().cursor() as cursor:
        cursor.register("given", table)
        return cast("pa.Table", cursor.sql(f"SELECT {columns} FROM given").to_arrow_table())


@cache
def _scratch() -> duckdb.DuckDBPyConnection:
    """A database of nothing, whose cursors turn columns into text; making one takes longer than its use."""
    return configure(duckdb.connect(":memory:"))


def _cell(field: pa.Field) -> str:
    name, kind = quote(field.name), field.type
    text = f"CAST({name} AS VARCHAR)"
    if pa.types.is_decimal(kind):
        return f"rtrim(rtrim({text}, '0'), '.')" if kind.scale > 0 else text
    if pa.types.is_timestamp(kind):
        return f"replace(strftime(CAST({name} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%fZ'), '.000000', '')"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_date(kind):
        return text
    escaped = literal("'") + f" || {text}"
    return f"CASE WHEN regexp_matches({text}, {literal(_FORMULA)}) THEN {escaped} ELSE {text} END"
