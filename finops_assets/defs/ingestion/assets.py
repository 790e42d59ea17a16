"""`bills` and one `raw_<format>` for each format: what was delivered, checked and kept as it came."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import dagster as dg

from finops_assets.defs.ingestion.bills import in_force, known_bills, write_bills
from finops_assets.defs.ingestion.listening import RunLog, retried_when_transient
from finops_assets.defs.ingestion.origins import open_catalog, open_source
from finops_assets.defs.metadata import column_schema
from finops_assets.defs.partitions import (
    ON_NEW_DATA,
    SINGLE_RUN,
    bill_partitions,
    key_of,
    make_each,
    partition_values,
    partitions_of,
)
from finops_assets.defs.resources import Platform
from finops_assets.engine.base import DataFile
from finops_assets.intake.bill import ACCEPTED, QUARANTINED, Bill
from finops_assets.intake.intake import Intake
from finops_assets.intake.parse import BillError
from finops_assets.intake.tables import BILLS
from finops_assets.lake.lake import build_key
from finops_assets.normalize.format import Format
from finops_assets.normalize.formats import DELIVERED
from finops_assets.sources.base import Listener, Silence

OWNERS = ["team:finops"]


@dg.asset(
    partitions_def=bill_partitions(),
    backfill_policy=SINGLE_RUN,
    group_name="ingestion",
    owners=OWNERS,
    kinds={"duckdb", "deltalake"},
    pool="provider_api",
    description=BILLS.description,
    metadata={"dagster/column_schema": column_schema(BILLS)},
    check_specs=[dg.AssetCheckSpec("no_bill_is_quarantined", asset="bills")],
)
def bills(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[object]:
    """Look at each source's deliveries; take in what is new, quarantine what is not a good bill."""
    held: list[Bill] = []
    for source, months in partitions_of(context).items():
        intake = intake_of(platform, source, context.run.run_id, RunLog(context))
        with retried_when_transient():
            deliveries = open_catalog(platform, source).by_month()
        for month in months:
            known = known_bills(platform, source, month)
            with retried_when_transient():
                taken = intake.take(month, deliveries.get(month, []), known)
            if taken != known:
                write_bills(platform, source, month, taken, context.run.run_id)
                context.log.info(f"{source} {month}: {len(taken)} deliveries known")
            held += [b for b in taken if b.status == QUARANTINED]
            rows = sum(b.rows for b in taken if b.status == ACCEPTED)
            context.add_asset_metadata(
                {"dagster/partition_row_count": len(taken), "bill_rows": rows, "changed": taken != known},
                partition_key=key_of(month, source),
            )
    yield dg.MaterializeResult()
    yield dg.AssetCheckResult(
        check_name="no_bill_is_quarantined",
        passed=not held,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={b.bill_id: b.problem or "" for b in held},
    )


def land(platform: Platform, form: Format, source: str, month: str, run_id: str) -> int:
    """Make the accepted bill's rows the whole of this raw partition; the number of rows it holds.

    Raises BillError when the rows never landed, wait no longer, and the source no longer has the bill.
    """
    table = form.raw_table()
    partition = partition_values(month, source)
    bill = next((b for b in in_force(platform, source, month) if b.format == form.name), None)
    if bill is None:
        if platform.lake.files(table, partition):
            platform.lake.replace(table, partition, [], run_id)
        return 0
    of_bill = build_key(bill.bill_id)
    key = f"{of_bill}-{build_key(form.reading)}"
    if platform.lake.is_current(table, partition, key):
        intake_of(platform, source, run_id).staged(bill).unlink(missing_ok=True)
    else:
        staged = staged_rows(platform, bill, source, month, run_id)
        if staged is None and platform.lake.is_current(table, partition, of_bill):
            # Landed by an earlier reading of this format, and the source has moved on: what was
            # delivered is still what is here.
            return bill.rows
        if staged is None:
            raise BillError(
                f"{bill.bill_id}: expected the accepted delivery in the source, found that it changed or "
                "went before its rows landed; materialize `bills` for this partition again"
            )
        path = platform.lake.new_file(table, partition, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(path)
        path.touch()  # new to the lake from now on, however long it waited
        platform.lake.replace(table, partition, [DataFile(path, bill.rows, path.stat().st_size)], run_id)
    return bill.rows


def intake_of(platform: Platform, source: str, run_id: str, listener: Listener | None = None) -> Intake:
    """The intake of one source, for one run."""
    staging = platform.settings.paths.staging
    return Intake(
        open_source(platform, source),
        platform.engine,
        staging,
        run_id,
        listener or Silence(),
        platform.settings.accepted_bills,
    )


def staged_rows(platform: Platform, bill: Bill, source: str, month: str, run_id: str) -> Path | None:
    """The bill's typed rows on disk, read again from the source if need be; None when it moved on."""
    intake = intake_of(platform, source, run_id)
    if intake.staged(bill).is_file():
        return intake.staged(bill)
    return intake.restage(month, bill, open_catalog(platform, source).by_month().get(month, []))


def raw_asset(form: Format) -> dg.AssetsDefinition:
    """The asset of one format's raw table. A partition without a bill of the format holds no rows."""
    table = form.raw_table()

    @dg.asset(
        name=table.name,
        deps=[bills],
        partitions_def=bill_partitions(),
        backfill_policy=SINGLE_RUN,
        automation_condition=ON_NEW_DATA,
        group_name="ingestion",
        owners=OWNERS,
        kinds={"deltalake"},
        description=table.description,
        metadata={"dagster/column_schema": column_schema(table)},
    )
    def raw(context: dg.AssetExecutionContext, platform: Platform) -> None:
        make_each(context, partial(land, platform, form))

    return raw


assets: list[dg.AssetsDefinition] = [bills, *(raw_asset(f) for f in DELIVERED)]
