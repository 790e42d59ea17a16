"""`finops export`: each dataset of FOCUS as a file, against polars' reading of the lake."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finops_assets import cli
from finops_assets.focus.columns import columns
from finops_assets.settings import Settings, current_settings
from tests.warehouse_builder import lake_table, shared_warehouse


@pytest.fixture
def built(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = shared_warehouse(tmp_path_factory.getbasetemp())
    monkeypatch.setenv("FINOPS_PATHS__DATA", str(settings.paths.data))
    current_settings.cache_clear()
    return settings


def exported(to: Path, *arguments: str) -> list[dict[str, str]]:
    done = CliRunner().invoke(cli.app, ["export", "--csv", str(to), *arguments])
    current_settings.cache_clear()
    assert done.exit_code == 0, done.output
    with to.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("dataset", "table"),
    [
        ("CostAndUsage", "costs"),
        ("BillingPeriod", "billing_periods"),
        ("InvoiceDetail", "invoice_details"),
        ("ContractCommitment", "contract_commitments"),
    ],
)
def test_every_row_and_column_of_a_dataset_is_there(
    built: Settings, tmp_path: Path, dataset: str, table: str
) -> None:
    target = tmp_path / "out.csv"
    rows = exported(target, "--dataset", dataset)
    assert len(rows) == lake_table(built, table).height
    header = target.read_text(encoding="utf-8").splitlines()[0].split(",")
    assert [c for c in header if not c.startswith("x_")] == [c.name for c in columns(dataset)]


def test_invoice_details_add_up_to_the_costs(built: Settings, tmp_path: Path) -> None:
    details, costs = (
        exported(tmp_path / "out.csv", "--dataset", d, "--start", "2026-02", "--end", "2026-02")
        for d in ("InvoiceDetail", "CostAndUsage")
    )
    assert details
    assert {r["x_BillingMonth"] for r in (*details, *costs)} == {"2026-02"}
    for currency in ("USD", "EUR"):
        lines, charges = (
            sum((Decimal(r["BilledCost"]) for r in rows if r["BillingCurrency"] == currency), Decimal())
            for rows in (details, costs)
        )
        assert lines == charges != 0


def test_an_unknown_dataset_says_which_there_are(built: Settings, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli.app, ["export", "--csv", str(tmp_path / "x"), "--dataset", "Invoices"])
    current_settings.cache_clear()
    assert done.exit_code == 1
    assert "No dataset of FOCUS 1.4 is called 'Invoices'; there are CostAndUsage" in " ".join(
        done.output.split()
    )
