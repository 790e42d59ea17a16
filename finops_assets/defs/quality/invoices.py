"""`invoices`: each month's bill invoice by invoice, the costs against the rows as delivered."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import dagster as dg

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
from finops_assets.defs.resources import Platform
from finops_assets.engine.base import Input, ParquetInput
from finops_assets.intake.tables import BILLS
from finops_assets.lake.lake import build_key
from finops_assets.marts.invoices import INVOICES, UNEQUAL, invoices_sql
from finops_assets.marts.tables import daily_costs_table
from finops_assets.normalize.formats import FORMAT_BY_NAME, FORMATS
from finops_assets.normalize.references import load_references
from finops_assets.normalize.tables import costs_table

CHECK = "adds_up_by_invoice"


def charges_input(platform: Platform, source: str, month: str) -> dict[str, ParquetInput]:
    """The month's bills, raw rows and costs, as an engine's inputs."""
    partition = partition_values(month, source)
    forms = [FORMAT_BY_NAME[str(b.format)] for b in accepted_bills(platform, source, month)]
    return {
        "bills": platform.lake.input(BILLS, partition),
        "costs": platform.lake.input(costs_table(platform.settings.tag_keys), partition),
        **{f"raw_{f.name}": platform.lake.input(f.raw_table(), partition) for f in forms},
    }


def invoices_key(platform: Platform, source: str, month: str) -> str:
    """Of what a partition's invoices are made: SQL and the files of bills, raw rows and costs."""
    given = charges_input(platform, source, month)
    forms = [FORMAT_BY_NAME[str(b.format)] for b in accepted_bills(platform, source, month)]
    return build_key(invoices_sql(forms), repr(INVOICES), *(n for i in given.values() for n in i.names))


def add_up_invoices(platform: Platform, source: str, month: str, run_id: str) -> int:
    """Write the partition's invoices, unless they are of the very same rows; how many there are."""
    partition = partition_values(month, source)
    bills = accepted_bills(platform, source, month)
    if not bills:
        if platform.lake.files(INVOICES, partition):
            platform.lake.replace(INVOICES, partition, [], run_id)
        return 0
    key = invoices_key(platform, source, month)
    if not platform.lake.is_current(INVOICES, partition, key):
        given: dict[str, Input] = {
            **charges_input(platform, source, month),
            "ref_provider_names": load_references()["ref_provider_names"],
        }
        sql = invoices_sql([FORMAT_BY_NAME[str(b.format)] for b in bills])
        written = platform.engine.write(
            sql, given, INVOICES, platform.lake.new_file(INVOICES, partition, key)
        )
        platform.lake.replace(INVOICES, partition, [written], run_id)
    return platform.lake.rows(INVOICES, partition)


def invoice_check(platform: Platform, partitions: Mapping[str, Sequence[str]]) -> dg.AssetCheckResult:
    """Whether every invoice is its raw rows' sum, and all of a month the cube's; what is not, by name."""
    unequal: dict[str, str] = {}
    checked = 0
    for source, months in partitions.items():
        for month in months:
            partition = partition_values(month, source)
            checked += platform.lake.rows(INVOICES, partition)
            tables = (INVOICES, daily_costs_table(platform.settings.tag_keys))
            found = platform.engine.fetch(
                UNEQUAL, {t.name: platform.lake.input(t, partition) for t in tables}
            )
            for row in found.to_pylist():
                where = f"{source} {month} {row['what']} {row['BillingCurrency']}, {row['held_against']}"
                residual = row["found"] - row["expected"]
                unequal[where] = f"expected {row['expected']}, found {row['found']}, residual {residual}"
    return dg.AssetCheckResult(check_name=CHECK, passed=not unequal, metadata={"checked": checked, **unequal})


@dg.asset(
    name=INVOICES.name,
    deps=["bills", "costs", "daily_costs", *(form.raw_table().name for form in FORMATS)],
    partitions_def=bill_partitions(),
    backfill_policy=SINGLE_RUN,
    automation_condition=ON_NEW_DATA,
    group_name="quality",
    owners=["team:finops"],
    kinds={"duckdb", "deltalake"},
    description=INVOICES.description,
    metadata={"dagster/column_schema": column_schema(INVOICES)},
    check_specs=[dg.AssetCheckSpec(CHECK, asset=INVOICES.name, blocking=True)],
)
def invoices(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[object]:
    """Add every partition's invoices up, then hold them against the raw rows and the daily costs."""
    make_each(context, partial(add_up_invoices, platform))
    yield dg.MaterializeResult()
    yield invoice_check(platform, partitions_of(context))
