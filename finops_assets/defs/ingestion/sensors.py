"""Sensors: new or changed bills ask for exactly the partitions they touch; the rest follows by itself."""

from collections.abc import Iterator

import dagster as dg

from finops_assets.defs.ingestion.bills import known_bills
from finops_assets.defs.ingestion.origins import open_catalog
from finops_assets.defs.jobs import REFRESH, refresh_job
from finops_assets.defs.partitions import range_tags
from finops_assets.defs.resources import Platform
from finops_assets.lake.lake import build_key


def new_deliveries(platform: Platform, source: str) -> dict[str, list[str]]:
    """Month → fingerprints of deliveries that `bills` does not know. Raises SourceError."""
    found: dict[str, list[str]] = {}
    for month, deliveries in open_catalog(platform, source).by_month().items():
        known = {b.fingerprint for b in known_bills(platform, source, month)}
        fresh = [d.fingerprint for d in deliveries if d.fingerprint not in known]
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


@dg.sensor(job=refresh_job, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def new_bills(
    context: dg.SensorEvaluationContext, platform: Platform
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Look at every source; one run for each stretch of months with something new.

    A source that cannot be listed fails the tick, after the others had theirs.
    """
    asked = False
    for source in platform.settings.sources:
        fresh = new_deliveries(platform, source)
        for stretch in contiguous(list(fresh)):
            asked = True
            key = build_key(source, *(f for month in stretch for f in fresh[month]))
            yield dg.RunRequest(run_key=f"{source}-{key}", tags=range_tags(source, stretch))
    if not asked:
        yield dg.SkipReason(f"No source has anything that `bills` does not know; {REFRESH} is not needed.")


automation = dg.AutomationConditionSensorDefinition(
    "follow_new_data",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
)

sensors: list[dg.SensorDefinition] = [new_bills, automation]
