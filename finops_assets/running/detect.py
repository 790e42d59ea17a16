"""`finops detect`: the anomalies of any file of daily series."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table as RichTable

from finops_assets.anomalies.table import SeriesTableError, detect_table


class DetectError(ValueError):
    """The file is not one of daily series; names file, column, row, expected and found."""


def read_series(path: Path) -> pa.Table:
    """A Parquet or CSV file as a table. Raises DetectError when it is none."""
    if not path.is_file():
        raise DetectError(f"{path}: expected a Parquet or CSV file, found none")
    try:
        if path.suffix == ".parquet":
            return pq.read_table(path)
        # Names such as 007 stay as they are written.
        names = pa_csv.ConvertOptions(column_types={"unique_id": pa.string()})
        return pa_csv.read_csv(path, convert_options=names)
    except pa.ArrowInvalid as error:
        kind = "Parquet" if path.suffix == ".parquet" else "CSV"
        raise DetectError(f"{path}: expected {kind}, found something else: {error}") from None


def print_events(path: Path, console: Console, output: Path | None) -> None:
    """The events of a file (unique_id, ds, y), newest first; written as Parquet too where asked for.

    Raises DetectError.
    """
    try:
        events = detect_table(read_series(path))
    except SeriesTableError as error:
        raise DetectError(f"{path}, {error}") from None
    if output is not None:
        pq.write_table(events, output)
    if not events.num_rows:
        console.print("No anomaly in the last 400 days.")
        return
    table = RichTable(title=f"{events.num_rows} anomalies in {path.name}")
    for heading in ("Series", "Days", "Kind", "Severity"):
        table.add_column(heading)
    for heading in ("Expected", "Actual", "Impact"):
        table.add_column(heading, justify="right")
    table.add_column("Why")
    for row in sorted(events.to_pylist(), key=lambda r: (r["first_day"], r["series_id"]), reverse=True):
        first, last = row["first_day"], row["last_day"]
        table.add_row(
            row["series_id"],
            f"{first}" if first == last else f"{first} to {last}",
            row["kind"],
            row["severity"],
            *(f"{row[c]:,.2f}" for c in ("expected", "actual", "impact")),
            row["reason"],
        )
    console.print(table)
