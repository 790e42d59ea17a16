"""FOCUS 1.2 and 1.3 bills that focus-data-toolkit makes up, through the whole graph."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import uv

from finops_assets.engine.base import ParquetInput
from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.focus.official import FAILED
from finops_assets.normalize.formats import FORMAT_BY_NAME
from finops_assets.running.official import verdicts
from tests.platform_process import Platform

BILLS = {
    f"{provider}-{version.replace('.', '')}": (provider, version)
    for provider in ("aws", "azure", "gcp")
    for version in ("1.2", "1.3")
}
SOURCES = sorted(BILLS)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def bill_of(platform: Platform, source: str) -> Path:
    (file,) = (platform.root / "bills" / source).iterdir()
    return file


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """The bills taken in; one cell of a seventh, a copy of the first, was changed before."""
    platform = Platform(tmp_path_factory.mktemp("toolkit"))
    toolkit = Path(sys.executable).parent / "focus-toolkit"
    for source, (provider, version) in BILLS.items():
        made = platform.root / "made" / source
        command = [str(toolkit), "generate", "--provider", provider, "--focus-version", version]
        subprocess.run([*command, "--rows", "300", "--seed", "7", "--out", str(made)], check=True)
        folder = platform.root / "bills" / source
        folder.mkdir(parents=True)
        # A 1.3 bill comes with its contract commitments, a dataset of its own.
        (bill,) = made.glob("*_cost_and_usage_*.csv")
        bill.rename(folder / bill.name)
    found = rows(bill_of(platform, "aws-13"))
    usage = next(row for row in found if row["ChargeCategory"] == "Usage" and Decimal(row["ListCost"]) > 1)
    usage["ListCost"] = str(Decimal(usage["ListCost"]) + 1)
    changed = platform.root / "bills" / "changed"
    changed.mkdir()
    with (changed / "bill.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]))
        writer.writeheader()
        writer.writerows(found)
    sources = (f'[sources.{name}]\nkind = "files"\npath = "bills/{name}"\n' for name in (*SOURCES, "changed"))
    platform.configure("\n".join(sources))
    done = platform.finops("ingest")
    assert done.returncode == 0, done.stdout + done.stderr
    return platform


@pytest.mark.parametrize("source", SOURCES)
def test_every_cost_equals_the_files_to_the_digit(platform: Platform, source: str) -> None:
    expected: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal()] * 4)
    costs = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
    for row in rows(bill_of(platform, source)):
        sums = expected[row["BillingCurrency"]]
        expected[row["BillingCurrency"]] = [s + Decimal(row[c]) for s, c in zip(sums, costs, strict=True)]
    for table in ("costs", "daily_costs"):
        found = platform.query(
            f"SELECT BillingCurrency, {', '.join(f'sum({c})' for c in costs)} FROM {table} "
            f"WHERE x_Source = '{source}' GROUP BY 1"
        )
        assert {currency: list(sums) for currency, *sums in found} == expected


def test_every_residual_is_zero(platform: Platform) -> None:
    found = platform.query(
        "SELECT x_Source, count(*), sum(abs(residual)), bool_and(passed) FROM quality GROUP BY 1"
    )
    assert {source: (residual, passed) for source, _, residual, passed in found} == dict.fromkeys(
        (*SOURCES, "changed"), (Decimal(0), True)
    )
    assert all(count >= 6 for _, count, _, _ in found)


def test_the_version_is_told_and_every_rule_that_says_must_is_kept(platform: Platform) -> None:
    found = platform.query(
        "SELECT x_Source, max(focus_version), count(*) FILTER (checked > 0), "
        "count(*) FILTER (failed > 0 AND level = 'MUST') FROM conformance WHERE x_Source <> 'changed' "
        "GROUP BY 1"
    )
    assert {source: (version, broken) for source, version, _, broken in found} == {
        source: (version, 0) for source, (_, version) in BILLS.items()
    }
    assert all(checked > 80 for _, _, checked, _ in found)


def test_a_changed_figure_breaks_its_rule(platform: Platform) -> None:
    assert platform.query(
        "SELECT rule, failed FROM conformance WHERE x_Source = 'changed' AND failed > 0 AND level = 'MUST'"
    ) == [("ListCost-Is-Price-Times-Quantity", 1)]


@pytest.fixture
def python_312(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that the official validator runs on, where this machine has one."""
    found = subprocess.run([uv.find_uv_bin(), "python", "find", "3.12"], capture_output=True, check=False)
    if not found.returncode:
        return
    # uv asks pyenv's shims, which answer for the chosen version only.
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    kept = sorted(pyenv.glob("versions/3.12*/bin/python"))
    if not kept:
        pytest.skip("the official validator needs Python 3.12, which is not on this machine")
    monkeypatch.setenv("UV_PYTHON", str(kept[-1]))


@pytest.mark.usefixtures("python_312")
@pytest.mark.parametrize("source", ["aws-12", "gcp-13"])
def test_the_official_validator_agrees_or_it_is_known_why_not(platform: Platform, source: str) -> None:
    done = platform.finops("conformance", "--official", "--source", source)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "by its official validator and by ours" in done.stdout
    assert "No reason is known" not in " ".join(done.stdout.split())


@pytest.mark.usefixtures("python_312")
def test_both_sides_find_a_price_below_zero(platform: Platform, tmp_path: Path) -> None:
    table = FORMAT_BY_NAME["focus"].raw_table()
    [kept] = (platform.root / "var" / "lake" / table.name).glob("x_Source=aws-12/*/*.parquet")
    below = pl.when(pl.int_range(pl.len()) == 0).then(-1).otherwise(pl.col("ListUnitPrice"))
    changed = Path(tmp_path, *kept.parts[-3:])
    changed.parent.mkdir(parents=True)
    pl.read_parquet(kept, hive_partitioning=False).with_columns(
        below.cast(pl.Decimal(38, 18)).alias("ListUnitPrice")
    ).write_parquet(changed)
    found = verdicts(DuckDBEngine(tmp_path / "spill"), ParquetInput(table, (str(changed),)))
    assert ("ListUnitPrice", "ListUnitPrice-Not-Negative") in found.ours
    assert "ListUnitPrice" in {check.column for check in found.official if check.outcome == FAILED}
    assert "ListUnitPrice" not in {difference.column for difference in found.apart}
