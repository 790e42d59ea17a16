from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest

from finops_assets.queries.access import Warehouse, open_warehouse
from finops_assets.settings import Settings
from tests.warehouse_builder import lake_table, shared_warehouse


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a warehouse that tests only read."""
    return shared_warehouse(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def warehouse(built: Settings) -> Iterator[Warehouse]:
    opened = open_warehouse(built)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def bill_rows(built: Settings) -> pl.DataFrame:
    """`costs` straight from the lake, with the UTC day of each row: what figures are held against."""
    return lake_table(built, "costs").with_columns(x_Day=pl.col("ChargePeriodStart").dt.date())
