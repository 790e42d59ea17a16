"""`warehouse`: what people read, published whole."""

import dagster as dg

from finops_assets.defs.resources import Platform
from finops_assets.intake.tables import ACCOUNT_NAMES, BILLS
from finops_assets.marts import tables as marts
from finops_assets.marts.conformance import CONFORMANCE
from finops_assets.marts.datasets import DATASETS
from finops_assets.marts.restatements import RESTATEMENTS
from finops_assets.normalize.formats import FORMATS
from finops_assets.normalize.tables import costs_table
from finops_assets.schema import Table
from finops_assets.settings import current_settings


def native_tables() -> tuple[Table, ...]:
    """Small tables and marts: copied into the published file, sorted."""
    return (
        BILLS,
        ACCOUNT_NAMES,
        marts.daily_costs_table(current_settings().tag_keys),
        marts.COST_FEATURES,
        marts.COST_FORECASTS,
        marts.FORECAST_ACCURACY,
        marts.COST_ANOMALIES,
        marts.ANOMALY_DRIVERS,
        marts.EXCHANGE_RATES,
        marts.QUALITY,
        CONFORMANCE,
        *DATASETS.values(),
        RESTATEMENTS,
    )


def view_tables() -> tuple[Table, ...]:
    """Tables as large as the bill: published as views over the exact Parquet files."""
    return (costs_table(current_settings().tag_keys), *(f.raw_table() for f in FORMATS))


@dg.asset(
    deps=[t.name for t in (*native_tables(), *view_tables())],
    automation_condition=dg.AutomationCondition.eager().without(~dg.AutomationCondition.any_deps_missing()),
    group_name="publishing",
    owners=["team:finops"],
    kinds={"duckdb"},
    description="A new read-only DuckDB file of every table, put in force by one atomic pointer flip.",
)
def warehouse(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult[None]:
    """Publish the newest version of every table; nothing when the published one holds them already."""
    from finops_assets.warehouse.publish import publish

    done = publish(
        platform.lake,
        platform.engine,
        platform.settings.paths.warehouse,
        native=native_tables(),
        views=view_tables(),
        keep_days=platform.settings.history.keep_days,
        run_id=context.run.run_id,
    )
    return dg.MaterializeResult(
        metadata={
            "version": done.version,
            "path": dg.MetadataValue.path(str(done.path)),
            "changed": done.changed,
            "freed_bytes": done.freed,
            "dagster/row_count": sum(done.rows.values()),
        }
    )


assets: list[dg.AssetsDefinition] = [warehouse]
