"""FOCUS 1.2 and 1.3 bills that focus-data-toolkit makes up, through the whole graph."""

from __future__ import annotations

import csv
import json
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

PERIOD = {
    "BillingPeriodCreated": "2026-05-01T00:00:00Z",
    "BillingPeriodStart": "2026-05-01T00:00:00Z",
    "BillingPeriodEnd": "2026-06-01T00:00:00Z",
    "BillingPeriodLastUpdated": "2026-06-03T00:00:00Z",
    "BillingPeriodStatus": "Closed",
    "InvoiceIssuerName": "AWS",
}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, lines: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


def bill_of(platform: Platform, source: str) -> Path:
    (file,) = (platform.root / "bills" / source).glob("*_cost_and_usage_*.csv")
    return file


def invoice_lines(platform: Platform, source: str) -> list[dict[str, str]]:
    """Invoice Detail of a bill, a line an invoice and category in whole cents, as an issuer writes it."""
    sums: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    of_line = ("InvoiceIssuerName", "InvoiceId", "ChargeCategory", "BillingCurrency", "BillingAccountId")
    for row in rows(bill_of(platform, source)):
        sums[tuple(row[name] for name in of_line)] += Decimal(row["BilledCost"])
    return [
        {
            **dict(zip(of_line, key, strict=True)),
            **{name: PERIOD[name] for name in ("BillingPeriodStart", "BillingPeriodEnd")},
            "BilledCost": str(amount.quantize(Decimal("0.01"))),
            "InvoiceDetailCreated": PERIOD["BillingPeriodEnd"],
            "InvoiceDetailDescription": key[2],
            "InvoiceDetailGrain": "",
            "InvoiceDetailId": f"{key[1]}/{key[2]}",
            "InvoiceDetailLastUpdated": PERIOD["BillingPeriodEnd"],
            "InvoiceIssueDate": PERIOD["BillingPeriodEnd"],
            "InvoiceIssueStatus": "Issued",
            "PaymentDueDate": "",
            "PaymentTerms": "30 days",
            "ReferenceInvoiceId": key[1],
        }
        for key, amount in sorted(sums.items())
    ]


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
        for file in made.glob("*.csv"):  # a 1.3 bill comes with its contract commitments
            file.rename(folder / file.name)
    write(platform.root / "bills" / "aws-13" / "invoices.csv", invoice_lines(platform, "aws-13"))
    write(platform.root / "bills" / "aws-13" / "periods.csv", [PERIOD])
    lines = invoice_lines(platform, "gcp-13")
    lines[0]["BilledCost"] = str(Decimal(lines[0]["BilledCost"]) + 50)
    write(platform.root / "bills" / "gcp-13" / "invoices.csv", lines)
    found = rows(bill_of(platform, "aws-13"))
    usage = next(row for row in found if row["ChargeCategory"] == "Usage" and Decimal(row["ListCost"]) > 1)
    usage["ListCost"] = str(Decimal(usage["ListCost"]) + 1)
    changed = platform.root / "bills" / "changed"
    changed.mkdir()
    write(changed / "bill.csv", found)
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
        "count(*) FILTER (failed > 0 AND level = 'MUST') FROM conformance "
        "WHERE x_Source <> 'changed' AND NOT contains(rule, '.') GROUP BY 1"
    )
    assert {source: (version, broken) for source, version, _, broken in found} == {
        source: (version, 0) for source, (_, version) in BILLS.items()
    }
    assert all(checked > 80 for _, _, checked, _ in found)


def test_a_changed_figure_breaks_its_rule(platform: Platform) -> None:
    assert platform.query(
        "SELECT rule, failed FROM conformance WHERE x_Source = 'changed' AND failed > 0 AND level = 'MUST'"
    ) == [("ListCost-Is-Price-Times-Quantity", 1)]


def test_the_other_datasets_are_taken_in_beside_the_bill(platform: Platform) -> None:
    found = platform.query(
        "SELECT x_Source, format, status, focus_version, sum(rows) FROM bills "
        "WHERE format LIKE 'focus#_%' ESCAPE '#' GROUP BY ALL ORDER BY ALL"
    )
    commitments = {
        source: len(rows(next((platform.root / "bills" / source).glob("*_contract_commitment_*.csv"))))
        for source in ("aws-13", "azure-13", "gcp-13")
    }
    assert found == [
        ("aws-13", "focus_billing_period", "accepted", "1.4", 1),
        ("aws-13", "focus_contract_commitment", "accepted", "1.3", commitments["aws-13"]),
        ("aws-13", "focus_invoice_detail", "accepted", "1.4", len(invoice_lines(platform, "aws-13"))),
        ("azure-13", "focus_contract_commitment", "accepted", "1.3", commitments["azure-13"]),
        ("gcp-13", "focus_contract_commitment", "accepted", "1.3", commitments["gcp-13"]),
        ("gcp-13", "focus_invoice_detail", "accepted", "1.4", len(invoice_lines(platform, "gcp-13"))),
    ]


@pytest.mark.parametrize("source", ["aws-13", "azure-13", "gcp-13"])
def test_a_commitment_has_the_terms_of_the_list_in_the_month_of_its_charges(
    platform: Platform, source: str
) -> None:
    (file,) = (platform.root / "bills" / source).glob("*_contract_commitment_*.csv")
    listed = {row["ContractCommitmentId"]: row["ContractId"] for row in rows(file)}
    charges = rows(bill_of(platform, source))
    applied = [
        e for row in charges if row["ContractApplied"] for e in json.loads(row["ContractApplied"])["Elements"]
    ]
    used = {row["CommitmentDiscountId"] for row in charges} | {e["ContractCommitmentId"] for e in applied}
    used.discard("")
    found = platform.query(
        "SELECT ContractCommitmentId, ContractId, "
        "ContractCommitmentPeriodEnd > ContractCommitmentPeriodStart, "
        f"x_RowCount > 0 FROM contract_commitments WHERE x_Source = '{source}' AND x_BillingMonth = '2026-05'"
    )
    assert used
    assert set(found) == {(name, listed[name], True, True) for name in used}
    (all_of_them,) = platform.query(
        f"SELECT count(DISTINCT ContractCommitmentId) FROM contract_commitments WHERE x_Source = '{source}'"
    )
    assert all_of_them == (len(listed),)


def test_the_issuers_own_invoices_are_what_the_bill_comes_to(platform: Platform) -> None:
    found = platform.query(
        "SELECT x_Source, InvoiceId, given_by, round(residual), passed, cause "
        "FROM control_totals ORDER BY ALL"
    )
    first = invoice_lines(platform, "gcp-13")[0]["InvoiceId"]
    invoices = {(s, line["InvoiceId"]) for s in ("aws-13", "gcp-13") for line in invoice_lines(platform, s)}
    assert {(source, invoice) for source, invoice, *_ in found} == invoices
    for source, invoice, given_by, residual, passed, cause in found:
        assert given_by == "Invoice Detail"
        if (source, invoice) == ("gcp-13", first):
            assert (residual, passed, cause) == (-50, False, "unexplained")
        else:
            assert (residual, cause in (None, "rounding")) == (0, True), (source, invoice, cause)


def test_what_the_invoice_says_is_held_against_the_charges_by_rule(platform: Platform) -> None:
    found = platform.query(
        "SELECT x_Source, rule, failed > 0 FROM conformance WHERE contains(rule, '.') AND level = 'MUST' "
        "AND (failed > 0 OR rule = 'InvoiceDetail.Invoice-Equals-Its-Charges')"
    )
    rule = "InvoiceDetail.Invoice-Equals-Its-Charges"
    assert sorted(found) == [("aws-13", rule, False), ("gcp-13", rule, True)]


def test_charges_are_held_against_a_list_that_came_months_later(platform: Platform) -> None:
    found = platform.query(
        "SELECT x_Source, x_BillingMonth, sum(checked) > 0, sum(failed) FROM conformance "
        "WHERE rule = 'ContractCommitment.Of-Every-Contract-Applied' GROUP BY ALL ORDER BY ALL"
    )
    assert found == [(source, "2026-05", True, 0) for source in ("aws-13", "azure-13", "gcp-13")]


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
