"""`planned_changes`: what finops.toml, the API and the page mark, copied into the lake when it changes."""

from typing import Any

import dagster as dg

from finops_assets.decisions.plans import KnownPlan, known_plans, plans_table
from finops_assets.defs.metadata import column_schema, materialized, unchanged
from finops_assets.defs.resources import Platform
from finops_assets.lake.lake import build_key
from finops_assets.marts.plans import PLANNED_CHANGES


def are_copied(platform: Platform) -> bool:
    """Whether the lake holds exactly the changes that are marked now; where none ever was, it may lack."""
    known, lake = _known(platform), platform.lake
    never = not known and not lake.files(PLANNED_CHANGES)
    return never or lake.is_current(PLANNED_CHANGES, {}, _key(known))


@dg.asset(
    name=PLANNED_CHANGES.name,
    group_name="forecasting",
    owners=["team:finops"],
    kinds={"sqlite", "deltalake"},
    description=PLANNED_CHANGES.description,
    metadata={"dagster/column_schema": column_schema(PLANNED_CHANGES)},
)
def planned_changes(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult[Any]:
    """Write all changes in force anew: there are few."""
    known, lake = _known(platform), platform.lake
    key = _key(known)
    if lake.is_current(PLANNED_CHANGES, {}, key):
        return unchanged(PLANNED_CHANGES, lake)
    path = lake.new_file(PLANNED_CHANGES, {}, key)
    given = {"known": plans_table(known)}
    file = platform.engine.write("SELECT * FROM known", given, PLANNED_CHANGES, path)
    lake.replace(PLANNED_CHANGES, {}, [file], context.run.run_id)
    return materialized(PLANNED_CHANGES, file.rows)


@dg.sensor(
    target=[planned_changes],
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Carries newly marked or withdrawn changes into the lake; the forecast follows by itself.",
)
def new_plans(context: dg.SensorEvaluationContext, platform: Platform) -> dg.RunRequest | dg.SkipReason:
    """One run for each state of the store that the lake does not hold yet."""
    if are_copied(platform):
        return dg.SkipReason("No change was marked or withdrawn.")
    return dg.RunRequest(run_key=_key(_known(platform)))


def _known(platform: Platform) -> list[KnownPlan]:
    return known_plans(platform.settings.planned_changes, platform.settings.paths.decisions)


def _key(known: list[KnownPlan]) -> str:
    return build_key(repr(PLANNED_CHANGES), repr(known))


assets: list[dg.AssetsDefinition] = [planned_changes]
sensors: list[dg.SensorDefinition] = [new_plans]
