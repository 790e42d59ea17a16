"""FOCUS rows written by hand, and how they keep the rules."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from finops_assets.focus.columns import columns
from finops_assets.marts.conformance import between_sql, conformance_sql, counts_sql
from finops_assets.normalize.formats import DATASET_FORMATS
from finops_assets.normalize.tables import costs_table
from finops_assets.schema import Table, quote

TABLE = costs_table(())
NAMES = {column.name.lower(): column.name for column in columns()}
FIGURES = frozenset(column.name for column in columns() if column.type == "Decimal")
DEFAULTS = {"BillingCurrency": "USD", "InvoiceIssuerName": "Acme"}
"""What an example of the specification leaves out and a group of rows is made by."""


def outcomes(rows: Iterable[Mapping[str, str | None]], version: str = "1.4") -> dict[str, dict[str, object]]:
    """What `conformance` says of rows of text, by rule; all are of one currency."""
    return {str(row["rule"]): row for row in _found(rows, version)}


def _found(rows: Iterable[Mapping[str, str | None]], version: str) -> list[dict[str, object]]:
    with duckdb.connect() as connection:
        connection.register("charges", charges(rows))
        counts = connection.sql(counts_sql(version)).to_arrow_table()
        broken = {row["rule"] for row in counts.to_pylist() if row["failed"]}
        connection.register("counts", counts)
        found: list[dict[str, object]] = (
            connection.sql(conformance_sql(version, broken)).to_arrow_table().to_pylist()
        )
    return found


def failed(rows: Iterable[Mapping[str, str | None]], version: str = "1.4") -> dict[str, int]:
    """How many rows break each rule that is broken, in all currencies together."""
    counted = Counter[str]()
    for row in _found(rows, version):
        counted[str(row["rule"])] += int(str(row["failed"]))
    return {rule: count for rule, count in counted.items() if count}


def dataset_failed(
    dataset: str,
    delivered: Iterable[Mapping[str, str | None]],
    bill: Sequence[Mapping[str, str | None]] = (),
    version: str = "1.4",
) -> dict[str, int]:
    """The same of another dataset of FOCUS, delivered beside a bill."""
    raw = next(form for form in DATASET_FORMATS if form.dataset == dataset).raw_table()
    with duckdb.connect() as connection:
        connection.register("delivered", typed(raw, delivered, "delivered.csv"))
        connection.register("charges", charges(bill))
        counts = connection.sql(counts_sql(version, dataset)).to_arrow_table()
        broken = {row["rule"] for row in counts.to_pylist() if row["failed"]}
        connection.register("counts", counts)
        found = connection.sql(conformance_sql(version, broken, dataset)).to_arrow_table().to_pylist()
        if bill:
            found += connection.sql(between_sql(version, dataset)).to_arrow_table().to_pylist()
    # As they are kept: every figure is there, and every sample names its line.
    assert all(row["failed_cost"] is not None and row["total_cost"] is not None for row in found)
    assert all(sample["x_File"] for row in found for sample in json.loads(row["samples"]))
    return {row["rule"]: int(row["failed"]) for row in found if row["failed"]}


def charges(rows: Iterable[Mapping[str, str | None]]) -> pa.Table:
    """Rows of text as rows of `costs`, numbered as they come."""
    return typed(TABLE, rows, "bill.csv")


def typed(table: Table, rows: Iterable[Mapping[str, str | None]], file: str) -> pa.Table:
    """Rows of text as rows of a table."""
    given = [{**row, "x_File": file, "x_RowNumber": str(n)} for n, row in enumerate(rows, 1)]
    text = pa.table(
        {c.name: pa.array([row.get(c.name) for row in given], pa.string()) for c in table.columns}
    )
    typed = ", ".join(f"CAST({quote(c.name)} AS {c.type}) AS {quote(c.name)}" for c in table.columns)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("given", text)
        return connection.sql(f"SELECT {typed} FROM given").to_arrow_table()


def example(path: Path) -> list[dict[str, str | None]]:
    """The rows of a worked example of the specification, read as it means them.

    The examples are written for people: `null` in words, dollars with signs, dates of three kinds (one of
    them on hour 30 of a day), names in other letters' case.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if any(row.values())]
    return [
        {
            **DEFAULTS,
            **{NAMES[k.lower()]: _meant(NAMES[k.lower()], v) for k, v in row.items() if k.lower() in NAMES},
        }
        for row in rows
    ]


def _meant(column: str, text: str) -> str | None:
    text = text.strip()
    if text in ("", "null", "NULL"):
        return None
    if column in FIGURES:
        return text.replace("$", "").replace(",", "").strip()
    if column.endswith(("PeriodStart", "PeriodEnd")):
        if short := re.fullmatch(r"(\d+)/(\d+)/(\d\d)", text):
            return f"20{short[3]}-{short[1]:0>2}-{short[2]:0>2}"
        if late := re.fullmatch(r"(\S{10})T(\d\d):00:00Z", text):
            return str(datetime.fromisoformat(late[1]) + timedelta(hours=int(late[2])))
    return text
