"""What every asset says about the table it wrote: its rows and its columns."""

from __future__ import annotations

from typing import Any

import dagster as dg

from finops_assets.lake.lake import Lake
from finops_assets.schema import Table


def column_schema(table: Table) -> dg.TableSchema:
    """The table's columns as Dagster shows them."""
    return dg.TableSchema(
        columns=[dg.TableColumn(name=c.name, type=c.type, description=c.description) for c in table.columns]
    )


def materialized(table: Table, rows: int, **extra: Any) -> dg.MaterializeResult[Any]:
    """The result of an asset named like its table: row count, column schema and what else is known."""
    return dg.MaterializeResult(
        asset_key=table.name,
        metadata={"dagster/row_count": rows, "dagster/column_schema": column_schema(table), **extra},
    )


def unchanged(table: Table, lake: Lake) -> dg.MaterializeResult[Any]:
    """The result of an asset whose inputs and recipe are those it was already made from."""
    return materialized(table, lake.rows(table), unchanged=True)
