"""Azure: cost details exports, actual and amortized, CSV in run folders that are never overwritten.

Source of the layout: Microsoft Learn, "Tutorial: Improved exports experience" (file partitioning and
manifest).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
from finops_assets.sources.demo.delivery import CSV, Tally, copy, parts, stable_guid, write_json

TABLES = ("regions", "commitments")
VIEWS = {"actual": "ActualCost", "amortized": "AmortizedCost"}
OVERSTATED = 1.06
"""How much too high storage usage is in the run that a later one restates."""


@dataclass(frozen=True)
class Run:
    """One run of the exports: days after the month's last billed day, and what it multiplies storage by."""

    delay: int
    overstated: float


ONLY_RUN = (Run(delay=2, overstated=1.0),)
RESTATED_RUNS = (Run(delay=2, overstated=OVERSTATED), Run(delay=19, overstated=1.0))


def write_azure(
    connection: duckdb.DuckDBPyConnection,
    root: Path,
    months: list[Month],
    seed: int,
    month_done: Callable[[], None],
) -> Tally:
    """Write every month's two exports below `root`/azure; one past month of them twice."""
    tally = Tally()
    run(connection, "azure_plan.sql")
    closed = [m for m in months if m.is_closed]
    restated = closed[-2] if len(closed) > 1 else None
    for month in months:
        charges = charge_month(connection, month)
        run(connection, "azure_extras.sql")
        for one in RESTATED_RUNS if month == restated else ONLY_RUN:
            for view in VIEWS:
                _write_run(connection, root / "azure", month, one, view, charges, seed, tally)
        month_done()
    return tally


def _write_run(
    connection: duckdb.DuckDBPyConnection,
    root: Path,
    month: Month,
    one: Run,
    view: str,
    charges: int,
    seed: int,
    tally: Tally,
) -> None:
    columns = read_columns("azure_columns.csv")
    run_id = stable_guid("azure", seed, month.label, view, one.delay)
    folder = f"{view}/{month.first:%Y%m%d}-{month.end:%Y%m%d}/{run_id}"
    blobs: list[dict[str, str | int]] = []
    size = written = 0
    set_variables(connection, view=view, overstated=one.overstated)
    for number, first, last in parts(month, charges):
        set_variables(connection, part_first=first, part_last=last)
        name = f"{folder}/part_0_{number + 1:04d}.csv"
        rows = copy(connection, read_text("azure_rows.sql"), columns, root / name, CSV)
        tally.add(rows)
        length = (root / name).stat().st_size
        blobs.append({"blobName": name, "byteCount": length, "dataRowCount": rows})
        size, written = size + length, written + rows
    submitted = month.last + timedelta(days=one.delay if month.is_closed else 1)
    write_json(
        root / folder / "manifest.json",
        {
            "manifestVersion": "2024-04-01",
            "byteCount": size,
            "blobCount": len(blobs),
            "dataRowCount": written,
            "exportConfig": {
                "exportName": f"northwind-{view}",
                "resourceId": "/providers/Microsoft.Billing/billingAccounts/86421357/providers/"
                f"Microsoft.CostManagement/exports/northwind-{view}",
                "dataVersion": "2021-10-01",
                "apiVersion": "2023-07-01-preview",
                "type": VIEWS[view],
                "timeFrame": "Custom" if month.is_closed else "MonthToDate",
                "granularity": "Daily",
            },
            "deliveryConfig": {
                "partitionData": True,
                "dataOverwriteBehavior": "CreateNewReport",
                "fileFormat": "Csv",
                "compressionMode": "None",
                "containerUri": "/subscriptions/4f1a2b60-6c1d-4e0b-9a57-0d6f3c8b1a04/resourceGroups/"
                "rg-finops-prod/providers/Microsoft.Storage/storageAccounts/stnorthwindbilling",
                "rootFolderPath": "",
            },
            "runInfo": {
                "executionType": "Scheduled",
                "submittedTime": f"{submitted}T06:30:00.0000000Z",
                "runId": run_id,
                "startDate": f"{month.first}T00:00:00",
                "endDate": f"{month.end if month.is_closed else month.last}T00:00:00",
            },
            "blobs": blobs,
        },
    )
