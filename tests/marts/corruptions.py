"""Single cells of a FOCUS bill corrupted in every way that fits their column, and what catches each.

A bill is a relation of text, a column a FOCUS column. Every corruption is a copy of the bill with one cell
changed; all copies are read and held to the rules at once: rules of a row need the changed row alone, those
over many rows see each copy whole, under a currency and an invoice of its own.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from finops_assets.focus.columns import FocusColumn, columns
from finops_assets.focus.rules import RowRule, across_rules, row_rules
from finops_assets.intake.columns import Delivered, typed_select
from finops_assets.normalize.formats import FORMAT_BY_NAME
from finops_assets.schema import literal, quote

INTAKE = "intake"
"""What catches a value that cannot be read as its column's type, or a required one that is missing."""

TOTALS = "control totals"
"""What catches a billed or effective cost, or its currency, that differs from what the bill comes to."""

FOCUS = FORMAT_BY_NAME["focus"]
NAMES = tuple(c.name for c in columns())
_REQUIRED = {c.name for c in FOCUS.columns if c.required}

_ANY = {
    "null": ("given IS NOT NULL", "NULL"),
    "filled": ("given IS NULL", "another"),
    "of another row": ("given IS NOT NULL", "another"),
}
_FIGURE = {
    "no number": ("true", "given || 'x'"),
    "other sign": ("true", "CAST(-figure AS VARCHAR)"),
    "a thousandfold": ("true", "CAST(figure * 1000::DECIMAL(4, 0) AS VARCHAR)"),
    "a hundredth more": ("true", "CAST(figure * 1.01::DECIMAL(3, 2) AS VARCHAR)"),
}
_TIME = {
    "no date": ("true", "'2026-02-30T00:00:00Z'"),
    "an hour later": ("true", "CAST(moment + INTERVAL 1 HOUR AS VARCHAR)"),
    "two days earlier": ("true", "CAST(moment - INTERVAL 2 DAY AS VARCHAR)"),
    "a month later": ("true", "CAST(moment + INTERVAL 1 MONTH AS VARCHAR)"),
}
_JSON = {
    "cut short": ("true", "left(given, length(given) - 1)"),
    "nested": ("true", """'{"a": {"b": [1]}}'"""),
    "a list": ("true", "'[1]'"),
}
_CURRENCY = {
    "no currency": ("true", "'DOLLARS'"),
    "another currency": ("true", "if(given = 'CHF', 'NOK', 'CHF')"),
}
_TEXT = {"blank": ("true", "' '")}


def ways(column: FocusColumn) -> dict[str, tuple[str, str]]:
    """Kind of corruption → where it is possible and the new text, SQL over a cell: `given` its text,
    `figure` and `moment` the same as what it is, `another` a different value of the column's."""
    if column.allowed_values:
        listed = "[" + ", ".join(literal(v) for v in column.allowed_values) + "]"
        others = f"list_filter({listed}, lambda v: v <> given)"
        picked = f"{others}[1 + CAST(chance % greatest(len({others}), 1) AS INTEGER)]"
        return {
            **_ANY,
            **_TEXT,
            "no such value": ("true", "given || 's'"),
            "another allowed value": (f"len({others}) > 0", picked),
        }
    if column.format == "JSON Object":
        return {**_ANY, **{kind: way for kind, way in _JSON.items() if kind != "nested"}}
    if column.format == "Currency":
        return {**_ANY, **_TEXT, **_CURRENCY}
    return {**_ANY, **{"Decimal": _FIGURE, "Date/Time": _TIME, "JSON": _JSON}.get(column.type, _TEXT)}


def caught(bill: pa.Table, *, each: int, seed: int = 1) -> pa.Table:
    """Up to `each` corruptions of each kind of every column of `bill`, and what catches them.

    `bill` has the FOCUS columns as text, null where nothing is delivered. A row a corruption: column_name,
    kind, row_number (from 1), given and value (the cell before and after), caught_by: the rules that fail in
    the corrupted bill and not in the whole one, INTAKE and TOTALS among them; empty where nothing tells.
    """
    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("given_bill", bill)
        names = ", ".join(quote(n) for n in NAMES)
        connection.execute(
            f"CREATE TABLE bill AS SELECT row_number() OVER () AS row_number, {names} FROM given_bill"
        )
        connection.execute(f"CREATE TABLE corruption AS {_corruptions_sql(each, seed)}")
        files = {"whole": _whole_sql(), "changed": _changed_sql()}
        for name, sql in files.items():
            path = Path(folder) / f"{name}.parquet"
            connection.execute(f"COPY ({sql}) TO {literal(str(path))} (FORMAT parquet)")
            connection.execute(f"CREATE TABLE {name}_text AS FROM read_parquet({literal(str(path))})")
            connection.execute(f"CREATE TABLE {name} AS {_read_sql(path)}")
        connection.execute(f"CREATE TABLE told AS {_told_sql()}")
        return connection.sql(
            "SELECT c.* EXCLUDE (copy), coalesce(list_sort(t.catchers), []) AS caught_by "
            "FROM corruption AS c LEFT JOIN ("
            "SELECT copy, list(DISTINCT catcher) AS catchers FROM told GROUP BY copy"
            ") AS t USING (copy) ORDER BY copy"
        ).to_arrow_table()


def _corruptions_sql(each: int, seed: int) -> str:
    parts = []
    for column in columns():
        name = quote(column.name)
        figure = f"TRY_CAST({name} AS DECIMAL(28, 14))" if column.type == "Decimal" else "NULL"
        moment = f"TRY_CAST({name} AS TIMESTAMPTZ)" if column.type == "Date/Time" else "NULL"
        # Compared as what they are: '1.50' is no other figure than '1.5'.
        same = {"Decimal": "DECIMAL(38, 18)", "Date/Time": "TIMESTAMPTZ"}.get(column.type, "VARCHAR")
        cell = (
            f"SELECT row_number, {name} AS given, {figure} AS figure, {moment} AS moment, chance, "
            f"others[1 + CAST(chance % greatest(len(others), 1) AS INTEGER)] AS another "
            f"FROM (SELECT *, list_filter(found, lambda v: v IS DISTINCT FROM {name}) AS others, "
            f"hash({seed}, row_number, '{column.name}') AS chance FROM bill, "
            f"(SELECT list_sort(list(DISTINCT {name})) AS found FROM bill WHERE {name} IS NOT NULL))"
        )
        for kind, (where, value) in ways(column).items():
            filled = "" if kind == "filled" else "given IS NOT NULL AND "
            differs = (
                f"TRY_CAST(value AS {same}) IS DISTINCT FROM TRY_CAST(given AS {same})"
                if kind not in ("null", "filled")
                else "true"
            )
            parts.append(
                f"SELECT '{column.name}' AS column_name, '{kind}' AS kind, row_number, given, value "
                f"FROM (SELECT *, {value} AS value FROM ({cell}) WHERE {filled}({where})) "
                f"WHERE {differs} AND (value IS NOT NULL OR '{kind}' = 'null') "
                f"ORDER BY hash(chance, '{kind}') LIMIT {each}"
            )
    union = " UNION ALL ".join(f"(FROM ({part}))" for part in parts)
    return f"SELECT row_number() OVER () AS copy, * FROM ({union})"


def _whole_sql() -> str:
    return "SELECT *, 0 AS copy FROM bill"


def _changed_sql() -> str:
    cells = ", ".join(
        f"CASE WHEN c.column_name = '{name}' THEN c.value ELSE b.{quote(name)} END AS {quote(name)}"
        for name in NAMES
    )
    return f"SELECT c.copy, b.row_number, {cells} FROM corruption AS c JOIN bill AS b USING (row_number)"


def _read_sql(path: Path) -> str:
    """As intake reads a delivered file, but that what it refuses becomes null."""
    delivered = [Delivered(name, "VARCHAR") for name in ("copy", "row_number", *NAMES)]
    read = typed_select(path, "bill.csv", FOCUS, delivered, bill_id="bill", problem=lambda *_: "NULL")
    number = "CAST(x_Extra->>'$.row_number' AS BIGINT)"
    copy = "CAST(x_Extra->>'$.copy' AS BIGINT)"
    return f"SELECT * EXCLUDE (x_RowNumber), {number} AS x_RowNumber, {copy} AS copy FROM ({read})"


def _told_sql() -> str:
    """SQL giving copy and catcher: one of what catches it."""
    refused = " UNION ALL ".join(
        f"SELECT copy, '{INTAKE}' AS catcher FROM changed JOIN changed_text USING (copy) "
        f"WHERE changed.{quote(name)} IS NULL"
        + ("" if name in _REQUIRED else f" AND changed_text.{quote(name)} IS NOT NULL")
        for name in NAMES
    )
    totals = (
        f"SELECT c.copy, '{TOTALS}' AS catcher FROM changed AS c JOIN whole AS w USING (x_RowNumber) "
        "WHERE (c.BilledCost, c.EffectiveCost, c.BillingCurrency) "
        "IS DISTINCT FROM (w.BilledCost, w.EffectiveCost, w.BillingCurrency)"
    )
    listed = ", ".join(f"CASE WHEN {_breaks(r)} THEN {literal(r.rule)} END" for r in row_rules())
    broken = "SELECT copy, x_RowNumber, unnest([{}]) AS catcher FROM {}"
    before = f"SELECT x_RowNumber, catcher FROM ({broken.format(listed, 'whole')}) WHERE catcher IS NOT NULL"
    of_rows = (
        f"SELECT copy, catcher FROM ({broken.format(listed, 'changed')}) WHERE catcher IS NOT NULL "
        f"AND (x_RowNumber, catcher) NOT IN ({before})"
    )
    return f"{refused} UNION ALL {totals} UNION ALL {of_rows} UNION ALL {_across_sql()}"


def _breaks(rule: RowRule) -> str:
    filled = f" AND EXISTS (FROM whole WHERE {quote(rule.column)} IS NOT NULL)" if rule.needs_column else ""
    return f"({rule.when}) AND NOT coalesce({rule.must}, false){filled}"


def _across_sql() -> str:
    """Every copy whole: the rules group by currency and by invoice, so each copy has its own of both."""
    own = (
        "* REPLACE (copy || ' ' || BillingCurrency AS BillingCurrency, copy || ' ' || InvoiceId AS InvoiceId)"
    )
    copies = (
        f"SELECT {own} FROM changed UNION ALL BY NAME SELECT {own} FROM (SELECT w.* REPLACE (c.copy AS copy) "
        "FROM whole AS w, corruption AS c WHERE w.x_RowNumber <> c.row_number) "
        f"UNION ALL BY NAME SELECT {own} FROM whole"
    )
    failed = " UNION ALL ".join(
        f"SELECT CAST(split_part(BillingCurrency, ' ', 1) AS BIGINT) AS copy, {literal(r.rule)} AS catcher, "
        f"count(*) AS groups FROM ({r.sql}) WHERE NOT passed GROUP BY ALL"
        for r in across_rules()
    )
    return (
        f"(WITH charges AS MATERIALIZED ({copies}), failed AS MATERIALIZED ({failed}) "
        "SELECT f.copy, f.catcher FROM failed AS f "
        "LEFT JOIN failed AS w ON w.copy = 0 AND w.catcher = f.catcher "
        "WHERE f.copy <> 0 AND f.groups > coalesce(w.groups, 0))"
    )
