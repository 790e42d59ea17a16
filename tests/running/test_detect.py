"""`finops detect` on files of daily series."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from finops_assets.cli import app
from tests.forecasting.fleets import FIRST_DAY, cost_like

DAYS = 300
ON = 250


def series() -> pa.Table:
    parts = []
    for i in range(4):
        values = cost_like(20 + i, DAYS, noise=0.03).round(2)
        if i == 2:
            values[ON] *= 5
        days = [FIRST_DAY + timedelta(days=d) for d in range(DAYS)]
        parts.append(pa.table({"unique_id": [f"00{i}"] * DAYS, "ds": days, "y": values}))
    return pa.concat_tables(parts)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_events_are_printed_and_written(tmp_path: Path, suffix: str) -> None:
    path, output, table = tmp_path / f"daily.{suffix}", tmp_path / "events.parquet", series()
    if suffix == "csv":
        pa_csv.write_csv(table, path)
    else:
        pq.write_table(table, path)
    done = CliRunner().invoke(app, ["detect", str(path), "--output", str(output)], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    found = pq.read_table(output).to_pylist()
    event = next(e for e in found if e["first_day"] == FIRST_DAY + timedelta(days=ON))
    assert (event["series_id"], event["kind"]) == ("002", "spike")
    assert event["actual"] == Decimal(str(table["y"][2 * DAYS + ON].as_py()))
    assert event["story_id"] == event["anomaly_id"]
    assert "anomalies in daily" in done.output


def _with(column: str, row: int, value: object, kind: pa.DataType) -> pa.Table:
    values = series()[column].to_pylist()
    values[row] = value
    table = series()
    return table.set_column(table.column_names.index(column), column, pa.array(values, kind))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (series().drop_columns(["y"]), "column y: expected columns unique_id, ds, y, found unique_id, ds"),
        (_with("ds", 5, None, pa.date32()), "row 6, column ds: expected a value, found none"),
        (_with("y", 7, float("inf"), pa.float64()), "row 8, column y: expected a number, found inf"),
        (
            _with("ds", 1, FIRST_DAY, pa.date32()),
            f"series 000, day {FIRST_DAY}: expected one row, found 2",
        ),
        (
            series().set_column(1, "ds", pa.array(["2025-01-06", "soon"] * (2 * DAYS))),
            "row 2, column ds: expected a day such as 2026-01-31, found 'soon'",
        ),
    ],
    ids=["no column", "no day", "no number", "twice", "text"],
)
def test_what_is_no_table_of_series_is_said_plainly(tmp_path: Path, table: pa.Table, said: str) -> None:
    path = tmp_path / "daily.parquet"
    pq.write_table(table, path)
    done = CliRunner().invoke(app, ["detect", str(path)], env={"COLUMNS": "400"})
    assert done.exit_code == 1
    assert said in " ".join(done.output.split())
    assert "daily.parquet" in done.output


def test_a_file_that_is_not_there_or_no_parquet(tmp_path: Path) -> None:
    gone = CliRunner().invoke(app, ["detect", str(tmp_path / "gone.csv")], env={"COLUMNS": "400"})
    assert gone.exit_code == 1
    assert "found none" in gone.output
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"no")
    done = CliRunner().invoke(app, ["detect", str(broken)], env={"COLUMNS": "400"})
    assert done.exit_code == 1
    assert "expected Parquet" in done.output


def test_a_missing_value_and_a_short_table_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    first = date(2026, 1, 1)
    rows = {"unique_id": ["a"] * 5, "ds": [first + timedelta(days=i) for i in range(5)]}
    pa_csv.write_csv(pa.table({**rows, "y": [1.0, None, np.pi, 4.0, 5.0]}), path)
    done = CliRunner().invoke(app, ["detect", str(path)])
    assert done.exit_code == 0, done.output
    assert "No anomaly" in done.output
