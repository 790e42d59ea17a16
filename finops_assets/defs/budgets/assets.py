"""`budget_status` and `budget_days`: every budget against its costs and forecast."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from finops_assets.decisions.budgets import KnownBudget, known_budgets
from finops_assets.defs.metadata import column_schema, materialized, unchanged
from finops_assets.defs.recipe import recipe
from finops_assets.defs.resources import Platform
from finops_assets.engine.base import ParquetInput
from finops_assets.lake.lake import build_key
from finops_assets.marts.budgets import (
    AHEAD_SQL,
    BUDGET_DAYS,
    BUDGET_STATUS,
    FORECAST_PATHS,
    SPENT_SQL,
    UNTIL_SQL,
)
from finops_assets.marts.forecasts import COST_FORECASTS
from finops_assets.marts.series import COST_FEATURES

TABLES = (BUDGET_STATUS, BUDGET_DAYS)


def are_held(platform: Platform) -> bool:
    """Whether both tables are of exactly the budgets, costs and forecasts that there are now."""
    key = _key(platform, _known(platform))
    return all(platform.lake.is_current(table, {}, key) for table in TABLES)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            table.name,
            deps=[COST_FEATURES.name, COST_FORECASTS.name, FORECAST_PATHS.name],
            automation_condition=dg.AutomationCondition.eager(),
            group_name="budgets",
            owners=["team:finops"],
            kinds={"python", "deltalake"},
            description=table.description,
            metadata={"dagster/column_schema": column_schema(table)},
        )
        for table in TABLES
    ],
    name="budgets",
)
def budgets(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[dg.MaterializeResult[Any]]:
    """Hold every budget of finops.toml and of the API to what was spent and what is forecast."""
    if are_held(platform):
        for table in TABLES:
            yield unchanged(table, platform.lake)
    else:
        yield from hold_budgets(platform, context.run.run_id)


def hold_budgets(platform: Platform, run_id: str) -> Iterator[dg.MaterializeResult[Any]]:
    """Make both tables anew."""
    from finops_assets.defs.budgets.status import budget_tables

    lake, known = platform.lake, _known(platform)
    key = _key(platform, known)
    made = budget_tables(known, platform.engine, dict(_inputs(platform)), datetime.now(UTC))
    for table, rows in zip(TABLES, made, strict=True):
        path = lake.new_file(table, {}, key)
        file = platform.engine.write("SELECT * FROM made", {"made": rows}, table, path)
        lake.replace(table, {}, [file], run_id)
        yield materialized(table, file.rows, budgets=len(known))


def _known(platform: Platform) -> list[KnownBudget]:
    return known_budgets(platform.settings.budgets, platform.settings.paths.decisions)


def _inputs(platform: Platform) -> dict[str, ParquetInput]:
    return {t.name: platform.lake.input(t) for t in (COST_FEATURES, COST_FORECASTS, FORECAST_PATHS)}


def _key(platform: Platform, known: list[KnownBudget]) -> str:
    names = (name for given in _inputs(platform).values() for name in given.names)
    code = (recipe("finops_assets.forecasting"), recipe("finops_assets.defs.budgets"))
    return build_key(*code, SPENT_SQL, AHEAD_SQL, UNTIL_SQL, repr(TABLES), repr(known), *names)


assets: list[dg.AssetsDefinition] = [budgets]
