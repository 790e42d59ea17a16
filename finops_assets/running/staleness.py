"""What a run has to do: partitions whose tables are not made of what the source now holds."""

from __future__ import annotations

from datetime import UTC, datetime

from finops_assets.defs.anomalies.feedback import feedback_key
from finops_assets.defs.costs.assets import TABLE as COSTS
from finops_assets.defs.costs.assets import recipe
from finops_assets.defs.datasets.assets import is_made
from finops_assets.defs.forecasting.assets import features_key
from finops_assets.defs.forecasting.plans import are_copied
from finops_assets.defs.ingestion.accounts import are_missing
from finops_assets.defs.ingestion.bills import accepted_bills
from finops_assets.defs.ingestion.origins import open_catalog
from finops_assets.defs.ingestion.sensors import new_deliveries
from finops_assets.defs.marts.assets import TABLE as DAILY_COSTS
from finops_assets.defs.partitions import partition_values
from finops_assets.defs.publishing.assets import native_tables, view_tables
from finops_assets.defs.quality.arrivals import is_told as are_days_told
from finops_assets.defs.quality.conformance import is_held as is_held_to_rules
from finops_assets.defs.quality.control_totals import is_held as is_held_to_totals
from finops_assets.defs.quality.invoices import invoices_key
from finops_assets.defs.quality.restatements import is_compared
from finops_assets.defs.resources import Platform
from finops_assets.intake.tables import ACCOUNT_NAMES, BILLS
from finops_assets.marts.alerts import ALERTS
from finops_assets.marts.anomalies import ANOMALY_FEEDBACK
from finops_assets.marts.datasets import DATASETS
from finops_assets.marts.invoices import INVOICES
from finops_assets.marts.series import COST_FEATURES
from finops_assets.marts.tables import QUALITY
from finops_assets.schema import MONTH, SOURCE
from finops_assets.warehouse.pointer import NotPublishedError
from finops_assets.warehouse.publish import published_versions


def stale_months(platform: Platform, source: str) -> list[str]:
    """Months of the source with a new delivery, or whose tables were made by other SQL or settings.

    Raises SourceError when the source cannot be listed.
    """
    stale = set(new_deliveries(platform, source))
    for month in (_known_months(platform, source) | _controlled_months(platform, source)) - stale:
        partition = partition_values(month, source)
        bills = accepted_bills(platform, source, month)
        names = platform.lake.input(ACCOUNT_NAMES, partition)
        made = not bills or platform.lake.is_current(COSTS, partition, recipe(bills, names))
        followed = not bills or all(platform.lake.files(t, partition) for t in (DAILY_COSTS, QUALITY))
        named = not bills or not are_missing(platform, source, month)
        held = is_held_to_rules(platform, source, month)
        told = all(is_made(platform, name, source, month) for name in DATASETS)
        compared = is_compared(platform, source, month) and are_days_told(platform, source, month)
        added_up = not bills or platform.lake.is_current(
            INVOICES, partition, invoices_key(platform, source, month)
        )
        added_up = added_up and is_held_to_totals(platform, source, month)
        if not (made and followed and named and held and told and compared and added_up):
            stale.add(month)
    return sorted(stale)


def months_before_first(platform: Platform, source: str) -> list[str]:
    """Months that the source has bills of and the configuration leaves out. Raises SourceError."""
    return [m for m in open_catalog(platform, source).by_month() if m < platform.settings.first_month]


def is_analyzed(platform: Platform) -> bool:
    """Whether the models have seen the newest `daily_costs`, and what people said since."""
    lake = platform.lake
    seen = lake.is_current(COST_FEATURES, {}, features_key(platform)) and are_copied(platform)
    return seen and lake.is_current(ANOMALY_FEEDBACK, {}, feedback_key(platform))


def is_published(platform: Platform) -> bool:
    """Whether the published warehouse holds the newest version of every table but the record of alerts.

    That one follows a publication, and waits for the next.
    """
    try:
        published = published_versions(platform.settings.paths.warehouse)
    except NotPublishedError:
        return False
    tables = (*native_tables(), *view_tables())
    newest = {t.name: platform.lake.version(t) for t in tables if t is not ALERTS}
    return {name: version for name, version in published.items() if name != ALERTS.name} == newest


def _known_months(platform: Platform, source: str) -> set[str]:
    months = platform.lake.partitions(BILLS)
    return {p[MONTH] for p in months if p[SOURCE] == source}


def _controlled_months(platform: Platform, source: str) -> set[str]:
    """Months that have begun and of which an amount is configured, with a bill or without."""
    now = f"{datetime.now(UTC):%Y-%m}"
    return {t.month for t in platform.settings.control_totals if t.source == source and t.month <= now}
