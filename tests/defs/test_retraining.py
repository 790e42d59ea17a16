"""When the backtest is made anew: on a lake whose features, forecasts and record are round figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from finops_assets.defs.forecasting import assets as forecasting
from finops_assets.defs.forecasting import retraining
from finops_assets.defs.forecasting.retraining import REASON_TAG, newest_training, retraining_reason
from finops_assets.defs.resources import Platform
from finops_assets.marts.forecasts import FORECAST_ACCURACY, FORECAST_RECORD
from finops_assets.marts.series import COST_FEATURES
from finops_assets.marts.training import FORECAST_TRAININGS
from finops_assets.schema import Table
from finops_assets.settings import current_settings
from tests.warehouse_builder import widened


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("FINOPS_PATHS__DATA", str(tmp_path))
    current_settings.cache_clear()
    yield Platform()
    current_settings.cache_clear()


def write(platform: Platform, table: Table, text: str) -> None:
    path = platform.lake.new_file(table, {}, "k")
    platform.lake.replace(table, {}, [platform.engine.write(widened(text, table), {}, table, path)])


def bill_until(platform: Platform, last: date, first: date = date(2026, 3, 2)) -> None:
    """Twenty days are too few to backtest: the asset goes through in no time."""
    write(
        platform,
        COST_FEATURES,
        "SELECT 'total' AS series_id, 'total' AS level, 'EffectiveCost' AS metric, 'USD' AS BillingCurrency, "
        f"unnest(generate_series(DATE '{first}', DATE '{last}', INTERVAL 1 DAY))::DATE AS day, 5 AS cost, "
        "0 AS correction, true AS is_complete",
    )


def train(platform: Platform) -> str:
    """Run the asset; why it trained, of the newest training there is."""
    assert dg.materialize(retraining.assets, resources={"platform": platform}).success
    newest = newest_training(platform)
    assert newest is not None
    return str(newest["reason"])


def asked(platform: Platform) -> dg.RunRequest | dg.SkipReason:
    context = dg.build_sensor_context(resources={"platform": platform})
    answer = retraining.retraining(context)
    assert isinstance(answer, (dg.RunRequest, dg.SkipReason))
    return answer


def test_it_is_made_once_and_again_when_months_become_whole(platform: Platform) -> None:
    assert isinstance(asked(platform), dg.SkipReason)  # no costs at all
    bill_until(platform, date(2026, 3, 21))
    request = asked(platform)
    assert isinstance(request, dg.RunRequest)
    assert request.tags[REASON_TAG] == "no backtest has been made yet" == train(platform)
    assert isinstance(asked(platform), dg.SkipReason)
    bill_until(platform, date(2026, 3, 30))
    assert retraining_reason(platform) is None
    train(platform)
    assert platform.lake.rows(FORECAST_TRAININGS) == 1
    bill_until(platform, date(2026, 3, 31))
    expected = "other months are whole: 2026-03 to 2026-03, before 2026-03 to 2026-02"
    request = asked(platform)
    assert isinstance(request, dg.RunRequest)
    assert request.tags[REASON_TAG] == expected == train(platform)
    bill_until(platform, date(2026, 3, 31), first=date(2026, 2, 20))
    assert "2026-02 to 2026-03" in str(retraining_reason(platform))


def test_other_settings_are_a_reason(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    bill_until(platform, date(2026, 3, 21))
    train(platform)
    monkeypatch.setenv("FINOPS_FORECAST__HOLIDAYS", "US")
    current_settings.cache_clear()
    assert retraining_reason(Platform()) == "the models' code, libraries or settings changed"


@pytest.mark.parametrize(
    ("wape", "makings", "level", "drifts"),
    [
        (0.13, 5, "total", True),
        (0.13, 4, "total", False),
        (0.09, 5, "total", False),  # 1.5 × 5% and two points are 9.5%
        (0.13, 5, "service", False),
    ],
)
def test_a_live_error_beyond_the_promise_is_one(
    platform: Platform, wape: float, makings: int, level: str, drifts: bool
) -> None:
    bill_until(platform, date(2026, 3, 21))
    train(platform)
    today = datetime.now(UTC).date()
    group = f"'{level}' AS level, 'EffectiveCost' AS metric, 'USD' AS BillingCurrency"
    write(
        platform,
        FORECAST_ACCURACY,
        f"SELECT {group}, 'AutoETS' AS model, '7d' AS horizon, 'backtest' AS kind, 0.05 AS wape, "
        "true AS is_champion",
    )
    made = f"SELECT {group}, '7d' AS horizon, true AS is_champion"
    write(
        platform,
        FORECAST_RECORD,
        f"{made}, DATE '{today}' + i::INTEGER AS made_on, {wape} AS wape FROM range({makings}) AS t (i) "
        # What was made before the training, and of all makings together, does not count.
        f"UNION ALL BY NAME {made}, DATE '{today}' - 5 AS made_on, 0.9 AS wape "
        f"UNION ALL BY NAME {made}, NULL::DATE AS made_on, 0.9 AS wape",
    )
    expected = (
        f"accuracy drifts: total EffectiveCost USD at 7d is off by 13.0% in 5 forecasts since {today}; "
        "5.0% was promised"
    )
    assert retraining_reason(platform) == (expected if drifts else None)


# Dagster's own evaluation names a parameter that it calls beta.
@pytest.mark.filterwarnings("ignore:Parameter `include_sources`")
def test_forecasts_wait_for_the_first_backtest_and_then_follow_new_data() -> None:
    defs = dg.Definitions([*retraining.assets, *forecasting.assets], resources={"platform": Platform()})
    with dg.DagsterInstance.ephemeral() as instance:

        def requested(cursor: Any, *came: str) -> tuple[bool, Any]:
            for name in came:
                instance.report_runless_asset_event(dg.AssetMaterialization(name))
            done = dg.evaluate_automation_conditions(defs, instance, cursor=cursor)
            return done.get_num_requested(dg.AssetKey("cost_forecasts")) > 0, done.cursor

        _, cursor = requested(None)
        too_early, cursor = requested(cursor, "cost_features")
        assert not too_early
        at_first, cursor = requested(cursor, "forecast_backtest")
        assert at_first
        _, cursor = requested(cursor, *(table.name for table in forecasting.MADE))
        again, cursor = requested(cursor, "cost_features")
        assert again
