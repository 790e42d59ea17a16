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
    make_each,
    partition_values,
)
from finops_assets.defs.resources import Platform
from finops_assets.engine.base import Input
from finops_assets.intake.tables import BILLS
from finops_assets.lake.lake import build_key
from finops_assets.marts.datasets import DATASETS, NO_TERMS, dataset_sql
from finops_assets.normalize.formats import FORMAT_BY_NAME


def dataset_key(platform: Platform, dataset: str, source: str, month: str) -> str:
    """Of what a partition of the dataset is made: of the costs and the bills they came in."""
    costs = platform.lake.input(COSTS, partition_values(month, source))
    bills = accepted_bills(platform, source, month)
    terms = [FORMAT_BY_NAME[str(b.format)].commitments_sql or "" for b in bills]
    times = [str(b.exported_at) for b in bills]
    return build_key(dataset_sql(dataset), repr(DATASETS[dataset]), *terms, *times, *costs.names)


def make(platform: Platform, dataset: str, source: str, month: str, run_id: str) -> int:
    """Make one partition of a dataset, unless it is made of the very same rows; how many it has."""
    table, partition = DATASETS[dataset], partition_values(month, source)
    costs = platform.lake.input(COSTS, partition)
    key = dataset_key(platform, dataset, source, month)
    if not costs.files:
        if platform.lake.files(table, partition):
            platform.lake.replace(table, partition, [], run_id)
    elif not platform.lake.is_current(table, partition, key):
        inputs: dict[str, Input] = {"costs": costs, "bills": platform.lake.input(BILLS, partition)}
        terms = NO_TERMS
        for bill in accepted_bills(platform, source, month):
            form = FORMAT_BY_NAME[str(bill.format)]
            if form.commitments_sql is not None:
                inputs["raw"] = platform.lake.input(form.raw_table(), partition)
                terms = form.commitments_sql
        path = platform.lake.new_file(table, partition, key)
        written = platform.engine.write(dataset_sql(dataset, terms), inputs, table, path)
        platform.lake.replace(table, partition, [written], run_id)
    return platform.lake.rows(table, partition)


def dataset_asset(dataset: str) -> dg.AssetsDefinition:
    """The asset of one dataset."""
    table = DATASETS[dataset]

    @dg.asset(
        name=table.name,
        deps=[COSTS.name],
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
