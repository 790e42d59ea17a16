"""`cost_features`, and the daily forecasts made from them with the proof of how good they are."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import dagster as dg

from finops_assets.defs.forecasting.known import facts_of
from finops_assets.defs.forecasting.retraining import LIBRARIES, newest_training
from finops_assets.defs.metadata import column_schema, materialized, unchanged
from finops_assets.defs.partitions import ON_NEW_DATA
from finops_assets.defs.recipe import recipe
from finops_assets.defs.resources import Platform
from finops_assets.lake.lake import build_key
from finops_assets.marts.arrivals import DELIVERED_DAYS
from finops_assets.marts.budgets import FORECAST_PATHS
from finops_assets.marts.forecasts import COST_FORECASTS, COST_FORECASTS_MONTHLY, FORECAST_ACCURACY
from finops_assets.marts.plans import ENDING_COMMITMENTS, PLANNED_CHANGES
from finops_assets.marts.series import COST_FEATURES, cost_features_sql
from finops_assets.marts.tables import daily_costs_table
from finops_assets.marts.training import FORECAST_BACKTEST
from finops_assets.schema import Table
from finops_assets.settings import current_settings

DAILY_COSTS = daily_costs_table(current_settings().tag_keys)
HORIZON = 90
LEDGERS = (COST_FORECASTS, COST_FORECASTS_MONTHLY)
MADE = (*LEDGERS, FORECAST_ACCURACY, FORECAST_PATHS)
READ = (COST_FEATURES, PLANNED_CHANGES, ENDING_COMMITMENTS, FORECAST_BACKTEST)
ONCE_TRAINED = ON_NEW_DATA & ~dg.AutomationCondition.any_deps_match(dg.AutomationCondition.missing()).allow(
    dg.AssetSelection.assets(FORECAST_BACKTEST.name)
)
"""New data is forecast at once, but not before there is a backtest to learn from."""

_LEDGER_SQL = "SELECT *, CAST(? AS TIMESTAMPTZ) AS made_at FROM forecasts"
_ACCURACY_SQL = "SELECT *, ? AS mlflow_run_id FROM accuracy"


@dg.asset(
    name=COST_FEATURES.name,
    deps=[DAILY_COSTS.name, DELIVERED_DAYS.name],
    automation_condition=ON_NEW_DATA,
    group_name="features",
    owners=["team:finops"],
    kinds={"duckdb", "deltalake"},
    description=COST_FEATURES.description,
    metadata={"dagster/column_schema": column_schema(COST_FEATURES)},
)
def cost_features(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult[Any]:
    """Make all series anew; a few seconds for years of bills."""
    inputs = {t.name: platform.lake.input(t) for t in (DAILY_COSTS, DELIVERED_DAYS)}
    sql, key = cost_features_sql(platform.settings.tag_keys), features_key(platform)
    if platform.lake.is_current(COST_FEATURES, {}, key):
        return unchanged(COST_FEATURES, platform.lake)
    path = platform.lake.new_file(COST_FEATURES, {}, key)
    file = platform.engine.write(sql, inputs, COST_FEATURES, path)
    platform.lake.replace(COST_FEATURES, {}, [file], context.run.run_id)
    return materialized(COST_FEATURES, file.rows)


def features_key(platform: Platform) -> str:
    """The key of what `cost_features` is made from."""
    sql = cost_features_sql(platform.settings.tag_keys)
    names = (name for t in (DAILY_COSTS, DELIVERED_DAYS) for name in platform.lake.input(t).names)
    return build_key(sql, repr(COST_FEATURES), *names)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            table.name,
            deps=[table.name for table in READ],
            automation_condition=ONCE_TRAINED,
            group_name="forecasting",
            owners=["team:finops"],
            kinds={"python", "mlflow", "deltalake"},
            description=table.description,
            metadata={"dagster/column_schema": column_schema(table)},
        )
        for table in MADE
    ],
    name="forecasts",
)
def forecasts(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[dg.MaterializeResult[Any]]:
    """Forecast as the backtest in force teaches; add to the ledger and replace the accuracy."""
    given = [platform.lake.input(table) for table in READ]
    key = build_key(
        recipe("finops_assets.forecasting", *LIBRARIES),
        str(HORIZON),
        platform.settings.forecast.holidays,
        *(name for table in given for name in table.names),
    )
    replaced = (FORECAST_ACCURACY, FORECAST_PATHS)
    if in_ledger(platform, key) and all(platform.lake.is_current(t, {}, key) for t in replaced):
        for table in MADE:
            yield unchanged(table, platform.lake)
    else:
        yield from make_forecasts(platform, key, context.run.run_id)


def in_ledger(platform: Platform, key: str) -> bool:
    """Whether forecasts from exactly this data and code were already made."""
    return all(_holds(platform, table, key) for table in LEDGERS)


def _holds(platform: Platform, table: Table, key: str) -> bool:
    return any(Path(f).name.startswith(f"{key}-") for f in platform.lake.files(table))


def make_forecasts(platform: Platform, key: str, run_id: str) -> Iterator[dg.MaterializeResult[Any]]:
    """One making: compute, record in MLflow, append to the ledger, replace the accuracy."""
    from finops_assets.defs.forecasting.tracking import record_making
    from finops_assets.forecasting.fleet import forecast_fleet

    lake, engine = platform.lake, platform.engine
    features = engine.fetch("SELECT * FROM f", {"f": lake.input(COST_FEATURES)})
    judged = engine.fetch("SELECT * FROM b", {"b": lake.input(FORECAST_BACKTEST)})
    started, made_at = perf_counter(), datetime.now(UTC)
    made = forecast_fleet(features, horizon=HORIZON, facts=facts_of(platform), backtest=judged)
    seconds = round(perf_counter() - started, 1)
    training = newest_training(platform) or {}
    params = {
        "horizon": HORIZON,
        "data": key,
        "skipped_series": made.skipped,
        "seconds": seconds,
        "trained_at": training.get("trained_at"),
        "trained_because": training.get("reason"),
    }
    backtest = record_making(platform.settings.paths.mlflow, made.forecasts, made.accuracy, params, run_id)
    partition = {"made_on_month": f"{made_at:%Y-%m}"}
    for table, rows in zip(LEDGERS, (made.forecasts, made.months), strict=True):
        if not _holds(platform, table, key):
            path = lake.new_file(table, partition, key)
            ledger = engine.write(_LEDGER_SQL, {"forecasts": rows}, table, path, [made_at])
            lake.append(table, partition, [ledger], run_id)
    path = lake.new_file(FORECAST_ACCURACY, {}, key)
    scores = engine.write(_ACCURACY_SQL, {"accuracy": made.accuracy}, FORECAST_ACCURACY, path, [backtest])
    lake.replace(FORECAST_ACCURACY, {}, [scores], run_id)
    path = lake.new_file(FORECAST_PATHS, {}, key)
    paths = engine.write("SELECT * FROM paths", {"paths": made.paths}, FORECAST_PATHS, path)
    lake.replace(FORECAST_PATHS, {}, [paths], run_id)
    yield materialized(
        COST_FORECASTS,
        lake.rows(COST_FORECASTS),
        added=made.forecasts.num_rows,
        skipped_series=made.skipped,
        seconds=seconds,
    )
    yield materialized(COST_FORECASTS_MONTHLY, lake.rows(COST_FORECASTS_MONTHLY), added=made.months.num_rows)
    yield materialized(FORECAST_ACCURACY, scores.rows, mlflow_run_id=backtest)
    yield materialized(FORECAST_PATHS, paths.rows)


assets: list[dg.AssetsDefinition] = [cost_features, forecasts]
