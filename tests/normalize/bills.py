"""Reads a bill by its format and normalizes it, as intake and the costs asset do, in memory."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.intake.parse import detect_format, months_in, parse
from finops_assets.normalize.format import Format
from finops_assets.normalize.references import load_references
from finops_assets.normalize.tables import complete
from finops_assets.sources.base import FetchedFile
from tests.conftest import SAMPLES

Row = dict[str, Any]


@dataclass(frozen=True)
class Normalized:
    """A bill file's format, the total it states by currency, and its rows as FOCUS 1.4."""

    form: Format
    months: list[str]
    stated: dict[str, Decimal]
    rows: list[Row]

    def total(self, column: str) -> dict[str, Decimal]:
        """A cost added up by currency."""
        return totals(self.rows, "BillingCurrency", column)


def shared(path: str) -> Path:
    """A sample bill; skips the test where the samples are not there."""
    found = SAMPLES / path
    if not found.exists():
        pytest.skip(f"sample bills are not here: no ../shared/data/{path}")
    return found


def read_csv(path: Path) -> list[dict[str, str]]:
    """A CSV by the standard library: the other tool that sums are held against."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def totals(rows: Sequence[Mapping[str, Any]], currency: str, amount: str) -> dict[str, Decimal]:
    """Exact sums by currency."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        found[row[currency]] += Decimal(row[amount])
    return dict(found)


def normalize(path: Path, scratch: Path) -> Normalized:
    """All months of one file; each month is a bill."""
    engine = DuckDBEngine(scratch / "spill")
    file = FetchedFile(name=path.name, path=path, sha256="", bytes=path.stat().st_size)
    form = detect_format(engine, file)
    months = months_in(engine, file, form)
    stated: dict[str, Decimal] = defaultdict(Decimal)
    rows: list[Row] = []
    for month in months:
        raw = scratch / f"{month}.parquet"
        bill = parse(engine, form, [file], month=month, month_is_stated=False, bill_id="bill", to=raw)
        for currency, amount in bill.totals.items():
            stated[currency] += amount
        inputs = {
            "raw": pq.read_table(raw),
            "bill_formats": pa.table({"format": [form.name]}),
            **load_references(),
        }
        rows += engine.fetch(complete(form.sql), inputs).to_pylist()
    rows.sort(key=lambda row: (row["BillingPeriodStart"], row["x_RowNumber"], row["BilledCost"] == 0))
    return Normalized(form, months, dict(stated), rows)
