"""FOCUS's official validator, run on a bill in an environment of its own, and shown beside our rules."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import uv
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from finops_assets.defs.quality.conformance import charges_of
from finops_assets.defs.resources import Platform
from finops_assets.engine.base import Engine, ParquetInput
from finops_assets.focus.official import (
    FAILED,
    PASSED,
    SKIPPED,
    VERSION,
    Difference,
    OfficialCheck,
    capabilities,
    checks,
    differences,
    rows_sql,
)
from finops_assets.marts.conformance import conformance_sql, counts_sql
from finops_assets.queries.access import Reader
from finops_assets.queries.conformance import scores
from finops_assets.schema import MONTH, SOURCE, quote

PYTHON = "3.12"
PACKAGES = ("focus-validator==2.2.1", "pyarrow<21")
"""With pyarrow as of when the validator was made: it reads Parquet through a call that later ones dropped."""

MODEL = "model-1.2.0.1.json"
"""The newest model that the package itself brings; others it would download."""


class OfficialError(Exception):
    """The official validator cannot be run here; the text says why."""


@dataclass(frozen=True)
class Verdicts:
    """Of the same rows: the validator's checks, (column, rule) of ours that fail, and where they differ."""

    official: list[OfficialCheck]
    ours: list[tuple[str, str]]
    apart: list[Difference]


def verdicts(engine: Engine, charges: ParquetInput) -> Verdicts:
    """Hold FOCUS rows to FOCUS 1.2, by the official validator and by our rules. Raises OfficialError."""
    names = engine.fetch("SELECT * FROM charges LIMIT 0", {"charges": charges}).column_names
    counts = ", ".join(f"count({quote(name)}) AS {quote(name)}" for name in names)
    [held] = engine.fetch(f"SELECT {counts} FROM charges", {"charges": charges}).to_pylist()
    filled = {name for name, count in held.items() if count}
    rows = engine.fetch(rows_sql(names), {"charges": charges})
    official, ours = _validate(rows, capabilities(filled)), _our_failures(engine, charges)
    return Verdicts(official, ours, differences(official, ours, filled))


def print_official(
    warehouse: Reader, platform: Platform, console: Console, source: str | None, month: str | None
) -> None:
    """Hold each bill of the choice to both sides, and show where they differ. Raises OfficialError."""
    bills = [(row[SOURCE], row[MONTH]) for row in scores(warehouse, source, month).to_pylist()]
    if not bills:
        console.print("No bill is held against the rules of FOCUS here: check --source and --month.")
        return
    table = RichTable(title=f"FOCUS {VERSION}, by its official validator and by ours")
    for heading in ("Source", "Month"):
        table.add_column(heading)
    for heading in ("Official passed", "failed", "skipped", "Ours broken", "Columns that differ"):
        table.add_column(heading, justify="right")
    apart: list[tuple[str, str, Difference]] = []
    for name, of in bills:
        charges, _ = charges_of(platform, name, of)
        if not charges.files:  # nothing but FOCUS's other datasets, which the validator does not know
            continue
        with console.status(f"The official validator reads {name} {of} …"):
            both = verdicts(platform.engine, charges)
        counted = Counter(check.outcome for check in both.official)
        apart += [(name, of, difference) for difference in both.apart]
        figures = (
            *(counted[outcome] for outcome in (PASSED, FAILED, SKIPPED)),
            len(both.ours),
            len(both.apart),
        )
        table.add_row(name, of, *(f"{figure:,}" for figure in figures))
    console.print(table)
    if apart:
        _print_differences(apart, console)


def _print_differences(apart: list[tuple[str, str, Difference]], console: Console) -> None:
    table = RichTable(title="Columns that one side alone finds fault with", show_lines=True)
    for heading in ("Bill", "Column", "Official", "Ours", "Why"):
        table.add_column(heading, overflow="fold")
    for name, of, difference in apart:
        table.add_row(
            f"{name} {of}",
            difference.column,
            "\n".join(f"{check.rule} [dim]{escape(check.says)}" for check in difference.official) or "–",
            "\n".join(difference.ours) or "–",
            difference.why,
        )
    console.print(table)


def _our_failures(engine: Engine, charges: ParquetInput) -> list[tuple[str, str]]:
    counts = engine.fetch(counts_sql(VERSION), {"charges": charges})
    broken = counts.filter(pc.greater(counts["failed"], pa.scalar(0, pa.int64())))["rule"].to_pylist()
    outcomes = engine.fetch(
        conformance_sql(VERSION, set(broken)), {"charges": charges, "counts": counts}
    ).to_pylist()
    return sorted({(row["column_name"], row["rule"]) for row in outcomes if row["failed"]})


def _validate(rows: pa.Table, criteria: Sequence[str]) -> list[OfficialCheck]:
    package = Path(
        _python("python", "-c", "import focus_validator; print(focus_validator.__path__[0])").strip()
    )
    with TemporaryDirectory() as folder:
        data, report = Path(folder, "rows.parquet"), Path(folder, "report.xml")
        pq.write_table(rows, data)
        # It looks for its own lists below the working directory, and leaves its log there.
        Path(folder, package.name).symlink_to(package)
        printed = _python(
            "focus-validator",
            *("--data-file", str(data), "--validate-version", MODEL.removeprefix("model-")[: -len(".json")]),
            *("--block-download", "--applicability-criteria", ",".join(criteria) or "NONE"),
            *("--output-type", "unittest", "--output-destination", str(report)),
            cwd=Path(folder),
        )
        if not report.exists():
            raise OfficialError(f"focus-validator wrote no report: {printed[-2000:]}")
        return checks(report, package / "rules" / MODEL)


def _python(*command: str, cwd: Path | None = None) -> str:
    """What a command prints in the validator's environment, which uv makes at first and keeps."""
    packages = [part for package in PACKAGES for part in ("--with", package)]
    run = subprocess.run(  # noqa: S603 - our own list, no shell
        [
            *(uv.find_uv_bin(), "run", "--no-project", "--no-config", "--quiet"),
            *("--python", os.environ.get("UV_PYTHON", PYTHON), *packages, *command),
        ],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise OfficialError(
            f"focus-validator needs Python {PYTHON} (UV_PYTHON names one that uv does not find) and, the "
            f"first time, the package registry: {(run.stderr or run.stdout).strip()[-2000:]}"
        )
    return run.stdout
