"""`alerts`: after each publication whoever should know of something new is told, and that is recorded."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from finops_assets.decisions.alerts import Alert, alerts_table, recorded
from finops_assets.defs.metadata import column_schema, materialized, unchanged
from finops_assets.defs.notify.subjects import anomaly_subjects, budgets_to_tell, refreshes
from finops_assets.defs.resources import Platform
from finops_assets.lake.lake import build_key
from finops_assets.marts.alerts import ALERTS
from finops_assets.notify.choose import due
from finops_assets.queries.access import open_warehouse, pinned


@dg.asset(
    name=ALERTS.name,
    deps=["warehouse"],
    automation_condition=dg.AutomationCondition.eager(),
    group_name="alerts",
    owners=["team:finops"],
    kinds={"python", "deltalake"},
    description=ALERTS.description,
    metadata={"dagster/column_schema": column_schema(ALERTS)},
)
def alerts(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult[Any]:
    """Tell what is new in the published warehouse; the record is published with the next publication."""
    settings, tried = platform.settings, list[Alert]()
    if settings.alerts.channels:
        from finops_assets.notify.tell import tell

        with pinned(open_warehouse(settings)) as warehouse:
            subjects = [
                *anomaly_subjects(warehouse, settings),
                *budgets_to_tell(warehouse, settings),
                *refreshes(warehouse, settings),
            ]
        tried = tell(settings.paths.decisions, settings.alerts, subjects, datetime.now(UTC))
    for alert in tried:
        if alert.error:
            context.log.warning(
                f"{alert.channel}: {alert.title}: {alert.status}, attempt {alert.attempts}: {alert.error}"
            )
    record = recorded(settings.paths.decisions)
    key = build_key(repr(ALERTS), *(f"{a.alert_id} {a.status} {a.attempts}" for a in record))
    if platform.lake.is_current(ALERTS, {}, key):
        return unchanged(ALERTS, platform.lake)
    path = platform.lake.new_file(ALERTS, {}, key)
    file = platform.engine.write("SELECT * FROM record", {"record": alerts_table(record)}, ALERTS, path)
    platform.lake.replace(ALERTS, {}, [file], context.run.run_id)
    return materialized(ALERTS, file.rows, **Counter[str](a.status for a in tried))


@dg.schedule(
    target=[alerts],
    cron_schedule="*/15 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Digests when their hour has come, and another try of what could not be delivered.",
)
def due_alerts(context: dg.ScheduleEvaluationContext, platform: Platform) -> dg.RunRequest | dg.SkipReason:
    """A run only where something is due; what is new is told after each publication."""
    settings, now = platform.settings, context.scheduled_execution_time
    if due(recorded(settings.paths.decisions), settings.alerts.digest_hour, now):
        return dg.RunRequest()
    return dg.SkipReason("Nothing is due.")


assets: list[dg.AssetsDefinition] = [alerts]
schedules: list[dg.ScheduleDefinition] = [due_alerts]
