"""One moto server for all tests here, emptied before each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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


@pytest.fixture
def poor(moto: Moto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A profile of a user who may do nothing, named after its file: clients are kept by profile."""
    iam = moto.owner("iam")
    iam.create_user(UserName="poor")
    key = iam.create_access_key(UserName="poor")["AccessKey"]
    profile = tmp_path.name
    file = tmp_path / "credentials"
    file.write_text(
        f"[{profile}]\naws_access_key_id = {key['AccessKeyId']}\n"
        f"aws_secret_access_key = {key['SecretAccessKey']}\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    return profile
