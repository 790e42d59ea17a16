"""`account_names`: what accounts are called, where a source's bills do not say it themselves."""

from functools import cache

import dagster as dg
import pyarrow as pa

from finops_assets.defs.ingestion.bills import accepted_bills
from finops_assets.defs.ingestion.listening import retried_when_transient
from finops_assets.defs.ingestion.origins import ask_account_names
from finops_assets.defs.metadata import column_schema
from finops_assets.defs.partitions import (
    ON_NEW_DATA,
    SINGLE_RUN,
    bill_partitions,
    make_each,
    partition_values,
)
from finops_assets.defs.resources import Platform
from finops_assets.intake.tables import ACCOUNT_NAMES
from finops_assets.lake.lake import build_key
from finops_assets.source_settings import BucketSource


def are_missing(platform: Platform, source: str, month: str) -> bool:
    """Whether the source is asked for names and was not yet for that month."""
    configured = platform.settings.sources[source]
    asked = isinstance(configured, BucketSource) and configured.account_names
    return asked and not platform.lake.files(ACCOUNT_NAMES, partition_values(month, source))


def keep(platform: Platform, names: pa.Table | None, source: str, month: str, run_id: str) -> int:
    """Make the partition hold exactly `names`, nothing for None; how many there are."""
    partition = partition_values(month, source)
    if names is None:
        if platform.lake.files(ACCOUNT_NAMES, partition):
            platform.lake.replace(ACCOUNT_NAMES, partition, [], run_id)
        return 0
    key = build_key(repr(names.to_pydict()))
    if not platform.lake.is_current(ACCOUNT_NAMES, partition, key):
        path = platform.lake.new_file(ACCOUNT_NAMES, partition, key)
        written = platform.engine.write("SELECT * FROM given", {"given": names}, ACCOUNT_NAMES, path)
        platform.lake.replace(ACCOUNT_NAMES, partition, [written], run_id)
    return int(names.num_rows)


@dg.asset(
    name=ACCOUNT_NAMES.name,
    deps=["bills"],
    partitions_def=bill_partitions(),
    backfill_policy=SINGLE_RUN,
    automation_condition=ON_NEW_DATA,
    group_name="ingestion",
    owners=["team:finops"],
    kinds={"deltalake"},
    pool="provider_api",
    description=ACCOUNT_NAMES.description,
    metadata={"dagster/column_schema": column_schema(ACCOUNT_NAMES)},
)
def account_names(context: dg.AssetExecutionContext, platform: Platform) -> None:
    """Ask each source that is configured so, once; months without a bill get none."""

    @cache
    def asked(source: str) -> pa.Table | None:
        with retried_when_transient():
            return ask_account_names(platform, source)

    def make(source: str, month: str, run_id: str) -> int:
        names = asked(source) if accepted_bills(platform, source, month) else None
        return keep(platform, names, source, month, run_id)

    make_each(context, make)


assets: list[dg.AssetsDefinition] = [account_names]
