"""What a table is: its columns, its partitions and its order, as data that every stage shares.

The same description creates the Delta table, casts what an engine writes, fills Dagster's column
schema and the reference pages.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

MONEY = "DECIMAL(38,18)"
"""Amounts and unit prices: the finest digits seen in real bills are 18 decimals, and a sum of a
billion rows still has 20 digits before the point."""

QUANTITY = "DECIMAL(38,12)"
"""Quantities: bytes of a large bill need more digits before the point than money does."""

SOURCE = "x_Source"
MONTH = "x_BillingMonth"
BY_BILL = (SOURCE, MONTH)
"""The two partition columns of every table that follows bills: source name, 'YYYY-MM'."""

_ARROW: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "DATE": pa.date32(),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
    MONEY: pa.decimal128(38, 18),
    QUANTITY: pa.decimal128(38, 12),
}


@dataclass(frozen=True)
class Column:
    """One column: its name, its DuckDB type and what it means."""

    name: str
    type: str
    description: str = ""

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type the lake stores; raises KeyError for a type the lake does not keep."""
        return _ARROW[self.type]


@dataclass(frozen=True)
class Table:
    """One table of the lake.

    `partition_by` columns are replaced together in one transaction; a table without them is
    replaced whole. `order_by` is how rows lie in files and in the published warehouse.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    partition_by: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()

    def arrow_schema(self) -> pa.Schema:
        """All columns, partition columns included, as Arrow fields."""
        return pa.schema([(c.name, c.arrow) for c in self.columns])

    def stored_columns(self) -> tuple[Column, ...]:
        """The columns that lie inside the files: all but the partition columns."""
        return tuple(c for c in self.columns if c.name not in self.partition_by)


BILL_KEYS = (
    Column(SOURCE, "VARCHAR", "The configured source the bill came from."),
    Column(MONTH, "VARCHAR", "The billing month, YYYY-MM."),
)

ROW_ORIGIN = (
    Column("x_BillId", "VARCHAR", "The delivery this row came with; see `bills`."),
    Column("x_File", "VARCHAR", "The delivered file, relative to the source."),
    Column("x_RowNumber", "BIGINT", "The row's number in that file, from 1, header not counted."),
)


def quote(identifier: str) -> str:
    """An identifier quoted for DuckDB."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text quoted for DuckDB."""
    return "'" + value.replace("'", "''") + "'"
