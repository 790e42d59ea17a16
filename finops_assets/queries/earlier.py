"""What a state lacks that was published before a table or a column of it came into being."""

from __future__ import annotations

from finops_assets.queries.access import Reader
from finops_assets.queries.dimensions import columns_of
from finops_assets.schema import Table, quote


def is_missing(warehouse: Reader, table: Table) -> bool:
    """Whether the state was published before there was such a table."""
    return not columns_of(warehouse, table.name)


def with_later_columns(table: Table) -> str:
    """SQL of the published table with all its columns, those that came into being later as null."""
    columns = ", ".join(quote(c.name) for c in table.columns)
    nothing = ", ".join(f"NULL::{c.type} AS {quote(c.name)}" for c in table.columns)
    return (
        f"SELECT {columns} FROM (SELECT * FROM {quote(table.name)} "
        f"UNION ALL BY NAME SELECT {nothing} WHERE false)"
    )
