"""`conformance`: how each month's bill keeps the rules of FOCUS."""

from functools import partial

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from finops_assets.defs.ingestion.bills import accepted_bills
from finops_assets.defs.metadata import column_schema
from finops_assets.defs.partitions import (
    ON_NEW_DATA,
    SINGLE_RUN,
    bill_partitions,
    make_each,
    partition_values,
)
from finops_assets.defs.resources import Platform
from finops_assets.engine.base import ParquetInput
from finops_assets.focus.rules import across_rules, row_rules
from finops_assets.lake.lake import build_key
from finops_assets.marts.conformance import CONFORMANCE, conformance_sql, counts_sql
from finops_assets.normalize.formats import FORMAT_BY_NAME, FORMATS
from finops_assets.normalize.tables import costs_table


def charges_of(platform: Platform, source: str, month: str) -> tuple[ParquetInput, str] | None:
    """The rows that are held to FOCUS's rules and the version they are written in; None without a bill.

    A bill that is delivered in FOCUS is looked at as it was delivered, before anything of it is mended; of
    any other, what it was normalized to.
    """
    bills = accepted_bills(platform, source, month)
    if not bills:
        return None
    partition = partition_values(month, source)
    form = FORMAT_BY_NAME[str(bills[0].format)]
    if form.is_focus:
        return platform.lake.input(form.raw_table(), partition), str(bills[0].focus_version)
    return platform.lake.input(costs_table(platform.settings.tag_keys), partition), "1.4"


def conformance_key(charges: ParquetInput, version: str) -> str:
    """Of what a partition's outcomes are made."""
    return build_key(repr((row_rules(), across_rules(), CONFORMANCE)), version, *charges.names)


def hold_to_rules(platform: Platform, source: str, month: str, run_id: str) -> int:
    """Write the partition's outcomes, unless they are of the very same rows and rules; how many there are."""
    partition = partition_values(month, source)
    given = charges_of(platform, source, month)
    if given is None:
        if platform.lake.files(CONFORMANCE, partition):
            platform.lake.replace(CONFORMANCE, partition, [], run_id)
        return 0
    charges, version = given
    key = conformance_key(charges, version)
    if not platform.lake.is_current(CONFORMANCE, partition, key):
        counts = platform.engine.fetch(counts_sql(version), {"charges": charges})
        broken = counts.filter(pc.greater(counts["failed"], pa.scalar(0, pa.int64())))["rule"].to_pylist()
        written = platform.engine.write(
            conformance_sql(version, set(broken)),
            {"charges": charges, "counts": counts},
            CONFORMANCE,
            platform.lake.new_file(CONFORMANCE, partition, key),
        )
        platform.lake.replace(CONFORMANCE, partition, [written], run_id)
    return platform.lake.rows(CONFORMANCE, partition)


@dg.asset(
    name=CONFORMANCE.name,
    deps=["costs", *(form.raw_table().name for form in FORMATS if form.is_focus)],
    partitions_def=bill_partitions(),
    backfill_policy=SINGLE_RUN,
    automation_condition=ON_NEW_DATA,
    group_name="quality",
    owners=["team:finops"],
    kinds={"duckdb", "deltalake"},
    description=CONFORMANCE.description,
    metadata={"dagster/column_schema": column_schema(CONFORMANCE)},
)
def conformance(context: dg.AssetExecutionContext, platform: Platform) -> None:
    """Hold every partition of the run to the rules."""
    make_each(context, partial(hold_to_rules, platform))
