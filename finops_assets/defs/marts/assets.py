"""`daily_costs`: the cube that most questions are answered from."""

from collections.abc import Iterator
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
    partitions_of,
)
from finops_assets.defs.quality.reconcile import residual_check
from finops_assets.defs.resources import Platform
from finops_assets.lake.lake import build_key
from finops_assets.marts.daily_costs import daily_costs_sql
from finops_assets.marts.tables import daily_costs_table
from finops_assets.settings import current_settings

TABLE = daily_costs_table(current_settings().tag_keys)


def aggregate(platform: Platform, source: str, month: str, run_id: str) -> int:
    """Make one partition of the cube from `costs`; how many rows it has."""
    partition = partition_values(month, source)
    given = platform.lake.input(COSTS, partition)
    sql = daily_costs_sql(platform.settings.tag_keys)
    key = build_key(sql, repr(TABLE), *given.names)
    if not platform.lake.is_current(TABLE, partition, key):
        if given.files:
            path = platform.lake.new_file(TABLE, partition, key)
            written = platform.engine.write(sql, {"costs": given}, TABLE, path)
            platform.lake.replace(TABLE, partition, [written], run_id)
        elif platform.lake.files(TABLE, partition):
            platform.lake.replace(TABLE, partition, [], run_id)
    return platform.lake.rows(TABLE, partition)


@dg.asset(
    name=TABLE.name,
    deps=["costs"],
    partitions_def=bill_partitions(),
    backfill_policy=SINGLE_RUN,
    automation_condition=ON_NEW_DATA,
    group_name="marts",
    owners=["team:finops"],
    kinds={"duckdb", "deltalake"},
    description=TABLE.description,
    metadata={
        "dagster/column_schema": column_schema(TABLE),
        "dagster/column_lineage": dg.TableColumnLineage(
            {
                c.name: [dg.TableColumnDep(asset_key=dg.AssetKey("costs"), column_name=c.name)]
                for c in TABLE.columns
                if c.name in {x.name for x in COSTS.columns}
            }
            | {"x_Day": [dg.TableColumnDep(asset_key=dg.AssetKey("costs"), column_name="ChargePeriodStart")]}
        ),
    },
    check_specs=[dg.AssetCheckSpec("adds_up_to_the_bill", asset=TABLE.name, blocking=True)],
)
def daily_costs(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[object]:
    """Aggregate each partition of the run, then add the cube up against the bills."""
    make_each(context, partial(aggregate, platform))
    yield dg.MaterializeResult()
    yield residual_check(
        platform, partitions_of(context), stage="daily_costs", check_name="adds_up_to_the_bill"
    )


assets: list[dg.AssetsDefinition] = [daily_costs]
