"""Partitions: source × billing month, and the automation that both partitioned and whole tables share."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence

import dagster as dg

from finops_assets.schema import MONTH, SOURCE
from finops_assets.settings import current_settings

# Beta in name: the alternative, one run for each partition, costs more than four times as long.
warnings.filterwarnings("ignore", "Parameter `backfill_policy` of", dg.BetaWarning)
# Beta too; nothing else says of two dimensions which follows which.
warnings.filterwarnings("ignore", "Class `MultiPartitionMapping` is", dg.BetaWarning)

MONTH_DIMENSION = "month"
SOURCE_DIMENSION = "source"

SOURCE_TAG = "finops/source"
"""Names a run's source: dagster.yaml lets one run at a time ask one provider account."""


def bill_partitions() -> dg.MultiPartitionsDefinition:
    """Every configured source × every month from `first_month` to the current one.

    Keys read '2026-01|aws-main': Dagster sorts the dimensions by name.
    """
    settings = current_settings()
    months = dg.MonthlyPartitionsDefinition(start_date=settings.first_month, fmt="%Y-%m", end_offset=1)
    sources = dg.StaticPartitionsDefinition(list(settings.sources))
    return dg.MultiPartitionsDefinition({MONTH_DIMENSION: months, SOURCE_DIMENSION: sources})


def every_month() -> dg.MultiPartitionMapping:
    """A partition of a table that is made of all months of its source in another."""
    return dg.MultiPartitionMapping(
        {
            MONTH_DIMENSION: dg.DimensionPartitionMapping(MONTH_DIMENSION, dg.AllPartitionMapping()),
            SOURCE_DIMENSION: dg.DimensionPartitionMapping(SOURCE_DIMENSION, dg.IdentityPartitionMapping()),
        }
    )


SINGLE_RUN = dg.BackfillPolicy.single_run()
"""A backfill is one run: a run a partition costs more in processes than its data does."""

ON_NEW_DATA = (
    dg.AutomationCondition.eager()
    .without(~dg.AutomationCondition.any_deps_missing())
    .without(dg.AutomationCondition.in_latest_time_window())
)
"""eager() alone waits for all upstream partitions and drops late months; bills come when they come."""


def partitions_of(context: dg.AssetExecutionContext) -> dict[str, list[str]]:
    """This run's partitions: source → its months, sorted."""
    found: dict[str, list[str]] = defaultdict(list)
    for key in context.partition_keys:
        month, source = split_key(key)
        found[source].append(month)
    return {source: sorted(months) for source, months in found.items()}


def make_each(context: dg.AssetExecutionContext, make: Callable[[str, str, str], int]) -> None:
    """Call `make(source, month, run_id)` for each partition of the run; record the rows it says there are."""
    for source, months in partitions_of(context).items():
        for month in months:
            rows = make(source, month, context.run.run_id)
            context.add_asset_metadata(
                {"dagster/partition_row_count": rows}, partition_key=key_of(month, source)
            )


def key_of(month: str, source: str) -> str:
    """The partition key of one source and month."""
    return f"{month}|{source}"


def split_key(key: str) -> tuple[str, str]:
    """(month, source) of a partition key."""
    month, source = key.split("|")
    return month, source


def partition_values(month: str, source: str) -> dict[str, str]:
    """The same partition as the lake names it."""
    return {SOURCE: source, MONTH: month}


def range_tags(source: str, months: Sequence[str]) -> dict[str, str]:
    """Run tags that ask for one source's months, first to last, in one run; one run a source at a time."""
    return {
        SOURCE_TAG: source,
        "dagster/asset_partition_range_start": key_of(min(months), source),
        "dagster/asset_partition_range_end": key_of(max(months), source),
    }
