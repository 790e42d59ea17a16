"""Read delivered files by their format into one Parquet file of typed raw rows, or say what is wrong.

Every value is checked in the same pass that reads it, by SQL's own `error()`: the first value that is
not what its column should hold stops the read, and the text names file, row, column, expected, found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import duckdb

from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.focus.upconvert import version_of
from finops_assets.intake.columns import Delivered, delivered_columns, typed_select
from finops_assets.normalize.format import Format
from finops_assets.normalize.formats import UnknownFormat, detect
from finops_assets.schema import literal, quote
from finops_assets.sources.base import FetchedFile

T = TypeVar("T")

_MARKED = re.compile("⟦(.*)⟧", re.DOTALL)


class BillError(Exception):
    """A bill cannot be taken in; the text names file, row or column, expected and found."""


@dataclass(frozen=True)
class ParsedBill:
    """Typed raw rows on disk, not yet in the lake. `totals` is the bill's own total by currency."""

    path: Path
    bytes: int
    rows: int
    rows_by_file: dict[str, int]
    totals: dict[str, Decimal]


def detect_format(engine: DuckDBEngine, file: FetchedFile) -> Format:
    """The format of one file, by its columns. Raises BillError for an unknown or unreadable one."""
    with engine.connect() as connection:
        columns = _read(file, lambda: delivered_columns(connection, file.path))
    try:
        return detect([c.name for c in columns])
    except UnknownFormat as error:
        raise BillError(f"{file.name}: {error}") from None


def focus_version(engine: DuckDBEngine, file: FetchedFile, dataset: str) -> str:
    """The FOCUS version whose columns a file of one of its datasets has. Raises BillError."""
    with engine.connect() as connection:
        columns = _read(file, lambda: delivered_columns(connection, file.path))
    return version_of([c.name for c in columns], dataset)


def months_in(engine: DuckDBEngine, file: FetchedFile, form: Format) -> list[str]:
    """The billing months that a file's rows belong to, sorted. Raises BillError.

    `form` says by which; one whose rows are of no month has none.
    """
    with engine.connect() as connection:
        select = _file_select(connection, file, form, bill_id="")
        found = _read(
            file,
            lambda: connection.execute(f"SELECT DISTINCT {form.month} FROM ({select}) ORDER BY 1").fetchall(),
        )
    return [str(row[0]) for row in found if row[0] is not None]


def parse(
    engine: DuckDBEngine,
    form: Format,
    files: Sequence[FetchedFile],
    *,
    month: str,
    month_is_stated: bool,
    bill_id: str,
    to: Path,
) -> ParsedBill:
    """Write the month's rows of `files` to `to`. Raises BillError, and leaves no file then.

    With `month_is_stated` (a manifest or folder says so) a row of another month is an error; without,
    rows of other months belong to other bills and are left out.
    """
    with engine.connect() as connection:
        selects = [_file_select(connection, f, form, bill_id) for f in files]
    union = " UNION ALL ".join(f"({s})" for s in selects)
    where = form.month
    if not where:
        keep = "true"
    elif month_is_stated:
        stated = _problem(f"'the billing month {month}'", f"coalesce({where}, 'none')", "'billing month'")
        keep = f"CASE WHEN {where} IS DISTINCT FROM {literal(month)} THEN {stated} ELSE true END"
    else:
        keep = f"{where} = {literal(month)}"
    try:
        written = engine.write(f"SELECT * FROM ({union}) WHERE {keep}", {}, form.raw_table(), to)
    except duckdb.Error as error:
        if _is_the_machines(error):
            raise
        raise BillError(_explain(error, files)) from error
    return ParsedBill(
        path=to,
        bytes=written.bytes,
        rows=written.rows,
        rows_by_file=_rows_by_file(engine, to),
        totals=_totals(engine, form, to) if form.amount else {},
    )


def _file_select(connection: duckdb.DuckDBPyConnection, file: FetchedFile, form: Format, bill_id: str) -> str:
    columns = _read(file, lambda: delivered_columns(connection, file.path))
    _require(file, form, columns)
    return typed_select(file.path, file.name, form, columns, bill_id=bill_id, problem=_problem)


def _require(file: FetchedFile, form: Format, columns: Sequence[Delivered]) -> None:
    header = {c.name.lower() for c in columns}
    for column in form.columns:
        spellings = (column.name, *column.aliases)
        if column.required and not any(s.lower() in header for s in spellings):
            raise BillError(
                f"{file.name}: expected the column {column.name}, which {form.title} requires; "
                f"found {len(columns)} columns without it"
            )


def _problem(expected: str, found: str, column: str) -> str:
    """SQL that stops the query with our text; the arguments are SQL expressions of text."""
    return (
        f"error('⟦' || x_File || ': row ' || x_RowNumber || ', column ' || {column} || "
        f"': expected ' || {expected} || ', found ' || {found} || '⟧')"
    )


def _rows_by_file(engine: DuckDBEngine, path: Path) -> dict[str, int]:
    sql = f"SELECT x_File, count(*) FROM read_parquet({literal(str(path))}) GROUP BY ALL ORDER BY ALL"
    with engine.connect() as connection:
        return {str(name): int(rows) for name, rows in connection.execute(sql).fetchall()}


def _totals(engine: DuckDBEngine, form: Format, path: Path) -> dict[str, Decimal]:
    sql = (
        f"SELECT {quote(form.currency)}, sum({form.amount}) FROM read_parquet({literal(str(path))}) "
        "GROUP BY ALL ORDER BY ALL"
    )
    with engine.connect() as connection:
        return {str(currency): amount for currency, amount in connection.execute(sql).fetchall()}


def _read(file: FetchedFile, read: Callable[[], T]) -> T:
    try:
        return read()
    except duckdb.Error as error:
        if _is_the_machines(error):
            raise
        raise BillError(_explain(error, [file])) from error


def _is_the_machines(error: duckdb.Error) -> bool:
    """Whether memory or disk ran out, for which no bill is to blame."""
    return isinstance(error, duckdb.OutOfMemoryException) or "No space left" in str(error)


def _explain(error: duckdb.Error, files: Sequence[FetchedFile]) -> str:
    """Our own text out of the engine's error, or the engine's, with delivered names for local paths."""
    text = str(error)
    if found := _MARKED.search(text):
        return found.group(1)
    for file in files:
        text = text.replace(str(file.path), file.name)
    first = text.splitlines()[0]
    blamed = next((f.name for f in files if f.name in text), files[0].name)
    if "GZIP" in text or "gzip" in text:
        return f"{blamed}: expected a complete gzip file, found that it ends early or is damaged ({first})"
    if ".parquet" in blamed.lower():
        return f"{blamed}: expected a readable Parquet file, found: {first}"
    line = re.search(r"Line: (\d+)", text)
    where = f" at line {line.group(1)}" if line else ""
    return f"{blamed}: expected comma-separated text with a header{where}, found: {first}"
