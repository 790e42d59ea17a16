from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from finops_api.app import create_app
from finops_assets.settings import Settings
from tests.warehouse_builder import shared_warehouse


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a warehouse that tests only read."""
    return shared_warehouse(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def client(built: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(built)) as client:
        yield client
