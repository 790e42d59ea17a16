"""`exchange_rates`: what a euro costs in each currency, day by day, where it is configured."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg

from finops_assets.defs.ingestion.listening import retried_when_transient
from finops_assets.defs.metadata import column_schema, materialized, unchanged
from finops_assets.defs.resources import Platform
from finops_assets.lake.lake import build_key
from finops_assets.marts.sql import load_sql
from finops_assets.marts.tables import EXCHANGE_RATES
from finops_assets.sources.rates import read_rates


@dg.asset(
    name=EXCHANGE_RATES.name,
    automation_condition=dg.AutomationCondition.on_cron("30 16 * * 1-5"),  # the day's rates come at 16:00 CET
    group_name="currency",
    owners=["team:finops"],
    kinds={"duckdb", "deltalake"},
    description=EXCHANGE_RATES.description,
    metadata={"dagster/column_schema": column_schema(EXCHANGE_RATES)},
)
def exchange_rates(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult[Any]:
    """Read all rates anew: a file of a few hundred kilobytes."""
    where = platform.settings.currency.rates
    if not where:
        if platform.lake.files(EXCHANGE_RATES):
            platform.lake.replace(EXCHANGE_RATES, {}, [], context.run.run_id)
        context.log.info("No rates are configured: [currency] rates in finops.toml.")
        return unchanged(EXCHANGE_RATES, platform.lake)
    with retried_when_transient():
        given = read_rates(where)
    sql, key = load_sql(EXCHANGE_RATES.name), build_key(load_sql(EXCHANGE_RATES.name), where, given.hex())
    if platform.lake.is_current(EXCHANGE_RATES, {}, key):
        return unchanged(EXCHANGE_RATES, platform.lake)
    staging = platform.settings.paths.staging
    staging.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=staging, prefix="rates-") as folder:
        file = Path(folder, "rates.csv")
        file.write_bytes(given)
        source = where if "://" in where else Path(where).name
        path = platform.lake.new_file(EXCHANGE_RATES, {}, key)
        written = platform.engine.write(sql, {}, EXCHANGE_RATES, path, (str(file), source))
    platform.lake.replace(EXCHANGE_RATES, {}, [written], context.run.run_id)
    return materialized(EXCHANGE_RATES, written.rows)


assets: list[dg.AssetsDefinition] = [exchange_rates]
