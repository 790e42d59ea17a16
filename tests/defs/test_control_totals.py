"""The assets `control_totals` and `invoices` on a lake: when they write, and what their checks say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from finops_assets.defs.partitions import key_of
from finops_assets.defs.quality.control_totals import control_totals, is_held
from finops_assets.defs.quality.invoices import invoices
from finops_assets.defs.resources import Platform
from finops_assets.marts.control_totals import CONTROL_TOTALS
from finops_assets.marts.invoices import INVOICES
from finops_assets.marts.tables import daily_costs_table
from finops_assets.normalize.tables import costs_table
from finops_assets.schema import MONTH, SOURCE
from finops_assets.settings import current_settings
from tests.warehouse_builder import TAG_KEYS, Builder, build_warehouse, lake_table

FEBRUARY = {SOURCE: "aws-main", MONTH: "2026-02"}
Configure = Callable[..., Platform]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built lake, of which each test configures what its invoices should come to."""
    folder = tmp_path_factory.mktemp("totals")
    build_warehouse(folder)
    return folder


@pytest.fixture
def configure(lake: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    def write(*totals: dict[str, str]) -> Platform:
        sources = {name: {"kind": "files", "path": "."} for name in ("aws-main", "azure-ea", "gcp-prod")}
        monkeypatch.setenv("FINOPS_PATHS__DATA", str(lake))
        monkeypatch.setenv("FINOPS_TAG_KEYS", json.dumps(TAG_KEYS))
        monkeypatch.setenv("FINOPS_SOURCES", json.dumps(sources))
        monkeypatch.setenv("FINOPS_CONTROL_TOTALS", json.dumps(totals))
        current_settings.cache_clear()
        return Platform()

    yield write
    monkeypatch.undo()
    current_settings.cache_clear()


def of(amount: str, month: str = "2026-02", source: str = "aws-main", **more: str) -> dict[str, str]:
    return {"source": source, "month": month, "amount": amount, "currency": "USD", **more}


def run(
    asset: dg.AssetsDefinition, platform: Platform, month: str = "2026-02", source: str = "aws-main"
) -> dg.AssetCheckEvaluation:
    """Materialize one partition of the asset; its check."""
    # The definition's partitions are of the process's first configuration: the same keys, other sources.
    months = dg.MonthlyPartitionsDefinition(start_date="2025-01", fmt="%Y-%m", end_offset=1)
    sources = dg.StaticPartitionsDefinition(["aws-main", "azure-ea", "gcp-prod"])
    keys = dg.MultiPartitionsDefinition({"month": months, "source": sources})
    here = asset.map_asset_specs(lambda spec: spec.replace_attributes(partitions_def=keys))
    done = dg.materialize(
        [here],
        partition_key=key_of(month, source),
        resources={"platform": platform},
        raise_on_error=False,
    )
    (check,) = done.get_asset_check_evaluations()
    return check


def outcome(platform: Platform) -> list[dict[str, Any]]:
    rows = platform.engine.fetch("SELECT * FROM t", {"t": platform.lake.input(CONTROL_TOTALS, FEBRUARY)})
    found: list[dict[str, Any]] = rows.to_pylist()
    return found


def billed(platform: Platform) -> Decimal:
    rows = lake_table(platform.settings, "costs").to_dicts()
    return sum(
        (r["BilledCost"] for r in rows if (r[SOURCE], r[MONTH]) == ("aws-main", "2026-02")), Decimal(0)
    )


def test_without_an_amount_nothing_is_written_and_what_was_there_goes(configure: Configure) -> None:
    platform = configure()
    before = {t: platform.lake.version(t) for t in (INVOICES, costs_table(TAG_KEYS))}
    assert is_held(platform, "azure-ea", "2026-02")
    version = platform.lake.version(CONTROL_TOTALS)
    check = run(control_totals, platform, source="azure-ea")
    assert (check.passed, check.metadata["checked"].value) == (True, 0)
    assert platform.lake.version(CONTROL_TOTALS) == version
    assert outcome(platform)  # the builder gave one of February, that is configured no more
    assert not is_held(platform, "aws-main", "2026-02")
    assert run(control_totals, platform).passed
    assert outcome(platform) == []
    assert {t: platform.lake.version(t) for t in before} == before


def test_an_amount_is_held_again_only_when_it_or_the_bill_changes(configure: Configure) -> None:
    amount = f"{billed(configure()):.2f}"
    platform = configure(of(amount))
    assert not is_held(platform, "aws-main", "2026-02")
    check = run(control_totals, platform)
    assert (check.passed, check.metadata["checked"].value) == (True, 1)
    version = platform.lake.version(CONTROL_TOTALS)
    assert is_held(platform, "aws-main", "2026-02")
    run(control_totals, platform)
    assert platform.lake.version(CONTROL_TOTALS) == version
    changed = configure(of(f"{Decimal(amount) + 1}"))
    assert not is_held(changed, "aws-main", "2026-02")
    run(control_totals, changed)
    assert [row["passed"] for row in outcome(changed)] == [False]


def test_a_known_cause_warns_and_an_unknown_one_is_an_error(configure: Configure) -> None:
    """The bill has one tax row, of 42.42."""
    total = billed(configure())
    untaxed = configure(of(f"{total - Decimal('42.42'):.2f}", invoice="aws-202602"))
    check = run(control_totals, untaxed)
    assert (check.passed, check.severity, check.blocking) == (False, dg.AssetCheckSeverity.WARN, False)
    said = str(check.metadata["aws-main 2026-02 aws-202602 USD, given by finops.toml"].value)
    assert said.endswith(": tax")
    check = run(control_totals, configure(of("1.00")))
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    said = str(check.metadata["aws-main 2026-02 whole month USD, given by finops.toml"].value)
    assert said == (f"expected 1.000000000000000000, found {total}, residual {total - 1}: unexplained")


def test_an_amount_of_a_month_without_a_bill_is_an_error(configure: Configure) -> None:
    platform = configure(of("5.00", month="2025-12"))
    check = run(control_totals, platform, month="2025-12")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert str(check.metadata["aws-main 2025-12 whole month USD, given by finops.toml"].value).endswith(
        ": no bill"
    )


def test_invoices_are_made_once_and_block_what_follows_when_a_cost_changed(configure: Configure) -> None:
    platform = configure()
    check = run(invoices, platform)
    assert (check.passed, check.metadata["checked"].value, check.blocking) == (True, 1, True)
    version = platform.lake.version(INVOICES)
    run(invoices, platform)
    assert platform.lake.version(INVOICES) == version
    build, costs = Builder(platform.settings.paths.data), costs_table(TAG_KEYS)
    right = build.lake.input(costs, FEBRUARY)
    wrong = "SELECT * REPLACE (if(x_RowNumber = 1001, 0.25, BilledCost) AS BilledCost) FROM costs"
    build.put(costs, FEBRUARY, wrong, {"costs": right})
    check = run(invoices, platform)
    assert not check.passed
    assert {name for name in check.metadata if name != "checked"} == {
        "aws-main 2026-02 invoice aws-202602 USD, the raw rows",
        "aws-main 2026-02 all invoices USD, daily_costs",
    }
    assert all("residual 0.25" in str(v.value) for k, v in check.metadata.items() if k != "checked")
    build.put(costs, FEBRUARY, "SELECT * FROM costs", {"costs": right})
    assert run(invoices, platform).passed
    assert platform.lake.rows(daily_costs_table(TAG_KEYS), FEBRUARY) > 0
