"""`delivered_costs`, what each delivery of a month came to, and `restatements`, what later ones changed."""

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
from finops_assets.marts.restatements import CLOSED_AFTER_DAYS, DELIVERED_COSTS, RESTATEMENTS
from finops_assets.marts.sql import load_sql


def is_compared(platform: Platform, source: str, month: str) -> bool:
    """Whether the partition's costs are in the ledger and compared, or there are none."""
    partition = partition_values(month, source)
    ledger = platform.lake.input(DELIVERED_COSTS, partition)
    compared = not ledger.files or platform.lake.is_current(RESTATEMENTS, partition, _changes_key(ledger))
    return compared and _is_recorded(platform, source, month)


def record(platform: Platform, source: str, month: str, run_id: str) -> int:
    """Add the partition's costs to its ledger, unless they are in it; how many rows that has.

    A month whose bill was taken away keeps what it last came to: the next delivery is compared with that.
    """
    partition = partition_values(month, source)
    if not _is_recorded(platform, source, month):
        inputs = {t.name: platform.lake.input(t, partition) for t in (COSTS, BILLS, DELIVERED_COSTS)}
        path = platform.lake.new_file(DELIVERED_COSTS, partition, _ledger_key(inputs[COSTS.name]))
        written = platform.engine.write(load_sql("delivered_costs"), inputs, DELIVERED_COSTS, path)
        platform.lake.replace(DELIVERED_COSTS, partition, [written], run_id)
    return platform.lake.rows(DELIVERED_COSTS, partition)


def compare(platform: Platform, source: str, month: str, run_id: str) -> int:
    """Hold each delivery of the partition against the one before; how many changes there are."""
    partition = partition_values(month, source)
    ledger = platform.lake.input(DELIVERED_COSTS, partition)
    key = _changes_key(ledger)
    if ledger.files and not platform.lake.is_current(RESTATEMENTS, partition, key):
        path = platform.lake.new_file(RESTATEMENTS, partition, key)
        inputs = {DELIVERED_COSTS.name: ledger}
        sql = load_sql("restatements")
        written = platform.engine.write(sql, inputs, RESTATEMENTS, path, [CLOSED_AFTER_DAYS])
        platform.lake.replace(RESTATEMENTS, partition, [written], run_id)
    return platform.lake.rows(RESTATEMENTS, partition)


def _is_recorded(platform: Platform, source: str, month: str) -> bool:
    partition = partition_values(month, source)
    costs = platform.lake.input(COSTS, partition)
    return not costs.files or platform.lake.is_current(DELIVERED_COSTS, partition, _ledger_key(costs))


def _ledger_key(costs: ParquetInput) -> str:
    return build_key(load_sql("delivered_costs"), repr(DELIVERED_COSTS), *costs.names)


def _changes_key(ledger: ParquetInput) -> str:
    return build_key(load_sql("restatements"), repr(RESTATEMENTS), str(CLOSED_AFTER_DAYS), *ledger.names)


@dg.asset(
    name=DELIVERED_COSTS.name,
    deps=["bills", "costs"],
    partitions_def=bill_partitions(),
    backfill_policy=SINGLE_RUN,
    automation_condition=ON_NEW_DATA,
    group_name="quality",
    owners=["team:finops"],
    kinds={"duckdb", "deltalake"},
    description=DELIVERED_COSTS.description,
    metadata={"dagster/column_schema": column_schema(DELIVERED_COSTS)},
)
def delivered_costs(context: dg.AssetExecutionContext, platform: Platform) -> None:
    """Add what every partition of the run came to."""
    make_each(context, partial(record, platform))


@dg.asset(
    name=RESTATEMENTS.name,
    deps=[delivered_costs],
    partitions_def=bill_partitions(),
    backfill_policy=SINGLE_RUN,
    automation_condition=ON_NEW_DATA,
    group_name="quality",
    owners=["team:finops"],
    kinds={"duckdb", "deltalake"},
    description=RESTATEMENTS.description,
    metadata={"dagster/column_schema": column_schema(RESTATEMENTS)},
)
def restatements(context: dg.AssetExecutionContext, platform: Platform) -> None:
    """Compare the deliveries of every partition of the run."""
    make_each(context, partial(compare, platform))
