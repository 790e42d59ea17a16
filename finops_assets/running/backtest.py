"""`finops backtest`: models held against any table of daily series, in a terminal."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table as RichTable

from finops_assets.forecasting.daily_table import BadTableError, TableBacktest, backtest_table

_SHOWN = 5


def read_daily_table(file: Path) -> pa.Table:
    """A Parquet or CSV file as a table. Raises BadTableError when it cannot be read."""
    try:
        if file.suffix.lower() == ".csv":
            # An identifier such as 007 is a text, whatever it looks like.
            options = pyarrow.csv.ConvertOptions(column_types={"unique_id": pa.string()})
            return pyarrow.csv.read_csv(file, convert_options=options)
        return pq.read_table(file)
    except (OSError, pa.ArrowException) as error:
        raise BadTableError(f"{file}: expected a Parquet or CSV file: {error}") from error


def run_backtest(file: Path, console: Console, horizon: int, output: Path | None) -> None:
    """Print how good each model is on the file's series, and write the champion's forecasts."""
    done = backtest_table(read_daily_table(file), horizon=horizon)
    if done.metrics.num_rows:
        console.print(_metrics(done, file))
    else:
        console.print("No series has the five weeks that a backtest takes: forecasts are the weekly naive's.")
    for name, reason in list(done.left_out.items())[:_SHOWN]:
        console.print(f"No forecast of {name}: {reason}.", markup=False)
    if len(done.left_out) > _SHOWN:
        console.print(f"… and of {len(done.left_out) - _SHOWN} more.")
    if done.filled:
        console.print(
            f"{sum(done.filled.values()):,} missing days in {len(done.filled):,} series were filled with the"
            " value of a week before; they count in the errors above."
        )
    if output is not None:
        pq.write_table(done.forecasts, output)
        console.print(f"{done.forecasts.num_rows:,} forecasts written to {output}.", markup=False)


def _metrics(done: TableBacktest, file: Path) -> RichTable:
    table = RichTable(title=f"Backtest of {file.name}, the champion marked")
    table.add_column("Model")
    for heading in ("Days ahead", "Series", "Origins", "WAPE", "MASE", "Bias", "In 80%", "In 95%"):
        table.add_column(heading, justify="right")
    for row in done.metrics.to_pylist():
        table.add_row(
            f"* {row['model']}" if row["is_champion"] else f"  {row['model']}",
            str(row["horizon"]),
            f"{row['series']:,}",
            str(row["windows"]),
            *(_figure(row[c]) for c in ("wape", "mase", "bias", "coverage_80", "coverage_95")),
            style="bold" if row["is_champion"] else None,
        )
    return table


def _figure(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.3f}"  # noqa: PLR0124 - NaN
