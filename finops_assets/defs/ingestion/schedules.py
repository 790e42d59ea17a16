"""The daily look at the months that may still change: the current one and the one before."""

from collections.abc import Iterator

import dagster as dg

from finops_assets.defs.jobs import analysis_job, refresh_job
from finops_assets.defs.partitions import range_tags
from finops_assets.settings import current_settings
from finops_assets.source_settings import Window


@dg.schedule(
    job=refresh_job,
    cron_schedule="0 5 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def daily_refresh(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    """One run a source, of the open and the just closed month; of an API, of its `open_months`."""
    today = context.scheduled_execution_time
    for source, configured in current_settings().sources.items():
        back = configured.open_months if isinstance(configured, Window) else 2
        newest = today.year * 12 + today.month - 1
        months = [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(newest - back + 1, newest + 1)]
        wanted = [m for m in months if m >= current_settings().first_month]
        yield dg.RunRequest(run_key=f"{source}-{today:%Y-%m-%d}", tags=range_tags(source, wanted))


daily_analysis = dg.ScheduleDefinition(
    job=analysis_job,
    cron_schedule="0 6 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="New forecasts and anomalies every morning, even on a day without a new bill.",
)

schedules: list[dg.ScheduleDefinition] = [daily_refresh, daily_analysis]
