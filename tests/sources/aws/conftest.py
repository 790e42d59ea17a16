"""One moto server for all tests here, emptied before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.moto import CREDENTIALS, Moto, running_moto


@pytest.fixture(scope="session")
def moto_server() -> Iterator[Moto]:
    with running_moto() as moto:
        yield moto


@pytest.fixture
def moto(moto_server: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    moto_server.reset()
    return moto_server
