"""Sensors: new or changed bills ask for exactly the partitions they touch; the rest follows by itself."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from finops_assets.defs.ingestion.bills import known_bills
from finops_assets.defs.ingestion.origins import open_catalog
from finops_assets.defs.jobs import refresh_job
from finops_assets.defs.partitions import range_tags
from finops_assets.defs.resources import Platform
from finops_assets.intake.blocking import decided
from finops_assets.lake.lake import build_key
from finops_assets.settings import current_settings
from finops_assets.source_settings import DemoSource, FilesSource, Source, Window

DELIVERIES_TAG = "finops/deliveries"


def new_deliveries(platform: Platform, source: str) -> dict[str, list[str]]:
    """Month → what is new in it: fingerprints of deliveries that `bills` does not know, and of held ones
    that a decision has come for since, with its reason. Raises SourceError."""
    found: dict[str, list[str]] = {}
    for month, deliveries in open_catalog(platform, source).by_month().items():
        bills = known_bills(platform, source, month)
        known = {b.fingerprint for b in bills}
        fresh = [d.fingerprint for d in deliveries if d.fingerprint not in known]
        taken = decided(bills, platform.settings.accepted_bills)
        fresh += [f"{d.fingerprint} {taken[d.fingerprint]}" for d in deliveries if d.fingerprint in taken]
        if fresh and month >= platform.settings.first_month:
            found[month] = fresh
    return found


def contiguous(months: list[str]) -> Iterator[list[str]]:
    """Sorted months in stretches without a gap: one run each."""
    stretch: list[str] = []
    for month in sorted(months):
        if stretch and _next(stretch[-1]) != month:
            yield stretch
            stretch = []
        stretch.append(month)
    if stretch:
        yield stretch


def _next(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12}-{number % 12 + 1:02d}"


PATIENCE = timedelta(minutes=30)
"""How long after a failed run its deliveries are asked for again; twice as long each time."""

LOCAL_SECONDS, REMOTE_SECONDS = 30, 300
"""A folder is looked at often; a provider's listing costs requests."""


def watch(source: str, configured: Source) -> dg.SensorDefinition:
    """The sensor of one source, so that one that fails is seen to fail and stops no other."""

    @dg.sensor(
        name=f"watch_{source.replace('-', '_')}",
        job=refresh_job,
        minimum_interval_seconds=LOCAL_SECONDS
        if isinstance(configured, FilesSource | DemoSource)
        else REMOTE_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"New or changed bills of {source} ask for exactly the months that they touch.",
    )
    def sensor(
        context: dg.SensorEvaluationContext, platform: Platform
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        fresh = new_deliveries(platform, source)
        if not fresh:
            yield dg.SkipReason(f"{source} has nothing that `bills` does not know.")
        for stretch in contiguous(list(fresh)):
            key = build_key(source, *(f for month in stretch for f in fresh[month]))
            yield dg.RunRequest(
                run_key=f"{source}-{key}-{attempt(context.instance, key)}",
                tags={**range_tags(source, stretch), DELIVERIES_TAG: key},
            )

    return sensor


def attempt(instance: dg.DagsterInstance, key: str) -> int:
    """Which try at these deliveries is due: a number that grows only some time after a try failed.

    With it in the run key the same deliveries are asked for once, and again only when the run that
    should have taken them failed (a token had expired, the provider was down).
    """
    failed = instance.get_run_records(
        dg.RunsFilter(tags={DELIVERIES_TAG: key}, statuses=[dg.DagsterRunStatus.FAILURE])
    )
    if not failed:
        return 0
    last = max(record.end_time or 0.0 for record in failed)
    due = datetime.fromtimestamp(last, UTC) + PATIENCE * 2 ** (len(failed) - 1)
    return len(failed) if datetime.now(UTC) >= due else len(failed) - 1


automation = dg.AutomationConditionSensorDefinition(
    "follow_new_data",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
)

_WATCHED = {
    name: configured
    for name, configured in current_settings().sources.items()
    if not isinstance(configured, Window)  # what an API would answer is known only by paying for it
}

sensors: list[dg.SensorDefinition] = [*(watch(name, given) for name, given in _WATCHED.items()), automation]
