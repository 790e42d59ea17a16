"""Normalizes small native bills whose format is told, one or two views of the same month together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.intake.parse import parse
from finops_assets.normalize.formats import FORMAT_BY_NAME
from finops_assets.normalize.references import load_references
from finops_assets.normalize.tables import complete, costs_table
from finops_assets.sources.base import FetchedFile

Row = dict[str, Any]


def normalize_month(
    bills: Mapping[str, Path], scratch: Path, month: str
) -> tuple[list[Row], dict[str, dict[str, Decimal]]]:
    """The month's `costs` rows of all `bills` (format → file), and each bill's own totals by currency.

    Rows go through the engine's writer, so they have the types that the lake stores.
    """
    engine = DuckDBEngine(scratch / "spill")
    table = costs_table([])
    rows: list[Row] = []
    stated: dict[str, dict[str, Decimal]] = {}
    for name, path in bills.items():
        form = FORMAT_BY_NAME[name]
        file = FetchedFile(name=path.name, path=path, sha256="", bytes=path.stat().st_size)
        raw = scratch / f"{name}.parquet"
        bill = parse(engine, form, [file], month=month, month_is_stated=False, bill_id=name, to=raw)
        stated[name] = bill.totals
        inputs = {
            "raw": pq.read_table(raw),
            "bill_formats": pa.table({"format": list(bills)}),
            **load_references(),
        }
        written = engine.write(complete(form.sql), inputs, table, scratch / f"{name}-costs.parquet")
        rows += pq.read_table(written.path).to_pylist()
    return rows, stated


def total(rows: Sequence[Row], column: str) -> Decimal:
    """A cost added up."""
    return sum((row[column] for row in rows), Decimal(0))
