"""`costs`: every accepted bill as FOCUS 1.4 rows."""

from collections.abc import Iterator
from functools import partial

import dagster as dg
import pyarrow as pa

from finops_assets.defs.ingestion.bills import accepted_bills
from finops_assets.defs.metadata import column_schema
from finops_assets.defs.partitions import (
    ON_NEW_DATA,
    SINGLE_RUN,
    bill_partitions,
    make_each,
    partition_values,
    partitions_of,
)
from finops_assets.defs.quality.reconcile import residual_check
from finops_assets.defs.resources import Platform
from finops_assets.engine.base import DataFile, ParquetInput
from finops_assets.intake.bill import Bill
from finops_assets.intake.tables import ACCOUNT_NAMES
from finops_assets.lake.lake import build_key
from finops_assets.normalize.formats import FORMAT_BY_NAME, FORMATS
from finops_assets.normalize.references import load_references
from finops_assets.normalize.tables import complete, costs_table, with_account_names, with_tag_columns
from finops_assets.settings import current_settings

TABLE = costs_table(current_settings().tag_keys)


def recipe(bills: list[Bill], names: ParquetInput) -> str:
    """The key of what `costs` is made from: SQL, reference tables, promoted tags, account names, bills."""
    forms = [FORMAT_BY_NAME[str(b.format)] for b in bills]
    references = load_references()
    return build_key(
        *(f.sql + f.reading for f in forms),
        *(f"{name}{references[name].to_pydict()}" for name in sorted(references)),
        repr(TABLE),
        *((with_account_names(""), *names.names) if names.files else ()),
        *(b.bill_id for b in bills),
    )


def normalize(platform: Platform, source: str, month: str, run_id: str) -> int:
    """Make the partition's rows from its accepted bills; how many there are."""
    bills = accepted_bills(platform, source, month)
    partition = partition_values(month, source)
    if not bills:
        if platform.lake.files(TABLE, partition):
            platform.lake.replace(TABLE, partition, [], run_id)
        return 0
    names = platform.lake.input(ACCOUNT_NAMES, partition)
    key = recipe(bills, names)
    if not platform.lake.is_current(TABLE, partition, key):
        written: list[DataFile] = []
        formats = pa.table({"format": pa.array([b.format for b in bills], pa.string())})
        for bill in bills:
            form = FORMAT_BY_NAME[str(bill.format)]
            inputs = {
                "raw": platform.lake.input(form.raw_table(), partition),
                "bill_formats": formats,
                "account_names": names,
                **load_references(),
            }
            sql = complete(form.sql)
            if names.files:
                sql = with_account_names(sql)
            sql = with_tag_columns(sql, platform.settings.tag_keys)
            new_file = partial(platform.lake.new_file, TABLE, partition, key)
            written += platform.engine.write_large(sql, inputs, TABLE, new_file, rows=bill.rows)
        platform.lake.replace(TABLE, partition, written, run_id)
    return platform.lake.rows(TABLE, partition)


@dg.asset(
    name=TABLE.name,
    deps=[*(form.raw_table().name for form in FORMATS), ACCOUNT_NAMES.name],
    partitions_def=bill_partitions(),
    backfill_policy=SINGLE_RUN,
    automation_condition=ON_NEW_DATA,
    group_name="costs",
    owners=["team:finops"],
    kinds={"duckdb", "deltalake"},
    description=TABLE.description,
    metadata={"dagster/column_schema": column_schema(TABLE)},
    check_specs=[dg.AssetCheckSpec("adds_up_to_the_bill", asset=TABLE.name, blocking=True)],
)
def costs(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[object]:
    """Normalize each partition of the run, then add its costs up against the bills."""
    from finops_assets.defs.costs.lineage import costs_lineage

    make_each(context, partial(normalize, platform))
    partitions = partitions_of(context)
    bills = [
        b for source in partitions for m in partitions[source] for b in accepted_bills(platform, source, m)
    ]
    formats = {str(b.format) for b in bills}
    yield dg.MaterializeResult(metadata={"dagster/column_lineage": costs_lineage(formats)})
    yield residual_check(platform, partitions, stage="costs", check_name="adds_up_to_the_bill")


assets: list[dg.AssetsDefinition] = [costs]
