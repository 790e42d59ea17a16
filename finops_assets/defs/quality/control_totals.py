"""`control_totals`: the amounts that finops.toml and the providers' own invoices give, against the bills."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import dagster as dg
import pyarrow as pa

from finops_assets.defs.datasets.assets import FORM_OF
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
from finops_assets.engine.base import ParquetInput
from finops_assets.intake.tables import BILLS
from finops_assets.lake.lake import build_key
from finops_assets.marts.control_totals import CONTROL_TOTALS, KNOWN_CAUSES, control_totals_sql
from finops_assets.marts.datasets import INVOICE_DETAILS
from finops_assets.normalize.format import Format
from finops_assets.normalize.formats import FORMAT_BY_NAME
from finops_assets.normalize.references import load_references
from finops_assets.normalize.tables import costs_table
from finops_assets.settings import ControlTotal

CHECK = "equals_control_totals"

_MONEY = CONTROL_TOTALS.arrow_schema().field("expected").type


def configured_totals(totals: Sequence[ControlTotal]) -> pa.Table:
    """The relation `configured` of control_totals_sql."""
    return pa.table(
        {
            "InvoiceId": pa.array([t.invoice for t in totals], pa.string()),
            "BillingCurrency": pa.array([t.currency for t in totals], pa.string()),
            "expected": pa.array([t.amount for t in totals], _MONEY),
            "digits": pa.array([t.digits for t in totals], pa.int32()),
        }
    )


def is_held(platform: Platform, source: str, month: str) -> bool:
    """Whether the partition holds the outcome of exactly the amounts that are configured."""
    partition = partition_values(month, source)
    totals = _configured(platform, source, month)
    if not _are_given(platform, source, month):
        return not platform.lake.files(CONTROL_TOTALS, partition)
    return platform.lake.is_current(CONTROL_TOTALS, partition, _key(platform, source, month, totals))


def hold_to_totals(platform: Platform, source: str, month: str, run_id: str) -> int:
    """Write the partition's outcomes, unless they are of the same amounts and rows; how many there are."""
    partition = partition_values(month, source)
    totals = _configured(platform, source, month)
    if not is_held(platform, source, month):
        if _are_given(platform, source, month):
            written = platform.engine.write(
                control_totals_sql(_formats(platform, source, month)),
                {
                    **_inputs(platform, source, month),
                    "configured": configured_totals(totals),
                    "ref_provider_names": load_references()["ref_provider_names"],
                },
                CONTROL_TOTALS,
                platform.lake.new_file(CONTROL_TOTALS, partition, _key(platform, source, month, totals)),
            )
            platform.lake.replace(CONTROL_TOTALS, partition, [written], run_id)
        else:
            platform.lake.replace(CONTROL_TOTALS, partition, [], run_id)
    return platform.lake.rows(CONTROL_TOTALS, partition)


def total_check(platform: Platform, partitions: Mapping[str, Sequence[str]]) -> dg.AssetCheckResult:
    """Whether each amount is the bill's. A warning where the cause is known, an error where it is not."""
    differing: dict[str, str] = {}
    causes: set[str] = set()
    checked = 0
    for source, months in partitions.items():
        for month in months:
            given = platform.lake.input(CONTROL_TOTALS, partition_values(month, source))
            found = platform.engine.fetch("SELECT * FROM control_totals", {"control_totals": given})
            for row in found.to_pylist():
                checked += 1
                if not row["passed"]:
                    causes.add(row["cause"])
                    of = (
                        f"{source} {month} {row['InvoiceId'] or 'whole month'} {row['BillingCurrency']}, "
                        f"given by {row['given_by']}"
                    )
                    differing[of] = (
                        f"expected {row['expected']}, found {row['found']}, residual {row['residual']}: "
                        f"{row['cause']}"
                    )
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=not differing,
        severity=dg.AssetCheckSeverity.WARN if causes <= KNOWN_CAUSES else dg.AssetCheckSeverity.ERROR,
        metadata={"checked": checked, **differing},
    )


def _configured(platform: Platform, source: str, month: str) -> list[ControlTotal]:
    return [t for t in platform.settings.control_totals if (t.source, t.month) == (source, month)]


def _are_given(platform: Platform, source: str, month: str) -> bool:
    """Whether there is any amount: a configured one, or of an invoice that the provider delivered."""
    delivered = FORM_OF["InvoiceDetail"].raw_table()
    return bool(
        _configured(platform, source, month)
        or platform.lake.files(delivered, partition_values(month, source))
    )


def _formats(platform: Platform, source: str, month: str) -> list[Format]:
    return [FORMAT_BY_NAME[str(b.format)] for b in accepted_bills(platform, source, month)]


def _inputs(platform: Platform, source: str, month: str) -> dict[str, ParquetInput]:
    partition = partition_values(month, source)
    tables = (BILLS, costs_table(platform.settings.tag_keys), INVOICE_DETAILS)
    return {t.name: platform.lake.input(t, partition) for t in tables}


def _key(platform: Platform, source: str, month: str, totals: Sequence[ControlTotal]) -> str:
    sql = control_totals_sql(_formats(platform, source, month))
    names = (n for i in _inputs(platform, source, month).values() for n in i.names)
    return build_key(sql, repr(CONTROL_TOTALS), repr(totals), *names)


@dg.asset(
    name=CONTROL_TOTALS.name,
    deps=["bills", "costs", INVOICE_DETAILS.name],
    partitions_def=bill_partitions(),
    backfill_policy=SINGLE_RUN,
    automation_condition=ON_NEW_DATA,
    group_name="quality",
    owners=["team:finops"],
    kinds={"duckdb", "deltalake"},
    description=CONTROL_TOTALS.description,
    metadata={"dagster/column_schema": column_schema(CONTROL_TOTALS)},
    check_specs=[dg.AssetCheckSpec(CHECK, asset=CONTROL_TOTALS.name)],
)
def control_totals(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[object]:
    """Hold every partition's bill to the amounts that are given for it; none without them."""
    make_each(context, partial(hold_to_totals, platform))
    yield dg.MaterializeResult()
    yield total_check(platform, partitions_of(context))
