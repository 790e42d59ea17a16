"""The asset `warehouse`: a publication that does not add up fails, and says so as a check too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest

from finops_assets.defs.publishing.assets import CHECK, warehouse
from finops_assets.defs.resources import Platform
from finops_assets.normalize.tables import costs_table
from finops_assets.schema import MONTH, SOURCE
from finops_assets.settings import current_settings
from finops_assets.warehouse.pointer import current
from tests.warehouse_builder import TAG_KEYS, Builder, build_warehouse


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    build_warehouse(tmp_path)
    monkeypatch.setenv("FINOPS_PATHS__DATA", str(tmp_path))
    monkeypatch.setenv("FINOPS_TAG_KEYS", json.dumps(TAG_KEYS))
    current_settings.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    current_settings.cache_clear()


def materialize() -> tuple[dg.ExecuteInProcessResult, dg.AssetCheckEvaluation]:
    done = dg.materialize([warehouse], resources={"platform": Platform()}, raise_on_error=False)
    (check,) = done.get_asset_check_evaluations()
    return done, check


def test_the_check_says_what_was_held_and_what_differs(folder: Path) -> None:
    done, check = materialize()
    assert done.success
    assert (check.check_name, check.passed, check.metadata["checked"].value) == (CHECK, True, 45)
    in_force = current(folder / "warehouse")

    build, costs = Builder(folder), costs_table(TAG_KEYS)
    partition = {SOURCE: "gcp-prod", MONTH: "2026-02"}
    more = "SELECT * REPLACE (BilledCost + 0.5 AS BilledCost) FROM costs"
    rows = build.lake.rows(costs, partition)
    build.put(costs, partition, more, {"costs": build.lake.input(costs, partition)})
    done, check = materialize()
    assert not done.success
    assert (check.passed, check.blocking, check.severity) == (False, True, dg.AssetCheckSeverity.ERROR)
    said = str(check.metadata["0001"].value)
    assert said.startswith("gcp-prod 2026-02, published costs, BilledCost in USD: expected ")
    assert said.endswith(f"(residual {(rows * Decimal('0.5')).normalize():f})")
    assert not done.asset_materializations_for_node("warehouse")
    assert current(folder / "warehouse") == in_force
