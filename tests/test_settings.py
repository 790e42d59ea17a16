from __future__ import annotations

from pathlib import Path

import pytest

from finops_assets.settings import EXAMPLE, ConfigError, load_settings
from finops_assets.source_settings import FilesSource


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def configure(text: str) -> None:
    Path("finops.toml").write_text(text, encoding="utf-8")


def test_without_a_file_the_three_demo_sources_are_there() -> None:
    settings = load_settings()
    assert list(settings.sources) == ["demo-aws", "demo-azure", "demo-gcp"]
    assert settings.uses_demo


def test_the_example_of_the_error_text_is_valid() -> None:
    configure(EXAMPLE)
    settings = load_settings()
    source = settings.sources["aws-main"]
    assert isinstance(source, FilesSource)
    assert source.path == Path.cwd() / "bills" / "aws"
    assert settings.paths.lake == Path.cwd() / "var" / "lake"
    assert not settings.uses_demo


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    configure('reporting_currency = "USD"\n')
    monkeypatch.setenv("FINOPS_REPORTING_CURRENCY", "EUR")
    monkeypatch.setenv("FINOPS_PATHS__DATA", "/srv/finops")
    settings = load_settings()
    assert settings.reporting_currency == "EUR"
    assert settings.paths.data == Path("/srv/finops")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('tag_kees = ["team"]', "tag_kees: Extra inputs are not permitted"),
        ('reporting_currency = "dollars"', "reporting_currency: .*found 'dollars'"),
        ('first_month = "2025-13"', "first_month: .*found '2025-13'"),
        ('[sources.Main]\nkind = "files"\npath = "x"', "sources.Main.*'aws-main'"),
        ('[sources.a]\nkind = "files"', r"sources.a.files.path: Field required"),
        ('[sources.a]\nkind = "ftp"', r"sources.a: .*'files'.*'demo'"),
        ("sources = [", "not valid TOML"),
    ],
)
def test_a_wrong_file_names_the_key_the_fault_and_an_example(text: str, expected: str) -> None:
    configure(text)
    with pytest.raises(ConfigError, match=expected) as raised:
        load_settings()
    assert "[sources.aws-main]" in str(raised.value)


def test_a_named_file_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINOPS_CONFIG", "nowhere.toml")
    with pytest.raises(ConfigError, match=r"nowhere\.toml, which does not exist"):
        load_settings()
