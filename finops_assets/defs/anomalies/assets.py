"""`cost_anomalies` and what they are made of."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from finops_assets.defs.metadata import column_schema, materialized, unchanged
from finops_assets.defs.partitions import ON_NEW_DATA
from finops_assets.defs.recipe import recipe
from finops_assets.defs.resources import Platform
from finops_assets.lake.lake import build_key
from finops_assets.marts.anomalies import ANOMALY_DRIVERS, ANOMALY_FEEDBACK, COST_ANOMALIES
from finops_assets.marts.anomaly_drivers import (
    cause_dimensions,
    causes_sql,
    daily_dimensions,
    effects_sql,
    splits_sql,
)
from finops_assets.marts.arrivals import DELIVERED_DAYS
from finops_assets.marts.plans import PLANNED_CHANGES
from finops_assets.marts.series import COST_FEATURES
from finops_assets.marts.sql import load_sql
from finops_assets.marts.tables import daily_costs_table
from finops_assets.normalize.tables import costs_table
from finops_assets.settings import current_settings

DAILY_COSTS = daily_costs_table(current_settings().tag_keys)
COSTS = costs_table(current_settings().tag_keys)


@dg.asset(
    name=COST_ANOMALIES.name,
    deps=[t.name for t in (COST_FEATURES, DAILY_COSTS, DELIVERED_DAYS, ANOMALY_FEEDBACK, PLANNED_CHANGES)],
    automation_condition=ON_NEW_DATA,
    group_name="anomalies",
    owners=["team:finops"],
    kinds={"python", "scikitlearn", "deltalake"},
    description=COST_ANOMALIES.description,
    metadata={"dagster/column_schema": column_schema(COST_ANOMALIES)},
)
def cost_anomalies(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult[Any]:
    """Detect events over the last 400 days; a known event keeps the time it was first seen."""
    lake = platform.lake
    said, planned = lake.input(ANOMALY_FEEDBACK), lake.input(PLANNED_CHANGES)
    read = {t.name: lake.input(t) for t in (COST_FEATURES, DAILY_COSTS, DELIVERED_DAYS)}
    features, sql = read[COST_FEATURES.name], load_sql(COST_ANOMALIES.name)
    names = (name for given in (*read.values(), said, planned) for name in given.names)
    key = build_key(recipe("finops_assets.anomalies", "scikit-learn"), sql, repr(COST_ANOMALIES), *names)
    if lake.is_current(COST_ANOMALIES, {}, key):
        return unchanged(COST_ANOMALIES, lake)
    from finops_assets.anomalies.events import detect_events

    fetch = platform.engine.fetch
    feedback = fetch("SELECT * FROM said", {"said": said})
    marked = fetch("SELECT * FROM planned", {"planned": planned})
    events = detect_events(fetch("SELECT * FROM f", {"f": features}), feedback=feedback, planned=marked)
    inputs = {"events": events, "known": lake.input(COST_ANOMALIES), **read}
    path = lake.new_file(COST_ANOMALIES, {}, key)
    file = platform.engine.write(sql, inputs, COST_ANOMALIES, path, [datetime.now(UTC)])
    lake.replace(COST_ANOMALIES, {}, [file], context.run.run_id)
    return materialized(COST_ANOMALIES, file.rows)


@dg.asset(
    name=ANOMALY_DRIVERS.name,
    deps=[COST_ANOMALIES.name, DAILY_COSTS.name, COSTS.name],
    automation_condition=ON_NEW_DATA,
    group_name="anomalies",
    owners=["team:finops"],
    kinds={"python", "duckdb", "deltalake"},
    description=ANOMALY_DRIVERS.description,
    metadata={"dagster/column_schema": column_schema(ANOMALY_DRIVERS)},
)
def anomaly_drivers(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult[Any]:
    """Split every event's impact by dimension, by effect and by the place of its cause."""
    lake, tag_keys = platform.lake, platform.settings.tag_keys
    events, daily, costs = lake.input(COST_ANOMALIES), lake.input(DAILY_COSTS), lake.input(COSTS)
    made_by = (
        recipe("finops_assets.anomalies"),
        recipe("finops_assets.defs.anomalies"),
        load_sql("anomaly_days"),
        effects_sql(tag_keys),
        splits_sql("daily_costs", daily_dimensions(tag_keys), tag_keys),
        causes_sql(cause_dimensions(tag_keys), tag_keys),
        repr(ANOMALY_DRIVERS),
    )
    key = build_key(*made_by, *events.names, *daily.names, *costs.names)
    if lake.is_current(ANOMALY_DRIVERS, {}, key):
        return unchanged(ANOMALY_DRIVERS, lake)
    from finops_assets.defs.anomalies.drivers import drivers_of

    made = drivers_of(platform.engine, events, daily, costs, tag_keys)
    path = lake.new_file(ANOMALY_DRIVERS, {}, key)
    file = platform.engine.write("SELECT * FROM made", {"made": made}, ANOMALY_DRIVERS, path)
    lake.replace(ANOMALY_DRIVERS, {}, [file], context.run.run_id)
    return materialized(ANOMALY_DRIVERS, file.rows)


assets: list[dg.AssetsDefinition] = [cost_anomalies, anomaly_drivers]
