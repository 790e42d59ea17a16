"""AWS: Cost and Usage Report 2.0 as Data Exports delivers it, Parquet, overwriting.

Source of the layout: AWS Data Exports user guide, "Understanding export delivery".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb

from finops_assets.sources.demo.company import (
    Month,
    charge_month,
    read_columns,
    read_text,
    run,
    set_variables,
)
from finops_assets.sources.demo.delivery import PARQUET, Tally, copy, parts, stable_guid, write_json

TABLES = ("regions", "commitments")
EXPORT = "finops-cur2"
BUCKET = "northwind-billing-exports"


def write_aws(
    connection: duckdb.DuckDBPyConnection,
    root: Path,
    months: list[Month],
    seed: int,
    month_done: Callable[[], None],
) -> Tally:
    """Write every month's export below `root`/aws."""
    tally = Tally()
    columns = read_columns("aws_columns.csv")
    run(connection, "aws_plan.sql")
    for month in months:
        charges = charge_month(connection, month)
        run(connection, "aws_extras.sql")
        data = f"{EXPORT}/data/BILLING_PERIOD={month.label}"
        written: list[str] = []
        for number, first, last in parts(month, charges):
            set_variables(connection, part_first=first, part_last=last)
            name = f"{data}/{EXPORT}-{number + 1:05d}.snappy.parquet"
            tally.add(copy(connection, read_text("aws_rows.sql"), columns, root / "aws" / name, PARQUET))
            written.append(name)
        _write_manifest(root / "aws", month, written, columns, seed)
        month_done()
    return tally


def _write_manifest(
    root: Path, month: Month, written: list[str], columns: list[tuple[str, str]], seed: int
) -> None:
    delivered = month.last + timedelta(days=3 if month.is_closed else 1)
    write_json(
        root / f"{EXPORT}/metadata/BILLING_PERIOD={month.label}/{EXPORT}-Manifest.json",
        {
            "exportArn": f"arn:aws:bcm-data-exports:us-east-1:310448120000:export/{EXPORT}",
            "executionId": stable_guid("aws", seed, month.label),
            "createdAt": f"{delivered}T05:12:00Z",
            "billingPeriod": {
                "start": f"{month.first}T00:00:00.000Z",
                "end": f"{month.end + timedelta(days=1)}T00:00:00.000Z",
            },
            "contentType": "Parquet",
            "compression": "Parquet",
            "overwrite": "OVERWRITE_REPORT",
            "dataFiles": [f"s3://{BUCKET}/{name}" for name in written],
            "columns": [{"name": name, "type": _athena(type_)} for name, type_ in columns],
        },
    )


def _athena(type_: str) -> str:
    """The type's name in AWS's own table definitions."""
    return type_.lower().replace("varchar", "string").replace(", ", ",").replace("(", "<").replace(")", ">")
