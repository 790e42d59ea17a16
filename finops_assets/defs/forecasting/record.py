"""`forecast_record`: what the ledger said, held against what came."""

from typing import Any

import dagster as dg

from finops_assets.defs.metadata import column_schema, materialized, unchanged
from finops_assets.defs.resources import Platform
from finops_assets.lake.lake import build_key
from finops_assets.marts.forecasts import COST_FORECASTS, COST_FORECASTS_MONTHLY, FORECAST_RECORD
from finops_assets.marts.series import COST_FEATURES
from finops_assets.marts.sql import load_sql


@dg.asset(
    name=FORECAST_RECORD.name,
    deps=[COST_FEATURES.name, COST_FORECASTS.name, COST_FORECASTS_MONTHLY.name],
    automation_condition=dg.AutomationCondition.eager(),
    group_name="forecasting",
    owners=["team:finops"],
    kinds={"duckdb", "deltalake"},
    description=FORECAST_RECORD.description,
    metadata={"dagster/column_schema": column_schema(FORECAST_RECORD)},
)
def forecast_record(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult[Any]:
    """Judge every making of the ledger anew: a restated day changes the record of all that forecast it."""
    lake, sql = platform.lake, load_sql(FORECAST_RECORD.name)
    read = (COST_FORECASTS, COST_FORECASTS_MONTHLY, COST_FEATURES)
    inputs = {table.name: lake.input(table) for table in read}
    key = build_key(sql, repr(FORECAST_RECORD), *(name for given in inputs.values() for name in given.names))
    if lake.is_current(FORECAST_RECORD, {}, key):
        return unchanged(FORECAST_RECORD, lake)
    path = lake.new_file(FORECAST_RECORD, {}, key)
    file = platform.engine.write(sql, inputs, FORECAST_RECORD, path)
    lake.replace(FORECAST_RECORD, {}, [file], context.run.run_id)
    return materialized(FORECAST_RECORD, file.rows)


assets: list[dg.AssetsDefinition] = [forecast_record]
