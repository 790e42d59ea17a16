"""The demo's bills, normalized month by month without a lake: what benchmarks of `costs` begin with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from finops_assets.engine.base import Input
from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.intake.parse import parse
from finops_assets.normalize.formats import FORMAT_BY_NAME
from finops_assets.normalize.references import load_references
from finops_assets.normalize.tables import complete, costs_table
from finops_assets.schema import literal
from finops_assets.sources.base import FetchedFile


@dataclass(frozen=True)
class BilledMonth:
    """One month of one cloud: the files of each of its bills, by format."""

    cloud: str
    month: str
    bills: Mapping[str, tuple[Path, ...]]


def closed_months(demo: Path) -> list[BilledMonth]:
    """The demo's first month of each cloud that it has, in the delivery that is in force."""
    found = []
    for aws in sorted((demo / "aws").glob("*/data/*"))[:1]:
        found.append(BilledMonth("aws", aws.name[-7:], {"aws_cur2": _files(aws, "*.parquet")}))
    for actual in sorted((demo / "azure" / "actual").glob("*"))[:1]:
        bills = {
            f"azure_{view}": _files(
                max((demo / "azure" / view / actual.name).iterdir(), key=_submitted), "*.csv"
            )
            for view in ("actual", "amortized")
        }
        found.append(BilledMonth("azure", f"{actual.name[:4]}-{actual.name[4:6]}", bills))
    for gcp in sorted((demo / "gcp").glob("*/*"))[:1]:
        found.append(BilledMonth("gcp", gcp.name[-7:], {"gcp_detailed": _files(gcp, "*.parquet")}))
    return found


def normalized(month: BilledMonth, folder: Path) -> Path:
    """The month as `costs`, one Parquet file in `folder`."""
    engine = DuckDBEngine(folder / "spill")
    parts = []
    for name, paths in month.bills.items():
        form = FORMAT_BY_NAME[name]
        files = [FetchedFile(name=p.name, path=p, sha256="", bytes=p.stat().st_size) for p in paths]
        raw = folder / f"{month.cloud}-{name}-raw.parquet"
        parse(engine, form, files, month=month.month, month_is_stated=False, bill_id=name, to=raw)
        inputs: dict[str, Input] = {
            "raw": pq.read_table(raw),
            "bill_formats": pa.table({"format": list(month.bills)}),
            **load_references(),
        }
        part = folder / f"{month.cloud}-{name}-costs.parquet"
        parts.append(engine.write(complete(form.sql), inputs, costs_table([]), part).path)
    whole = folder / f"{month.cloud}-costs.parquet"
    with duckdb.connect() as connection:
        listed = ", ".join(literal(str(part)) for part in parts)
        connection.execute(f"COPY (FROM read_parquet([{listed}])) TO {literal(str(whole))} (FORMAT parquet)")
    return whole


def _files(folder: Path, pattern: str) -> tuple[Path, ...]:
    return tuple(sorted(folder.glob(pattern)))


def _submitted(delivery: Path) -> str:
    """When Azure made an export, by its manifest: the last one is in force."""
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT runInfo.submittedTime FROM read_json(?)", [str(delivery / "manifest.json")]
        ).fetchone()
    assert found is not None
    return str(found[0])
