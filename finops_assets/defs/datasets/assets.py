"""`billing_periods`, `invoice_details`, `contract_commitments`: FOCUS's other datasets, month by month."""

from functools import partial

import dagster as dg

from finops_assets.defs.costs.assets import TABLE as COSTS
from finops_assets.defs.ingestion.bills import accepted_bills
from finops_assets.defs.metadata import column_schema
from finops_assets.defs.partitions import (
    ON_NEW_DATA,
    SINGLE_RUN,
    bill_partitions,
    every_month,
    make_each,
    partition_values,
)
from finops_assets.defs.resources import Platform
from finops_assets.engine.base import Input, ParquetInput
from finops_assets.intake.tables import BILLS
from finops_assets.lake.lake import build_key
from finops_assets.marts.datasets import DATASETS, NO_TERMS, dataset_sql
from finops_assets.normalize.formats import DATASET_FORMATS, FORMAT_BY_NAME
from finops_assets.schema import MONTH, SOURCE

FORM_OF = {form.dataset: form for form in DATASET_FORMATS}
"""Dataset → as what it is delivered."""


def delivered_input(platform: Platform, dataset: str, source: str, month: str) -> ParquetInput:
    """The dataset's raw rows, as far as the partition is made of them: commitments are of no month."""
    form = FORM_OF[dataset]
    partition = partition_values(month, source) if form.month else {SOURCE: source}
    return platform.lake.input(form.raw_table(), partition)


def newest_delivery(platform: Platform, dataset: str, source: str, month: str) -> str | None:
    """The month whose delivery of the dataset is of this month: its own, of commitments the last; or None."""
    form = FORM_OF[dataset]
    came = {b[MONTH] for b in platform.lake.partitions(form.raw_table()) if b[SOURCE] == source}
    return max(came & {month} if form.month else came, default=None)


def dataset_key(platform: Platform, dataset: str, source: str, month: str) -> str | None:
    """Of what a partition of the dataset is made: of costs, the bills they came in, and what is delivered.

    None where there is nothing to make it of.
    """
    partition = partition_values(month, source)
    costs = platform.lake.input(COSTS, partition)
    if not costs.files and not platform.lake.files(FORM_OF[dataset].raw_table(), partition):
        return None
    delivered = delivered_input(platform, dataset, source, month)
    bills = accepted_bills(platform, source, month)
    terms = [FORMAT_BY_NAME[str(b.format)].commitments_sql or "" for b in bills]
    times = [str(b.exported_at) for b in bills]
    sql = dataset_sql(dataset, delivered_for=month if delivered.files else "")
    return build_key(sql, repr(DATASETS[dataset]), *terms, *times, *costs.names, *delivered.names)


def is_made(platform: Platform, dataset: str, source: str, month: str) -> bool:
    """Whether the partition holds what it is to be made of now."""
    table, partition = DATASETS[dataset], partition_values(month, source)
    key = dataset_key(platform, dataset, source, month)
    if key is None:
        return not platform.lake.files(table, partition)
    return platform.lake.is_current(table, partition, key)


def make(platform: Platform, dataset: str, source: str, month: str, run_id: str) -> int:
    """Make one partition of a dataset, unless it is made of the very same rows; how many it has."""
    table, partition = DATASETS[dataset], partition_values(month, source)
    if not is_made(platform, dataset, source, month):
        key = dataset_key(platform, dataset, source, month)
        if key is None:
            platform.lake.replace(table, partition, [], run_id)
            return 0
        delivered = delivered_input(platform, dataset, source, month)
        inputs: dict[str, Input] = {
            "costs": platform.lake.input(COSTS, partition),
            "bills": platform.lake.input(BILLS, partition),
            "delivered": delivered,
        }
        terms = NO_TERMS
        for bill in accepted_bills(platform, source, month):
            form = FORMAT_BY_NAME[str(bill.format)]
            if form.commitments_sql is not None:
                inputs["raw"] = platform.lake.input(form.raw_table(), partition)
                terms = form.commitments_sql
        sql = dataset_sql(dataset, terms, delivered_for=month if delivered.files else "")
        written = platform.engine.write(sql, inputs, table, platform.lake.new_file(table, partition, key))
        platform.lake.replace(table, partition, [written], run_id)
    return platform.lake.rows(table, partition)


def raw_dependency(dataset: str) -> dg.AssetDep:
    """The asset of what is delivered; of commitments every month of the source's."""
    form = FORM_OF[dataset]
    if form.month:
        return dg.AssetDep(form.raw_table().name)
    return dg.AssetDep(form.raw_table().name, partition_mapping=every_month())


def dataset_asset(dataset: str) -> dg.AssetsDefinition:
    """The asset of one dataset."""
    table = DATASETS[dataset]

    @dg.asset(
        name=table.name,
        deps=[COSTS.name, raw_dependency(dataset)],
        partitions_def=bill_partitions(),
        backfill_policy=SINGLE_RUN,
        automation_condition=ON_NEW_DATA,
        group_name="datasets",
        owners=["team:finops"],
        kinds={"duckdb", "deltalake"},
        description=table.description,
        metadata={"dagster/column_schema": column_schema(table)},
    )
    def of_bills(context: dg.AssetExecutionContext, platform: Platform) -> None:
        make_each(context, partial(make, platform, dataset))

    return of_bills


assets: list[dg.AssetsDefinition] = [dataset_asset(dataset) for dataset in DATASETS]
