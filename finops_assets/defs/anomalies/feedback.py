"""`anomaly_feedback`: what people said of events, copied from the store into the lake when it grew."""

from typing import Any

import dagster as dg

from finops_assets.decisions.feedback import feedback_table, said
from finops_assets.defs.metadata import column_schema, materialized, unchanged
from finops_assets.defs.resources import Platform
from finops_assets.lake.lake import build_key
from finops_assets.marts.anomalies import ANOMALY_FEEDBACK


def feedback_key(platform: Platform) -> str:
    """Names everything that was said until now: words are only ever added."""
    words = said(platform.settings.paths.decisions)
    return build_key(repr(ANOMALY_FEEDBACK), *(f.feedback_id for f in words))


@dg.asset(
    name=ANOMALY_FEEDBACK.name,
    group_name="anomalies",
    owners=["team:finops"],
    kinds={"sqlite", "deltalake"},
    description=ANOMALY_FEEDBACK.description,
    metadata={"dagster/column_schema": column_schema(ANOMALY_FEEDBACK)},
)
def anomaly_feedback(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult[Any]:
    """Write all words anew: there are few."""
    lake = platform.lake
    words = said(platform.settings.paths.decisions)
    key = build_key(repr(ANOMALY_FEEDBACK), *(f.feedback_id for f in words))
    if lake.is_current(ANOMALY_FEEDBACK, {}, key):
        return unchanged(ANOMALY_FEEDBACK, lake)
    path = lake.new_file(ANOMALY_FEEDBACK, {}, key)
    file = platform.engine.write(
        "SELECT * FROM words", {"words": feedback_table(words)}, ANOMALY_FEEDBACK, path
    )
    lake.replace(ANOMALY_FEEDBACK, {}, [file], context.run.run_id)
    return materialized(ANOMALY_FEEDBACK, file.rows)


@dg.sensor(
    target=[anomaly_feedback],
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Carries new feedback into the lake; what is made of it follows by itself.",
)
def new_feedback(context: dg.SensorEvaluationContext, platform: Platform) -> dg.RunRequest | dg.SkipReason:
    """One run for each state of the store that the lake does not hold yet."""
    key = feedback_key(platform)
    if not said(platform.settings.paths.decisions) or platform.lake.is_current(ANOMALY_FEEDBACK, {}, key):
        return dg.SkipReason("Nothing new was said.")
    return dg.RunRequest(run_key=key)


assets: list[dg.AssetsDefinition] = [anomaly_feedback]
sensors: list[dg.SensorDefinition] = [new_feedback]
