"""`quality`: how each stage of each bill adds up; beside it all else that is held against the bills."""

from functools import partial

import dagster as dg
import pyarrow as pa

from finops_assets.defs.metadata import column_schema
from finops_assets.defs.partitions import (
    ON_NEW_DATA,
    SINGLE_RUN,
    bill_partitions,
    make_each,
    partition_values,
)
from finops_assets.defs.quality.arrivals import delivered_days
from finops_assets.defs.quality.conformance import conformance
from finops_assets.defs.quality.control_totals import control_totals
from finops_assets.defs.quality.invoices import invoices
from finops_assets.defs.quality.reconcile import outcomes
from finops_assets.defs.quality.restatements import delivered_costs, restatements
from finops_assets.defs.resources import Platform
from finops_assets.intake.tables import BILLS
from finops_assets.lake.lake import build_key
from finops_assets.marts.reconciliation import STAGES
from finops_assets.marts.tables import QUALITY, daily_costs_table
from finops_assets.normalize.tables import costs_table


@dg.asset(
    name=QUALITY.name,
    deps=["bills", "costs", "daily_costs"],
    partitions_def=bill_partitions(),
    backfill_policy=SINGLE_RUN,
    automation_condition=ON_NEW_DATA,
    group_name="quality",
    owners=["team:finops"],
    kinds={"duckdb", "deltalake"},
    description=QUALITY.description,
    metadata={"dagster/column_schema": column_schema(QUALITY)},
)
def quality(context: dg.AssetExecutionContext, platform: Platform) -> None:
    """Keep the outcome of every stage's reconciliation beside the bill."""
    make_each(context, partial(keep_outcomes, platform))


def keep_outcomes(platform: Platform, source: str, month: str, run_id: str) -> int:
    """Write the partition's outcomes, unless they are of the very same files; how many there are."""
    partition = partition_values(month, source)
    tags = platform.settings.tag_keys
    tables = (BILLS, costs_table(tags), daily_costs_table(tags))
    key = build_key(*(f for t in tables for f in platform.lake.input(t, partition).names))
    if not platform.lake.is_current(QUALITY, partition, key):
        found = [t for stage in STAGES if (t := outcomes(platform, source, month, stage)) is not None]
        if found:
            path = platform.lake.new_file(QUALITY, partition, key)
            sql = "SELECT * FROM given"
            given = pa.concat_tables(found, promote_options="permissive")
            written = platform.engine.write(sql, {"given": given}, QUALITY, path)
            platform.lake.replace(QUALITY, partition, [written], run_id)
        elif platform.lake.files(QUALITY, partition):
            platform.lake.replace(QUALITY, partition, [], run_id)
    return platform.lake.rows(QUALITY, partition)


assets: list[dg.AssetsDefinition] = [
    quality,
    conformance,
    invoices,
    control_totals,
    delivered_costs,
    delivered_days,
    restatements,
]
