"""Writes demo bills of a made-up company in the providers' native layouts.

All rows are made by DuckDB month by month and copied straight to files, so the number of rows is
bounded by the disk alone. The company costs about the same whatever the number of rows: more rows are
more and smaller resources, so commitments, anomalies and totals keep their size.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from finops_assets.sources.demo import aws, azure, gcp
from finops_assets.sources.demo.company import Month, billed_months, company, read_text
from finops_assets.sources.demo.delivery import Tally, write_json

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Provider:
    """One provider's writer and its part of the rows."""

    weight: float
    rows_per_charge: float
    currency: str
    service: str
    account: str
    tables: tuple[str, ...]
    write: Callable[[duckdb.DuckDBPyConnection, Path, list[Month], int, Callable[[], None]], Tally]


PROVIDERS = {
    "aws": Provider(0.5, 1.08, "USD", "product_code", "id", aws.TABLES, aws.write_aws),
    # Each charge is in the actual and in the amortized export.
    "azure": Provider(0.3, 2.0, "EUR", "meter_category", "id", azure.TABLES, azure.write_azure),
    "gcp": Provider(0.2, 1.02, "USD", "service", "id", gcp.TABLES, gcp.write_gcp),
}


@dataclass(frozen=True)
class DemoSummary:
    """What was written, by provider."""

    rows: dict[str, int]
    files: dict[str, int]


def write_demo(
    root: Path,
    *,
    rows: int = 500_000,
    seed: int = 7,
    today: date,
    months: int = 14,
    providers: Sequence[str] = ("aws", "azure", "gcp"),
    progress: Progress | None = None,
) -> DemoSummary:
    """Write about `rows` rows of bills for `months` months up to yesterday, replacing `root`.

    The same arguments give the same bytes. Everything is written beside `root` and renamed at the end:
    a run that is killed leaves `root` as it was. There is at least one resource for each service and
    account, so very few rows become more. `<root>/truth.json` holds the anomalies put in, `demo.json`
    the arguments. `progress` hears (provider, months done, months). Raises ValueError for an unknown
    provider or a count below 1.
    """
    if unknown := [p for p in providers if p not in PROVIDERS]:
        raise ValueError(f"no demo provider is called {', '.join(unknown)}; there are {', '.join(PROVIDERS)}")
    if rows < 1 or months < 1:
        raise ValueError(f"expected at least one row and one month, found {rows} and {months}")
    billed = billed_months(today - timedelta(days=1), months)
    writing = root.parent / f".{root.name}.writing"
    spill = root.parent / f".{root.name}.spill"
    for folder in (writing, spill):
        shutil.rmtree(folder, ignore_errors=True)
    writing.mkdir(parents=True)
    try:
        tallies, truth = _write_providers(writing, spill, rows, seed, billed, providers, progress)
        write_json(writing / "truth.json", truth)
        write_json(
            writing / "demo.json",
            {
                "seed": seed,
                "rows": rows,
                "today": today.isoformat(),
                "months": months,
                "providers": list(providers),
                "written_by": f"finops-platform {version('finops-platform')}, duckdb {duckdb.__version__}",
            },
        )
        _replace(root, writing)
    finally:
        for folder in (writing, spill):
            shutil.rmtree(folder, ignore_errors=True)
    return DemoSummary(
        rows={name: tally.rows for name, tally in tallies.items()},
        files={name: tally.files for name, tally in tallies.items()},
    )


def _write_providers(
    root: Path,
    spill: Path,
    rows: int,
    seed: int,
    billed: list[Month],
    names: Sequence[str],
    progress: Progress | None,
) -> tuple[dict[str, Tally], list[dict[str, Any]]]:
    total = sum(PROVIDERS[name].weight for name in names)
    tallies: dict[str, Tally] = {}
    truth: list[dict[str, Any]] = []
    for name in names:
        provider = PROVIDERS[name]
        charges = max(1, round(rows * provider.weight / total / provider.rows_per_charge))
        with company(
            name, provider.tables, rows=charges, seed=seed, months=billed, spill=spill
        ) as connection:
            counter = _Counter(name, len(billed), progress)
            tallies[name] = provider.write(connection, root, billed, seed, counter.month_done)
            truth += _truth(connection, name, provider)
    return tallies, truth


@dataclass
class _Counter:
    label: str
    total: int
    progress: Progress | None
    done: int = 0

    def month_done(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(self.label, self.done, self.total)


def _truth(connection: duckdb.DuckDBPyConnection, name: str, provider: Provider) -> list[dict[str, Any]]:
    found = connection.execute(
        f"SELECT t.kind, a.{provider.account}, a.name, s.{provider.service}, t.region, t.first_day, "
        f"t.last_day, t.impact FROM ({read_text('truth.sql')}) AS t JOIN slots AS s USING (slot) "
        "JOIN accounts AS a ON a.account = t.account ORDER BY t.first_day, t.line"
    ).fetchall()
    return [
        {
            "provider": name,
            "kind": kind,
            "account": account,
            "account_name": account_name,
            "service": service,
            "region": region,
            "first_day": first.isoformat(),
            "last_day": last.isoformat(),
            "expected_impact": impact,
            "currency": provider.currency,
        }
        for kind, account, account_name, service, region, first, last, impact in found
    ]


def _replace(root: Path, written: Path) -> None:
    old = root.parent / f".{root.name}.old"
    shutil.rmtree(old, ignore_errors=True)
    if root.exists():
        root.rename(old)
    written.rename(root)
    shutil.rmtree(old, ignore_errors=True)
