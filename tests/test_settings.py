from __future__ import annotations

from decimal import Decimal
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


TOTAL = '[[control_totals]]\nsource = "demo-aws"\nmonth = "2026-09"\ncurrency = "USD"\n'


def test_amounts_of_invoices_keep_their_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(f'{TOTAL}amount = "1234.50"\n{TOTAL}amount = "-7"\ninvoice = "A-1"')
    whole, one = load_settings().control_totals
    assert (whole.amount, whole.digits, whole.invoice) == (Decimal("1234.5"), 2, None)
    assert (one.amount, one.digits, one.invoice) == (Decimal(-7), 0, "A-1")
    monkeypatch.setenv("FINOPS_CONTROL_TOTALS", "[]")
    assert load_settings().control_totals == ()


BUDGET = '[[budgets]]\nname = "All"\ncurrency = "USD"\nperiod = "month"\n'


def test_budgets_keep_their_digits_and_are_of_a_series() -> None:
    configure(
        f'{BUDGET}amount = "1000.10"\n'
        '[[budgets]]\nname = "S3"\ncurrency = "EUR"\nperiod = "year"\nfrom = "2026-04"\namount = "7"\n'
        'provider = "AWS"\nservice = "Amazon S3"\nmetric = "BilledCost"'
    )
    every, one = load_settings().budgets
    assert (every.amount, every.level, every.scope) == (Decimal("1000.10"), "total", {})
    assert (one.level, one.first_month, one.metric) == ("service", "2026-04", "BilledCost")
    assert one.scope == {"provider": "AWS", "service": "Amazon S3"}


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
        (f"{TOTAL}amount = 1234.56", r"control_totals.0.amount: .*in quotes.*found 1234\.56"),
        (f'{TOTAL}amount = "1,234.56"', r"control_totals.0.amount: .*found '1,234\.56'"),
        (f'{TOTAL}amount = "1e3"', r"control_totals.0.amount: .*found '1e3'"),
        (f"{TOTAL}", "control_totals.0.amount: Field required"),
        (f'{TOTAL}amount = "1"\ninvoise = "x"', "control_totals.0.invoise: Extra inputs"),
        (f'{TOTAL}amount = "1"\ninvoice = ""', "control_totals.0.invoice: .*at least 1"),
        (f'{TOTAL}amount = "1"'.replace("USD", "DOL"), "control_totals.0.currency: .*found 'DOL'"),
        (f'{TOTAL}amount = "1"'.replace("2026-09", "2026-9"), "control_totals.0.month: .*found '2026-9'"),
        (
            f'{TOTAL}amount = "1"'.replace("demo-aws", "demo-asw"),
            r"\[\[control_totals\]\] number 1: .*\(demo-aws, demo-azure, demo-gcp\), found 'demo-asw'",
        ),
        (f'{TOTAL}amount = "1"'.replace("2026-09", "2022-12"), "first_month .2023-01. on, found '2022-12'"),
        (f"{BUDGET}amount = 1000.10", r"budgets.0.amount: .*in quotes.*found 1000\.1"),
        (f'{BUDGET}amount = "-5"', r"budgets.0.amount: .*above zero.*found '-5'"),
        (f'{BUDGET}amount = "5"\nfrom = "2026-13"', r"budgets.0.from: .*found '2026-13'"),
        (f'{BUDGET}amount = "5"\nservice = "S3"', r"budgets.0: .*provider with service.*found service"),
        (f'{BUDGET}amount = "5"'.replace("month", "week"), "budgets.0.period: .*'month' or 'year'"),
        (f'{BUDGET}amount = "5"'.replace('"All"', '"a/b"'), "budgets.0.name: .*found 'a/b'"),
        (f'{BUDGET}amount = "5"\n{BUDGET}amount = "6"', "number 2: expected a name of its own, found 'All'"),
        (f'{TOTAL}amount = "1"\n{TOTAL}amount = "2"', "number 2: .*another of demo-aws 2026-09 without"),
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


@pytest.mark.parametrize(
    ("channel", "says"),
    [
        ('url = "json://kim:hunter2@host"\nurl_env = "HOOK"', "alerts.channels.hook: .*found both"),
        ("", "alerts.channels.hook: .*found neither"),
        ('url = ["json://kim:hunter2@host"]', "alerts.channels.hook.url: .*string"),
        ('url_env = "json://kim:hunter2@host"', "alerts.channels.hook.url_env: .*pattern"),
        ('addres = "json://kim:hunter2@host"\nurl_env = "HOOK"', "alerts.channels.hook.addres: "),
        ('url_env = "HOOK"\nmin_impact = 100', "alerts.channels.hook.min_impact: .*amount in quotes"),
    ],
)
def test_a_wrong_channel_is_named_without_its_secret(
    channel: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "finops.toml"
    path.write_text(f"[alerts.channels.hook]\n{channel}\n", encoding="utf-8")
    monkeypatch.setenv("FINOPS_CONFIG", str(path))
    with pytest.raises(ConfigError, match=says) as raised:
        load_settings()
    assert "hunter2" not in str(raised.value)
