"""The commands of the lock: what they say where it is off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finops_assets.cli import app
from finops_assets.settings import current_settings


@pytest.fixture(autouse=True)
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FINOPS_PATHS__DATA", str(tmp_path))
    current_settings.cache_clear()
    yield
    current_settings.cache_clear()


@pytest.mark.parametrize("command", [["keys", "create", "nightly"], ["audit"]])
def test_the_section_to_set_up_is_named(command: list[str]) -> None:
    said = CliRunner().invoke(app, command)
    assert said.exit_code == 0
    assert "[access]" in said.output
