"""SQL that reads one delivered file as its format's raw rows: names, types, folded families."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from finops_assets.focus.currencies import CURRENCIES
from finops_assets.normalize.format import Format, Kind, RawColumn
from finops_assets.schema import literal, quote

_US_FORMATS = "['%m/%d/%y', '%m/%d/%Y', '%m/%d/%Y %H:%M', '%m/%d/%Y %H:%M:%S']"
"""Tried for texts with a slash, two-digit years first: '%Y' reads '25' as the year 25, and so does a cast."""
_EXPECTED = {
    Kind.AMOUNT: "a decimal amount",
    Kind.QUANTITY: "a decimal quantity",
    Kind.TIME: "a date or time",
    Kind.CURRENCY: "an ISO 4217 currency code",
}

Problem = Callable[[str, str, str], str]
"""(expected, found, column), each a SQL expression of text → SQL that stops the query."""


@dataclass(frozen=True)
class Delivered:
    """One column as the file has it: its name and DuckDB type."""

    name: str
    type: str


def reader(path: Path, null_texts: Sequence[str] = ("",)) -> str:
    """SQL that reads a delivered file's rows with `x_RowNumber`; text files as text."""
    if path.name.lower().endswith(".parquet"):
        return (
            "SELECT * EXCLUDE (file_row_number), file_row_number + 1 AS x_RowNumber "
            f"FROM read_parquet({literal(str(path))}, file_row_number = true, hive_partitioning = false)"
        )
    nulls = "[" + ", ".join(literal(t) for t in null_texts) + "]"
    return (
        "SELECT *, row_number() OVER () AS x_RowNumber "
        f"FROM read_csv({literal(str(path))}, header = true, all_varchar = true, delim = ',', "
        f"quote = '\"', escape = '\"', nullstr = {nulls}, hive_partitioning = false)"
    )


def delivered_columns(connection: duckdb.DuckDBPyConnection, path: Path) -> list[Delivered]:
    """The file's own columns in its order. Raises duckdb.Error for a file that cannot be read."""
    described = connection.execute(f"DESCRIBE {reader(path)}").fetchall()
    return [Delivered(str(row[0]), str(row[1])) for row in described if row[0] != "x_RowNumber"]


def typed_select(
    path: Path, name: str, form: Format, delivered: Sequence[Delivered], *, bill_id: str, problem: Problem
) -> str:
    """SQL giving exactly the columns that `form`'s raw table stores, from this file."""
    left = {c.name.lower(): c for c in delivered}
    selected: list[str] = []
    for column in form.columns:
        found = _take(left, (column.name, *column.aliases))
        selected.append(f"{_typed(column, found, problem)} AS {quote(column.name)}")
    for fold in form.folds:
        family = {
            c.name[len(fold.prefix) :]: left.pop(key)
            for key, c in list(left.items())
            if key.startswith(fold.prefix.lower())
        }
        selected.append(f"{_json_object(family)} AS {quote(fold.into)}")
    selected.append(f'{_json_object({c.name: c for c in left.values()})} AS "x_Extra"')
    origin = f'{literal(bill_id)} AS "x_BillId", x_File, x_RowNumber'
    return (
        f"SELECT {', '.join(selected)}, {origin} "
        f"FROM (SELECT *, {literal(name)} AS x_File FROM ({reader(path, form.null_texts)}))"
    )


def _take(left: dict[str, Delivered], spellings: Sequence[str]) -> Delivered | None:
    for spelling in spellings:
        if spelling.lower() in left:
            return left.pop(spelling.lower())
    return None


def _typed(column: RawColumn, found: Delivered | None, problem: Problem) -> str:
    if found is None:
        return f"NULL::{column.type}"
    given = quote(found.name)
    if column.kind is Kind.JSON:
        nested = found.type.startswith(("MAP", "STRUCT")) or found.type.endswith("[]")
        return f"CAST(to_json({given}) AS VARCHAR)" if nested else f"CAST({given} AS VARCHAR)"
    if column.kind is Kind.TEXT:
        return f"CAST({given} AS VARCHAR)"
    text = f"CAST({given} AS VARCHAR)"
    value = _value(column.kind, given, found.type)
    expected = literal(_EXPECTED[column.kind])
    fails = f"{given} IS NOT NULL AND {value} IS NULL"
    found_text = f"coalesce('''' || {text} || '''', 'nothing')"
    if column.required:
        fails = f"{value} IS NULL"
    return f"CASE WHEN {fails} THEN {problem(expected, found_text, literal(column.name))} ELSE {value} END"


def _value(kind: Kind, given: str, delivered_type: str) -> str:
    """SQL of the typed value, null where the delivered one is not of the kind."""
    if kind is Kind.TIME:
        if delivered_type == "VARCHAR":
            american = f"CAST(try_strptime({given}, {_US_FORMATS}) AS TIMESTAMPTZ)"
            compact = f"CAST(try_strptime({given}, '%Y%m%d') AS TIMESTAMPTZ)"
            plain = f"coalesce(TRY_CAST({given} AS TIMESTAMPTZ), {compact})"
            return f"CASE WHEN contains({given}, '/') THEN {american} ELSE {plain} END"
        return f"TRY_CAST({given} AS TIMESTAMPTZ)"
    if kind is Kind.CURRENCY:
        codes = ", ".join(literal(code) for code in sorted(CURRENCIES))
        return f"CASE WHEN trim({given}) IN ({codes}) THEN trim({given}) END"
    if delivered_type in ("DOUBLE", "FLOAT"):
        # A double's shortest text is the figure the provider wrote; its binary value is not.
        return f"TRY_CAST(CAST({given} AS VARCHAR) AS {kind.value})"
    return f"TRY_CAST({given} AS {kind.value})"


def _json_object(family: dict[str, Delivered]) -> str:
    """SQL of one JSON object of a row's columns, nulls left out; null when all are."""
    if not family:
        return "NULL::VARCHAR"
    pairs = ", ".join(f"{literal(key)}, {_json_value(family[key])}" for key in sorted(family))
    return f"nullif(CAST(json_merge_patch('{{}}', json_object({pairs})) AS VARCHAR), '{{}}')"


def _json_value(column: Delivered) -> str:
    if column.type.startswith(("MAP", "STRUCT")) or column.type.endswith("[]"):
        return f"to_json({quote(column.name)})"
    return f"CAST({quote(column.name)} AS VARCHAR)"
