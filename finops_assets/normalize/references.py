"""The reference tables that normalization joins, as relations `ref_<name>`.

One for each CSV in `reference/`; and from FOCUS itself `ref_allowed_values` (ColumnName, Value) and
`ref_service_subcategories` (ServiceSubcategory, ServiceCategory).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import pyarrow as pa

from finops_assets.focus.columns import columns, service_subcategories


@cache
def load_references() -> dict[str, pa.Table]:
    """`ref_<name>` → its rows; every column is text, an empty field null."""
    folder = files("finops_assets.normalize").joinpath("reference")
    delivered = {
        f"ref_{entry.name.removesuffix('.csv')}": _from_csv(entry.read_text(encoding="utf-8"))
        for entry in sorted(folder.iterdir(), key=lambda e: e.name)
        if entry.name.endswith(".csv")
    }
    allowed = [(c.name, value) for c in columns() for value in c.allowed_values]
    return {
        **delivered,
        "ref_allowed_values": _table(("ColumnName", "Value"), allowed),
        "ref_service_subcategories": _table(
            ("ServiceSubcategory", "ServiceCategory"), list(service_subcategories().items())
        ),
    }


def _from_csv(text: str) -> pa.Table:
    header, *rows = csv.reader(text.splitlines())
    return _table(header, rows)


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> pa.Table:
    return pa.table(
        {name: pa.array([row[i] or None for row in rows], pa.string()) for i, name in enumerate(names)}
    )
