"""How long a large month takes to be held to the rules of FOCUS, beside what normalizing it takes.

    .venv/bin/python -m benchmarks.conformance --rows 10000000 --memory-limit 2GB --folder /var/tmp/held

Multiplies a month of the demo's AWS bill to so many raw rows (every copy with resources of its own, in days
as they were), normalizes it and holds it to the rules as the assets `costs` and `conformance` do, each in a
process of its own, and prints seconds, rows a second, peak resident memory and the ratio of the two times.
Fails when conformance takes more than four times as long as normalizing. Needs 3 GB of disk for 10 M rows.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from datetime import date
from itertools import count
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.demo_costs import closed_months
from finops_assets.engine.base import ParquetInput
from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.intake.parse import parse
from finops_assets.marts.conformance import CONFORMANCE, conformance_sql, counts_sql
from finops_assets.normalize.formats import FORMAT_BY_NAME
from finops_assets.normalize.references import load_references
from finops_assets.normalize.tables import complete, costs_table
from finops_assets.schema import MONTH, SOURCE, literal
from finops_assets.sources.base import FetchedFile
from finops_assets.sources.demo.write import write_demo

TODAY = date(2026, 3, 20)
SLOWEST = 4.0
FORMAT = FORMAT_BY_NAME["aws_cur2"]
COSTS = costs_table(())
FILE_ROWS = 500_000

_PEAK = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, code)
"""
"""Runs a command below a small process: a child's count begins at the size of the process that forks it."""


def write_raw(folder: Path, rows: int) -> None:
    """The month's raw rows, `rows` of them or a few more, in files of half a million."""
    demo, parsed = folder / "demo", folder / "month.parquet"
    write_demo(demo, rows=200_000, today=TODAY, months=2, providers=("aws",))
    [month] = closed_months(demo)
    files = [
        FetchedFile(name=p.name, path=p, sha256="", bytes=p.stat().st_size) for p in month.bills[FORMAT.name]
    ]
    engine = DuckDBEngine(folder / "spill")
    bill = parse(
        engine, FORMAT, files, month=month.month, month_is_stated=False, bill_id=FORMAT.name, to=parsed
    )
    times = max(FILE_ROWS // bill.rows, 1)
    with duckdb.connect() as connection:
        connection.execute(f"SET temp_directory = {literal(str(folder / 'spill'))}; SET memory_limit = '2GB'")
        for number in range(-(-rows // (bill.rows * times))):
            connection.execute(
                "COPY (SELECT m.* REPLACE ("
                "line_item_resource_id || '-' || c.copy AS line_item_resource_id, "
                f"{number} || '-' || c.copy || '-' || x_File AS x_File) "
                f"FROM read_parquet({literal(str(parsed))}) AS m, range({times}) AS c(copy)) "
                f"TO {literal(str(_partition(folder, 'raw') / f'{number:03d}.parquet'))} (FORMAT parquet)"
            )


def normalize(folder: Path, limit: str) -> None:
    """As the asset `costs` does."""
    engine = DuckDBEngine(folder / "spill", limit)
    raw = ParquetInput(FORMAT.raw_table(), _files(folder, "raw"))
    inputs = {"raw": raw, "bill_formats": pa.table({"format": [FORMAT.name]}), **load_references()}
    numbers = count()
    engine.write_large(
        complete(FORMAT.sql),
        inputs,
        COSTS,
        lambda: _partition(folder, "costs") / f"{next(numbers):03d}.parquet",
        rows=sum(pq.read_metadata(file).num_rows for file in raw.files),
    )


def hold(folder: Path, limit: str) -> None:
    """As the asset `conformance` does."""
    engine = DuckDBEngine(folder / "spill", limit)
    charges = ParquetInput(COSTS, _files(folder, "costs"))
    counts = engine.fetch(counts_sql("1.4"), {"charges": charges})
    broken = {row["rule"] for row in counts.to_pylist() if row["failed"]}
    sql = conformance_sql("1.4", broken)
    engine.write(sql, {"charges": charges, "counts": counts}, CONFORMANCE, folder / "conformance.parquet")


STEPS = {"normalize": normalize, "hold": hold}


def measure(step: str, folder: Path, limit: str) -> tuple[float, float]:
    """Seconds and MiB at the peak of one step in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.conformance", "--folder", str(folder)]
    command += ["--memory-limit", limit, "--step", step]
    begun = time.monotonic()
    printed = subprocess.run(
        [sys.executable, "-c", _PEAK, *command], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    peak, code = map(int, printed.split())
    if code:
        raise SystemExit(f"expected the step {step} to end well, found exit {code}")
    return time.monotonic() - begun, peak / 1024


def main() -> None:
    """Measure, print, and fail when conformance is too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--memory-limit", default="2GB")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        STEPS[given.step](given.folder, given.memory_limit)
        return
    given.folder.mkdir(parents=True)
    write_raw(given.folder, given.rows)
    seconds = {}
    for step in STEPS:
        seconds[step], peak = measure(step, given.folder, given.memory_limit)
        held = _rows(given.folder, "raw" if step == "normalize" else "costs")
        print(
            f"{step}: {held:,} rows in {seconds[step]:,.1f} s, {held / seconds[step]:,.0f} rows/s, "
            f"{peak:,.0f} MiB at the peak of a memory_limit of {given.memory_limit}"
        )
    ratio = seconds["hold"] / seconds["normalize"]
    print(f"conformance takes {ratio:.2f} times as long as normalizing; at most {SLOWEST:g} is expected")
    if ratio > SLOWEST:
        raise SystemExit(1)


def _files(folder: Path, kind: str) -> tuple[str, ...]:
    return tuple(str(path) for path in sorted(_partition(folder, kind).glob("*.parquet")))


def _partition(folder: Path, kind: str) -> Path:
    """Where the files of a table's one partition lie, as in the lake."""
    path = folder / kind / f"{SOURCE}=demo" / f"{MONTH}=of-demo"
    path.mkdir(parents=True, exist_ok=True)
    return path


def _rows(folder: Path, kind: str) -> int:
    return sum(pq.read_metadata(file).num_rows for file in _files(folder, kind))


if __name__ == "__main__":
    main()
