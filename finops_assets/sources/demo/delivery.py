"""Writing bill files: days that share a file, a select laid out as the provider's columns, manifests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from finops_assets.schema import literal, quote
from finops_assets.sources.demo.company import Month

ROWS_PER_FILE = 1_500_000
"""Providers split large exports too; it also bounds what one COPY has in hand."""

PARQUET = "FORMAT parquet, COMPRESSION snappy"
CSV = "FORMAT csv, HEADER"


@dataclass
class Tally:
    """What has been written for one provider."""

    rows: int = 0
    files: int = 0

    def add(self, rows: int) -> None:
        """Count one more file."""
        self.rows += rows
        self.files += 1


def parts(month: Month, charges: int) -> Iterator[tuple[int, date, date]]:
    """The files of a month: number from 0, first and last day, inclusive."""
    count = min(month.days, max(1, -(-charges // ROWS_PER_FILE)))
    for number in range(count):
        first = month.first + timedelta(days=number * month.days // count)
        last = month.first + timedelta(days=(number + 1) * month.days // count - 1)
        yield number, first, last


def copy(
    connection: duckdb.DuckDBPyConnection,
    select: str,
    columns: Sequence[tuple[str, str]],
    path: Path,
    options: str,
) -> int:
    """Write `select` to `path` as exactly these columns; what it leaves out is null. Rows written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nothing = ", ".join(f"NULL::{type_} AS {quote(name)}" for name, type_ in columns)
    typed = ", ".join(f"CAST({quote(name)} AS {type_}) AS {quote(name)}" for name, type_ in columns)
    found = connection.execute(
        f"COPY (SELECT {typed} FROM (SELECT {nothing} WHERE false UNION ALL BY NAME ({select}))) "
        f"TO {literal(str(path))} ({options})"
    ).fetchone()
    return int(found[0]) if found else 0


def write_json(path: Path, content: Any) -> None:
    """A manifest, written the same way every time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def stable_guid(*keys: object) -> str:
    """An id of GUID form made from the keys."""
    digest = hashlib.sha256("|".join(map(str, keys)).encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"
