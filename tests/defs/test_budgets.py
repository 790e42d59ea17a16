"""The asset of budgets on a lake whose costs and forecasts are round figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from finops_assets.budget_settings import Budget
from finops_assets.decisions.budgets import remove_budget, set_budget
from finops_assets.defs.budgets import assets as budgets
from finops_assets.defs.resources import Platform
from finops_assets.marts.budgets import BUDGET_DAYS, BUDGET_STATUS, FORECAST_PATHS
from finops_assets.marts.forecasts import COST_FORECASTS
from finops_assets.marts.series import COST_FEATURES
from finops_assets.schema import Table
from finops_assets.settings import current_settings
from tests.warehouse_builder import widened

UNTIL = date(2026, 3, 19)
NAMES = "'USD' AS BillingCurrency, 'EffectiveCost' AS metric"

FEATURES = f"""
SELECT level || '|' AS series_id, level, provider AS ServiceProviderName, {NAMES},
    unnest(generate_series(DATE '2026-01-11', DATE '2026-03-20', INTERVAL 1 DAY))::DATE AS day,
    a_day AS cost, day < DATE '2026-03-20' AS is_complete
FROM (VALUES ('total', NULL, 100), ('provider', 'AWS', 60)) AS s (level, provider, a_day)
"""

FORECASTS = f"""
SELECT level || '|' AS series_id, level, provider AS ServiceProviderName, {NAMES},
    DATE '2026-03-19' + h::INTEGER AS day, h AS horizon, made_at::TIMESTAMPTZ AS made_at, is_champion,
    a_day AS mean, a_day - 10 AS lo_80, a_day + 10 AS hi_80
FROM (VALUES ('total', NULL, 100), ('provider', 'AWS', 60)) AS s (level, provider, a_day),
    range(1, 91) AS t (h), (VALUES ('2026-03-20', true), ('2026-03-20', false), ('2026-03-19', true))
        AS m (made_at, is_champion)
"""

TOML = """
[[budgets]]
name = "All"
amount = "3050"
currency = "USD"
period = "month"

[[budgets]]
name = "AWS year"
amount = "21000"
currency = "USD"
period = "year"
provider = "AWS"

[[budgets]]
name = "Euros"
amount = "1"
currency = "EUR"
period = "month"
"""


def write(platform: Platform, table: Table, text: str, **partition: str) -> None:
    path = platform.lake.new_file(table, partition, "k")
    file = platform.engine.write(widened(text, table), {}, table, path)
    platform.lake.replace(table, partition, [file])


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    (tmp_path / "finops.toml").write_text(TOML, encoding="utf-8")
    monkeypatch.setenv("FINOPS_CONFIG", str(tmp_path / "finops.toml"))
    current_settings.cache_clear()
    made = Platform()
    write(made, COST_FEATURES, FEATURES)
    write(made, COST_FORECASTS, FORECASTS, made_on_month="2026-03")
    yield made
    current_settings.cache_clear()


def run(platform: Platform) -> list[dict[str, Any]]:
    result = dg.materialize(budgets.assets, resources={"platform": platform}, raise_on_error=True)
    assert result.success
    return read(platform, BUDGET_STATUS)


def read(platform: Platform, table: Table) -> list[dict[str, Any]]:
    given = {"t": platform.lake.input(table)}
    rows: list[dict[str, Any]] = platform.engine.fetch(
        "SELECT * FROM t ORDER BY budget, first_day DESC", given
    ).to_pylist()
    return rows


def test_budgets_are_held_to_their_series(platform: Platform) -> None:
    rows = {(r["budget"], r["first_day"]): r for r in run(platform)}
    assert list(rows) == [
        ("AWS year", date(2026, 1, 1)),
        *(("All", date(2026, m, 1)) for m in (3, 2, 1)),
        ("Euros", date(2026, 3, 1)),
    ]
    march = rows["All", date(2026, 3, 1)]
    assert (march["actual"], march["expected"], march["is_current"]) == (1900, 3100, True)
    # Twelve days, ±10 each, all wrong together: P(z > -50 / (120 / 1.2816)).
    assert march["crossing_probability"] == pytest.approx(0.7033, abs=0.005)
    assert (march["state"], march["crossing_day"]) == ("will_cross", date(2026, 3, 31))
    assert (march["data_until"], march["level"], march["origin"]) == (UNTIL, "total", "finops.toml")
    february, january = rows["All", date(2026, 2, 1)], rows["All", date(2026, 1, 1)]
    assert (february["actual"], february["state"], february["is_current"]) == (2800, "kept", False)
    assert january["actual"] == 2100
    year = rows["AWS year", date(2026, 1, 1)]
    assert (year["actual"], year["ServiceProviderName"]) == (60 * 68, "AWS")
    assert year["expected"] == 60 * (68 + 287)
    euros = rows["Euros", date(2026, 3, 1)]
    assert (euros["series_id"], euros["actual"], euros["state"]) == (None, 0, "no_forecast")


def test_the_burn_down_ends_where_the_status_does(platform: Platform) -> None:
    status = run(platform)
    days = read(platform, BUDGET_DAYS)
    for row in status:
        own = [d for d in days if (d["budget"], d["first_day"]) == (row["budget"], row["first_day"])]
        own.sort(key=lambda d: d["day"])
        spent = [d["actual"] for d in own if d["actual"] is not None]
        assert spent[-1] == row["actual"]
        if row["is_current"] and row["expected"] is not None:
            assert (own[0]["day"], own[-1]["day"]) == (row["first_day"], row["last_day"])
            assert own[-1]["expected"] == row["expected"]
            assert (own[-1]["lo_80"], own[-1]["hi_80"]) == (row["lo_80"], row["hi_80"])


def test_paths_take_the_place_of_days_that_are_wrong_together(platform: Platform) -> None:
    """Errors that change sign from day to day add up to nothing: the month ends at what is expected."""
    write(
        platform,
        FORECAST_PATHS,
        "SELECT 'total' AS level, 'EffectiveCost' AS metric, 'USD' AS BillingCurrency, p AS path, "
        "h AS ahead, if((p + h) % 2 = 0, 1.0, -1.0) AS error FROM range(40) AS a (p), range(1, 91) AS b (h)",
    )
    march = next(r for r in run(platform) if r["budget"] == "All" and r["is_current"])
    assert (march["lo_80"], march["hi_80"]) == (3100, 3100)
    assert march["crossing_probability"] == 1


def test_what_people_say_counts_from_the_next_run_and_nothing_is_made_twice(platform: Platform) -> None:
    path, said = platform.settings.paths.decisions, datetime(2026, 3, 20, tzinfo=UTC)
    assert not budgets.are_held(platform)
    run(platform)
    assert budgets.are_held(platform)
    made_at = {r["made_at"] for r in run(platform)}
    assert made_at == {r["made_at"] for r in run(platform)}
    mine = Budget(name="Mine", amount=Decimal("1900"), currency="USD", period="month", provider="AWS")
    set_budget(path, mine, platform.settings.budgets, author="ann", said_at=said)
    assert not budgets.are_held(platform)
    found = [r for r in run(platform) if r["budget"] == "Mine"]
    assert [r["first_day"] for r in found] == [date(2026, 3, 1), date(2026, 2, 1), date(2026, 1, 1)]
    assert (found[0]["origin"], found[0]["actual"], found[0]["expected"]) == ("api", 1140, 1860)
    remove_budget(path, "Mine", (), author="ann", said_at=said + timedelta(hours=1))
    assert all(r["budget"] != "Mine" for r in run(platform))


def test_without_costs_there_is_nothing_to_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "finops.toml").write_text(TOML, encoding="utf-8")
    monkeypatch.setenv("FINOPS_CONFIG", str(tmp_path / "finops.toml"))
    current_settings.cache_clear()
    assert run(Platform()) == []
    current_settings.cache_clear()
