"""Hold a stage against the bills, partition by partition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dagster as dg
import pyarrow as pa

from finops_assets.defs.ingestion.bills import accepted_bills
from finops_assets.defs.partitions import partition_values
from finops_assets.defs.resources import Platform
from finops_assets.engine.base import Input
from finops_assets.intake.tables import BILLS
from finops_assets.marts.reconciliation import outcomes_sql
from finops_assets.marts.tables import daily_costs_table
from finops_assets.normalize.formats import FORMAT_BY_NAME
from finops_assets.normalize.tables import costs_table


def outcomes(platform: Platform, source: str, month: str, stage: str) -> pa.Table | None:
    """Rows of `quality` for one stage; None where the partition has no accepted bill."""
    bills = accepted_bills(platform, source, month)
    if not bills:
        return None
    partition = partition_values(month, source)
    forms = [FORMAT_BY_NAME[str(b.format)] for b in bills]
    tags = platform.settings.tag_keys
    inputs: dict[str, Input] = {"bills": platform.lake.input(BILLS, partition)}
    if stage == "raw":
        inputs |= {f"raw_{f.name}": platform.lake.input(f.raw_table(), partition) for f in forms}
    else:
        inputs["costs"] = platform.lake.input(costs_table(tags), partition)
    if stage == "daily_costs":
        inputs["daily_costs"] = platform.lake.input(daily_costs_table(tags), partition)
    return platform.engine.fetch(outcomes_sql(stage, forms), inputs)


def residual_check(
    platform: Platform, partitions: Mapping[str, Sequence[str]], *, stage: str, check_name: str
) -> dg.AssetCheckResult:
    """Whether every partition's stage adds up to its bills; what does not is in the metadata."""
    failed: dict[str, str] = {}
    checked = 0
    for source, months in partitions.items():
        for month in months:
            found = outcomes(platform, source, month, stage)
            for row in [] if found is None else found.to_pylist():
                checked += 1
                if not row["passed"]:
                    failed[f"{row['bill_id']} {row['metric']} {row['BillingCurrency']}"] = (
                        f"expected {row['expected']}, found {row['found']}, residual {row['residual']}"
                    )
    return dg.AssetCheckResult(
        check_name=check_name, passed=not failed, metadata={"checked": checked, **failed}
    )
