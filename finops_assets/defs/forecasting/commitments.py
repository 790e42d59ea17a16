"""`ending_commitments`: which commitments end, and what their usage will cost then."""

from typing import Any

import dagster as dg

from finops_assets.defs.metadata import column_schema, materialized, unchanged
from finops_assets.defs.partitions import ON_NEW_DATA
from finops_assets.defs.resources import Platform
from finops_assets.lake.lake import build_key
from finops_assets.marts.datasets import CONTRACT_COMMITMENTS
from finops_assets.marts.plans import ENDING_COMMITMENTS
from finops_assets.marts.series import COST_FEATURES
from finops_assets.marts.sql import load_sql
from finops_assets.normalize.tables import costs_table
from finops_assets.schema import MONTH
from finops_assets.settings import current_settings

COSTS = costs_table(current_settings().tag_keys)
_MONTHS = 3
"""Of the newest months the costs are looked at: a provider's bill may be a month behind another's."""


@dg.asset(
    name=ENDING_COMMITMENTS.name,
    deps=[CONTRACT_COMMITMENTS.name, COSTS.name, COST_FEATURES.name],
    automation_condition=ON_NEW_DATA,
    group_name="forecasting",
    owners=["team:finops"],
    kinds={"duckdb", "deltalake"},
    description=ENDING_COMMITMENTS.description,
    metadata={"dagster/column_schema": column_schema(ENDING_COMMITMENTS)},
)
def ending_commitments(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult[Any]:
    """Make all of it anew from the newest months."""
    lake, sql = platform.lake, load_sql(ENDING_COMMITMENTS.name)
    months = sorted({p[MONTH] for p in lake.partitions(COSTS)})[-_MONTHS:]
    inputs = {t.name: lake.input(t) for t in (CONTRACT_COMMITMENTS, COSTS, COST_FEATURES)}
    names = (name for given in inputs.values() for name in given.names)
    key = build_key(sql, repr(ENDING_COMMITMENTS), *months, *names)
    if lake.is_current(ENDING_COMMITMENTS, {}, key):
        return unchanged(ENDING_COMMITMENTS, lake)
    path = lake.new_file(ENDING_COMMITMENTS, {}, key)
    file = platform.engine.write(sql, inputs, ENDING_COMMITMENTS, path, [min(months, default="")])
    lake.replace(ENDING_COMMITMENTS, {}, [file], context.run.run_id)
    return materialized(ENDING_COMMITMENTS, file.rows)


assets: list[dg.AssetsDefinition] = [ending_commitments]
