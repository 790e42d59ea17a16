"""`warehouse`: what people read, published whole."""

from collections.abc import Iterator

import dagster as dg

from finops_assets.defs.resources import Platform
from finops_assets.intake.tables import ACCOUNT_NAMES, BILLS
from finops_assets.marts import anomalies, budgets, forecasts, series
from finops_assets.marts import tables as marts
from finops_assets.marts.alerts import ALERTS
from finops_assets.marts.conformance import CONFORMANCE
from finops_assets.marts.control_totals import CONTROL_TOTALS
from finops_assets.marts.datasets import DATASETS
from finops_assets.marts.invoices import INVOICES
from finops_assets.marts.plans import ENDING_COMMITMENTS, PLANNED_CHANGES
from finops_assets.marts.reconciliation import published_sql
from finops_assets.marts.restatements import RESTATEMENTS
from finops_assets.marts.training import FORECAST_TRAININGS
from finops_assets.normalize.formats import DELIVERED
from finops_assets.normalize.tables import costs_table
from finops_assets.schema import Table
from finops_assets.settings import current_settings
from finops_assets.warehouse.publish import NotReconciledError, Publication, publish

CHECK = "adds_up_to_the_bills"


def native_tables() -> tuple[Table, ...]:
    """Small tables and marts: copied into the published file, sorted."""
    return (
        BILLS,
        ACCOUNT_NAMES,
        marts.daily_costs_table(current_settings().tag_keys),
        series.COST_FEATURES,
        forecasts.COST_FORECASTS,
        forecasts.COST_FORECASTS_MONTHLY,
        forecasts.FORECAST_ACCURACY,
        forecasts.FORECAST_RECORD,
        PLANNED_CHANGES,
        ENDING_COMMITMENTS,
        FORECAST_TRAININGS,
        anomalies.COST_ANOMALIES,
        anomalies.ANOMALY_DRIVERS,
        budgets.BUDGET_STATUS,
        budgets.BUDGET_DAYS,
        anomalies.ANOMALY_FEEDBACK,
        marts.EXCHANGE_RATES,
        marts.QUALITY,
        CONFORMANCE,
        *DATASETS.values(),
        RESTATEMENTS,
        INVOICES,
        CONTROL_TOTALS,
        ALERTS,
    )


def view_tables() -> tuple[Table, ...]:
    """Tables as large as the bill: published as views over the exact Parquet files."""
    return (costs_table(current_settings().tag_keys), *(f.raw_table() for f in DELIVERED))


def publish_lake(platform: Platform, run_id: str = "") -> Publication:
    """Publish the newest version of every table. Raises what `publish` raises."""
    return publish(
        platform.lake,
        platform.engine,
        platform.settings.paths.warehouse,
        native=native_tables(),
        views=view_tables(),
        keep_days=platform.settings.history.keep_days,
        run_id=run_id,
        hold=published_sql(),
    )


@dg.asset(
    # Alerts tell of what is published: their record comes with the publication that follows.
    deps=[t.name for t in (*native_tables(), *view_tables()) if t is not ALERTS],
    automation_condition=dg.AutomationCondition.eager().without(~dg.AutomationCondition.any_deps_missing()),
    group_name="publishing",
    owners=["team:finops"],
    kinds={"duckdb"},
    description="A new read-only DuckDB file of every table, put in force by one atomic pointer flip.",
    check_specs=[dg.AssetCheckSpec(CHECK, asset="warehouse", blocking=True)],
)
def warehouse(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[object]:
    """Publish the newest version of every table, once it adds up to the bills; fails where it does not."""
    try:
        done = publish_lake(platform, context.run.run_id)
    except NotReconciledError as error:
        yield dg.AssetCheckResult(
            check_name=CHECK,
            passed=False,
            metadata={"checked": error.held, **{f"{n:04}": str(r) for n, r in enumerate(error.residuals, 1)}},
        )
        raise
    yield dg.MaterializeResult(
        metadata={
            "version": done.version,
            "path": dg.MetadataValue.path(str(done.path)),
            "changed": done.changed,
            "freed_bytes": done.freed,
            "dagster/row_count": sum(done.rows.values()),
        }
    )
    yield dg.AssetCheckResult(check_name=CHECK, passed=True, metadata={"checked": done.held})


assets: list[dg.AssetsDefinition] = [warehouse]
