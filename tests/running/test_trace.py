"""`finops trace`: its sum, files and lines against polars' own reading of the lake."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from rich.console import Console
from typer.testing import CliRunner

from finops_assets import cli
from finops_assets.running.trace import BadFigureError, figure_of_link
from finops_assets.settings import Settings, current_settings
from tests.warehouse_builder import lake_table, shared_warehouse

LINK = (
    "http://127.0.0.1:8000/api/v1/costs/rows?start_date=2026-02-10&end_date=2026-02-12"
    "&metric=EffectiveCost&currency=USD&filter=ServiceName%20%3D%20%27Amazon%20Redshift%27"
)


@pytest.fixture
def built(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = shared_warehouse(tmp_path_factory.getbasetemp())
    monkeypatch.setenv("FINOPS_PATHS__DATA", str(settings.paths.data))
    monkeypatch.setattr(cli, "console", Console(width=220))
    current_settings.cache_clear()
    return settings


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.app, ["trace", *arguments])
    current_settings.cache_clear()
    return done.exit_code, done.output


def test_a_link_leads_to_the_lines_of_the_files(built: Settings) -> None:
    code, said = run(LINK, "--delivered")
    own = lake_table(built, "costs").filter(
        pl.col("ServiceName") == "Amazon Redshift",
        pl.col("ChargePeriodStart").dt.date().is_between(date(2026, 2, 10), date(2026, 2, 12)),
    )
    assert code == 0
    total = sum(own["EffectiveCost"].to_list(), Decimal(0))
    assert total != total.quantize(Decimal("0.000001"))  # so a rounded sum would be seen
    assert f"{total.normalize():,f} USD in {own.height} bill rows" in said
    for bill, file, row, cost in own.select("x_BillId", "x_File", "x_RowNumber", "EffectiveCost").iter_rows():
        assert bill in said
        assert f"{file}, row {row}, as delivered" in said
        assert f"{cost.normalize():,f} USD" in said
        assert "line_item_unblended_cost" in said


def test_a_figure_may_be_spelled_out(built: Settings) -> None:
    code, said = run(
        *("--start", "2026-01-01", "--end", "2026-01-31", "--metric", "BilledCost", "--limit", "2"),
        *("--filter", "ServiceProviderName != AWS", "--filter", "ServiceProviderName != Microsoft"),
    )
    own = lake_table(built, "costs").filter(
        pl.col("ServiceProviderName") == "Google Cloud", pl.col("x_BillingMonth") == "2026-01"
    )
    billed = sum(own["BilledCost"].to_list(), Decimal(0))
    assert code == 0
    assert f"{billed.normalize():,f} USD in {own.height:,} bill rows" in said
    assert "The costliest 2 rows" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "expected the rows_url of a figure, or --start and --end; found neither"),
        (("http://x/explorer?period=All",), "found the parameters period"),
        (("/costs/rows?start_date=x&end_date=2026-01-01",), "start_date: expected a day such as 2026-01-31"),
        (("--start", "2026-01-02", "--end", "2026-01-01"), "found 2026-01-02 to 2026-01-01"),
        (("--start", "2026-01-01", "--end", "2026-01-02", "--metric", "Cost"), "expected one of BilledCost"),
        (("--start", "2026-01-01", "--end", "2026-01-02", "--filter", "AWS"), "the filter ends too early"),
        (
            ("--start", "2026-01-01", "--end", "2026-01-02", "--filter", "A = b"),
            "Costs cannot be asked by 'A'",
        ),
    ],
)
def test_what_names_no_figure_is_said(built: Settings, arguments: tuple[str, ...], says: str) -> None:
    code, said = run(*arguments)
    assert code == 1
    assert says in " ".join(said.split())


def test_days_without_rows_say_so(built: Settings) -> None:
    assert "No bill row is behind this" in run("--start", "2020-01-01", "--end", "2020-01-02")[1]


def test_a_links_page_is_no_part_of_its_figure() -> None:
    assert figure_of_link(LINK + "&limit=5&cursor=abc", 10) == figure_of_link(LINK, 10)
    assert figure_of_link(LINK + "&as_of=2026-03-01", 10)[1] == date(2026, 3, 1)
    with pytest.raises(BadFigureError, match="found the parameters"):
        figure_of_link(LINK + "&group_by=ServiceName", 10)
