"""The daily look at the months that may still change: the current one and the one before."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from finops_assets.defs.jobs import analysis_job, refresh_job
from finops_assets.defs.partitions import range_tags
from finops_assets.settings import current_settings


@dg.schedule(
    job=refresh_job,
    cron_schedule="0 5 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def daily_refresh(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    """One run a source, of the open and the just closed month."""
    today = context.scheduled_execution_time
    before = today.replace(day=1) - timedelta(days=1)
    months = [f"{before:%Y-%m}", f"{today:%Y-%m}"]
    for source in current_settings().sources:
        yield dg.RunRequest(run_key=f"{source}-{today:%Y-%m-%d}", tags=range_tags(source, months))


daily_analysis = dg.ScheduleDefinition(
    job=analysis_job,
    cron_schedule="0 6 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="New forecasts and anomalies every morning, even on a day without a new bill.",
)

schedules: list[dg.ScheduleDefinition] = [daily_refresh, daily_analysis]
