"""Google Cloud: the detailed usage cost export to BigQuery, one Parquet export an invoice month.

Source of the layout: Google Cloud Billing documentation, "Structure of Detailed data export"; the files
are named as `bq extract` names them.
"""

from __future__ import annotations

from collections.abc import Callable
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
from finops_assets.sources.demo.delivery import PARQUET, Tally, copy, parts

TABLES = ("regions", "commitments")
TABLE = "gcp_billing_export_resource_v1"


def write_gcp(
    connection: duckdb.DuckDBPyConnection,
    root: Path,
    months: list[Month],
    seed: int,
    month_done: Callable[[], None],
) -> Tally:
    """Write every invoice month below `root`/gcp. `seed` is already in the connection."""
    del seed
    tally = Tally()
    columns = read_columns("gcp_columns.csv")
    run(connection, "gcp_plan.sql")
    for month in months:
        charges = charge_month(connection, month)
        run(connection, "gcp_extras.sql")
        for number, first, last in parts(month, charges):
            set_variables(connection, part_first=first, part_last=last)
            path = root / "gcp" / TABLE / f"invoice_month={month.label}" / f"part-{number:012d}.parquet"
            tally.add(copy(connection, read_text("gcp_rows.sql"), columns, path, PARQUET))
        month_done()
    return tally
