"""Four real bills through the whole graph, as a user would: finops.toml, `finops run`, the published file."""

from __future__ import annotations

import csv
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from tests.platform_process import Platform

BILLS = {
    "focus-sample": ("focus-1.0-sample/focus_sample.csv", "BilledCost", "BillingCurrency"),
    "aws-legacy": ("native-exports/aws-cur-legacy.csv", "lineItem/UnblendedCost", "lineItem/CurrencyCode"),
    "azure-ea": ("native-exports/azure-ea.csv", "CostInBillingCurrency", "BillingCurrencyCode"),
    "oracle": ("native-exports/oci-cost.csv", "cost/myCost", "cost/currencyCode"),
}
SOURCES = sorted(BILLS)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def sums(path: Path, amount: str, currency: str) -> dict[str, Decimal]:
    """The file added up by Python's csv and decimal."""
    total: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows(path):
        total[row[currency]] += Decimal(row[amount] or "0")
    return dict(total)


@pytest.fixture(scope="module")
def platform(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    root = tmp_path_factory.mktemp("real")
    platform = Platform(root)
    sources = []
    for name, (file, _, _) in BILLS.items():
        folder = root / "bills" / name
        folder.mkdir(parents=True)
        (folder / Path(file).name).write_bytes((samples / file).read_bytes())
        sources.append(f'[sources.{name}]\nkind = "files"\npath = "bills/{name}"\n')
    platform.configure("\n".join(sources))
    done = platform.finops("run", "--no-serve")
    assert done.returncode == 0, done.stdout + done.stderr
    return platform


@pytest.mark.parametrize("source", SOURCES)
def test_every_stage_equals_the_file(platform: Platform, samples: Path, source: str) -> None:
    file, amount, currency = BILLS[source]
    expected = sums(samples / file, amount, currency)
    for table in ("costs", "daily_costs"):
        found = platform.query(
            f"SELECT BillingCurrency, sum(BilledCost) FROM {table} WHERE x_Source = '{source}' GROUP BY 1"
        )
        assert dict(found) == expected
    stated = platform.query(
        "SELECT t->>'currency', sum((t->>'amount')::DECIMAL(38,18)) FROM bills, "
        f"unnest(control_totals::JSON::JSON[]) AS u(t) WHERE x_Source = '{source}' GROUP BY 1"
    )
    assert dict(stated) == expected


@pytest.mark.parametrize("source", SOURCES)
def test_every_row_leads_back_to_its_line(platform: Platform, samples: Path, source: str) -> None:
    file, amount, _ = BILLS[source]
    delivered = rows(samples / file)
    found = platform.query(
        "SELECT x_File, x_RowNumber, sum(BilledCost) FROM costs "
        f"WHERE x_Source = '{source}' GROUP BY ALL ORDER BY x_RowNumber"
    )
    assert [row[1] for row in found] == list(range(1, len(delivered) + 1))
    assert {row[0] for row in found} == {Path(file).name}
    assert [row[2] for row in found] == [Decimal(row[amount] or "0") for row in delivered]


def test_everything_reconciles(platform: Platform) -> None:
    assert platform.query("SELECT count(*) FROM quality WHERE NOT passed") == [(0,)]
    checked = platform.query("SELECT stage, count(DISTINCT x_Source) FROM quality GROUP BY 1 ORDER BY 1")
    assert checked == [("costs", 4), ("daily_costs", 4), ("raw", 4)]


def test_the_odd_values_land_right(platform: Platform) -> None:
    assert platform.query(
        "SELECT count(*) FROM costs WHERE 'NULL' IN (AvailabilityZone, ChargeClass, Tags, ResourceName)"
    ) == [(0,)]
    frequencies = platform.query("SELECT DISTINCT ChargeFrequency FROM costs ORDER BY ALL")
    assert {f for (f,) in frequencies} <= {"One-Time", "Recurring", "Usage-Based"}
    oracle = "SELECT count(*) FROM costs WHERE x_Source = 'focus-sample' AND ServiceProviderName = 'Oracle'"
    assert platform.query(oracle) == [(7,)]
    inferred = " AND ContractedCost IS NOT NULL AND x_Inferred LIKE '%ContractedCost%'"
    assert platform.query(oracle + inferred) == [(7,)]
    october = "SELECT count(*) FROM costs WHERE x_BillingMonth = '2024-10' AND month(ChargePeriodStart) = 9"
    ((late,),) = platform.query(october)
    assert late == 1
    azure = platform.query(
        "SELECT DISTINCT Tags, ChargePeriodStart::DATE::VARCHAR, BillingPeriodEnd::DATE::VARCHAR "
        "FROM costs WHERE x_Source = 'azure-ea' AND Tags IS NOT NULL"
    )
    assert ('{"tagA":"valueA","tagB":"valueB","tagC":"valueC"}', "2023-09-02", "2023-10-01") in azure
    stray = "SELECT count(*) FROM raw_focus WHERE json_extract_string(x_Extra, '$.Id') IS NULL"
    assert platform.query(stray) == [(0,)]


def test_the_same_bills_again_change_nothing(platform: Platform) -> None:
    before = {p: p.stat().st_mtime_ns for p in (platform.root / "var" / "lake").rglob("*") if p.is_file()}
    published = platform.query("SELECT * FROM snapshot ORDER BY table_name")
    done = platform.finops("run", "--no-serve")
    assert "Everything is up to date." in done.stdout
    after = {p: p.stat().st_mtime_ns for p in (platform.root / "var" / "lake").rglob("*") if p.is_file()}
    assert after == before
    assert platform.query("SELECT * FROM snapshot ORDER BY table_name") == published


def test_the_export_is_every_row(platform: Platform) -> None:
    target = platform.root / "costs.csv"
    done = platform.finops("export", "--csv", str(target), "--start", "2023-11", "--end", "2023-11")
    assert done.returncode == 0, done.stderr
    exported = rows(target)
    ((count, billed),) = platform.query(
        "SELECT count(*), sum(BilledCost) FROM costs WHERE x_BillingMonth = '2023-11'"
    )
    assert len(exported) == count
    assert sum((Decimal(row["BilledCost"]) for row in exported), Decimal()) == billed
