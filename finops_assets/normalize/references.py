"""The reference tables that normalization joins: one CSV in `reference/` is one relation `ref_<name>`."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

import pyarrow as pa


@cache
def load_references() -> dict[str, pa.Table]:
    """`ref_<stem>` → its rows, every column text, an empty field null."""
    folder = files("finops_assets.normalize").joinpath("reference")
    return {
        f"ref_{entry.name.removesuffix('.csv')}": _table(entry.read_text(encoding="utf-8"))
        for entry in sorted(folder.iterdir(), key=lambda e: e.name)
        if entry.name.endswith(".csv")
    }


def _table(text: str) -> pa.Table:
    reader = csv.DictReader(text.splitlines())
    rows = list(reader)
    return pa.table(
        {name: pa.array([row[name] or None for row in rows], pa.string()) for name in reader.fieldnames or ()}
    )
