"""`delivered_days`: how far each delivery of a month had come."""

from functools import partial

import dagster as dg

from finops_assets.defs.costs.assets import TABLE as COSTS
from finops_assets.defs.metadata import column_schema
from finops_assets.defs.partitions import (
    ON_NEW_DATA,
    SINGLE_RUN,
    bill_partitions,
    make_each,
    partition_values,
)
from finops_assets.defs.resources import Platform
from finops_assets.engine.base import ParquetInput
from finops_assets.intake.tables import BILLS
from finops_assets.lake.lake import build_key
from finops_assets.marts.arrivals import DELIVERED_DAYS
from finops_assets.marts.sql import load_sql


def is_told(platform: Platform, source: str, month: str) -> bool:
    """Whether the days of the partition's delivery are kept, or it has none."""
    partition = partition_values(month, source)
    costs = platform.lake.input(COSTS, partition)
    return not costs.files or platform.lake.is_current(DELIVERED_DAYS, partition, _key(costs))


def record(platform: Platform, source: str, month: str, run_id: str) -> int:
    """Keep the days of the partition's delivery beside those of earlier ones; how many rows there are."""
    partition = partition_values(month, source)
    if not is_told(platform, source, month):
        inputs = {t.name: platform.lake.input(t, partition) for t in (COSTS, BILLS, DELIVERED_DAYS)}
        path = platform.lake.new_file(DELIVERED_DAYS, partition, _key(inputs[COSTS.name]))
        written = platform.engine.write(load_sql("delivered_days"), inputs, DELIVERED_DAYS, path)
        platform.lake.replace(DELIVERED_DAYS, partition, [written], run_id)
    return platform.lake.rows(DELIVERED_DAYS, partition)


def _key(costs: ParquetInput) -> str:
    return build_key(load_sql("delivered_days"), repr(DELIVERED_DAYS), *costs.names)


@dg.asset(
    name=DELIVERED_DAYS.name,
    deps=["bills", "costs"],
    partitions_def=bill_partitions(),
    backfill_policy=SINGLE_RUN,
    automation_condition=ON_NEW_DATA,
    group_name="quality",
    owners=["team:finops"],
    kinds={"duckdb", "deltalake"},
    description=DELIVERED_DAYS.description,
    metadata={"dagster/column_schema": column_schema(DELIVERED_DAYS)},
)
def delivered_days(context: dg.AssetExecutionContext, platform: Platform) -> None:
    """Keep the days of every partition of the run."""
    make_each(context, partial(record, platform))
