"""`conformance`: how each month's bill keeps the rules of FOCUS."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from finops_assets.defs.datasets.assets import FORM_OF, newest_delivery, raw_dependency
from finops_assets.defs.ingestion.bills import accepted_bills, in_force
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
from finops_assets.focus.columns import COST_AND_USAGE
from finops_assets.focus.rules import across_rules, row_rules
from finops_assets.lake.lake import build_key
from finops_assets.marts.conformance import CONFORMANCE, between_sql, conformance_sql, counts_sql
from finops_assets.normalize.formats import FORMAT_BY_NAME, FORMATS
from finops_assets.normalize.tables import costs_table


@dataclass(frozen=True)
class Held:
    """Rows that are held to the rules of one dataset, and their version; with `charges`, to those of both."""

    dataset: str
    version: str
    rows: ParquetInput
    charges: ParquetInput | None = None

    def key(self) -> str:
        """Of what the outcomes are made."""
        rules = repr((row_rules(self.dataset), across_rules(self.dataset), CONFORMANCE))
        both = (*self.rows.names, "and", *(self.charges.names if self.charges else ()))
        return build_key(rules, self.version, *both)

    def outcomes(self, platform: Platform) -> pa.Table:
        """Rows of `conformance`, partition columns apart."""
        if self.charges is not None:
            inputs = {"charges": self.charges, "delivered": self.rows}
            return platform.engine.fetch(between_sql(self.version, self.dataset), inputs)
        inputs = {"charges" if self.dataset == COST_AND_USAGE else "delivered": self.rows}
        counts = platform.engine.fetch(counts_sql(self.version, self.dataset), inputs)
        broken = counts.filter(pc.greater(counts["failed"], pa.scalar(0, pa.int64())))["rule"].to_pylist()
        sql = conformance_sql(self.version, set(broken), self.dataset)
        return platform.engine.fetch(sql, {**inputs, "counts": counts})


def charges_of(platform: Platform, source: str, month: str) -> tuple[ParquetInput, str]:
    """The rows that are held to FOCUS's rules and the version they are written in; without a bill, none.

    A bill that is delivered in FOCUS is looked at as it was delivered, before anything of it is mended; of
    any other, what it was normalized to.
    """
    partition = partition_values(month, source)
    bills = accepted_bills(platform, source, month)
    form = FORMAT_BY_NAME[str(bills[0].format)] if bills else None
    if form is not None and form.is_focus:
        return platform.lake.input(form.raw_table(), partition), str(bills[0].focus_version)
    return platform.lake.input(costs_table(platform.settings.tag_keys), partition), "1.4"


def held(platform: Platform, source: str, month: str) -> list[Held]:
    """The month's bill, what was delivered of FOCUS's other datasets, and both together."""
    charges, version = charges_of(platform, source, month)
    found = [Held(COST_AND_USAGE, version, charges)] if accepted_bills(platform, source, month) else []
    for dataset, form in FORM_OF.items():
        came = newest_delivery(platform, dataset, source, month)
        known = [] if came is None else in_force(platform, source, came)
        delivery = next((b for b in known if b.format == form.name), None)
        if came is None or delivery is None:
            continue
        rows = platform.lake.input(form.raw_table(), partition_values(came, source))
        if came == month:
            found.append(Held(dataset, str(delivery.focus_version), rows))
        if charges.files:
            found.append(Held(dataset, str(delivery.focus_version), rows, charges))
    return found


def is_held(platform: Platform, source: str, month: str) -> bool:
    """Whether the partition holds the outcomes of exactly what is there to be held."""
    partition = partition_values(month, source)
    parts = held(platform, source, month)
    if not parts:
        return not platform.lake.files(CONFORMANCE, partition)
    return platform.lake.is_current(CONFORMANCE, partition, _key(parts))


def hold_to_rules(platform: Platform, source: str, month: str, run_id: str) -> int:
    """Write the partition's outcomes, unless they are of the very same rows and rules; how many there are."""
    partition = partition_values(month, source)
    if not is_held(platform, source, month):
        parts = held(platform, source, month)
        if not parts:
            platform.lake.replace(CONFORMANCE, partition, [], run_id)
            return 0
        outcomes = {f"part_{n}": part.outcomes(platform) for n, part in enumerate(parts)}
        written = platform.engine.write(
            " UNION ALL BY NAME ".join(f"SELECT * FROM {name}" for name in outcomes),
            outcomes,
            CONFORMANCE,
            platform.lake.new_file(CONFORMANCE, partition, _key(parts)),
        )
        platform.lake.replace(CONFORMANCE, partition, [written], run_id)
    return platform.lake.rows(CONFORMANCE, partition)


def _key(parts: Sequence[Held]) -> str:
    return build_key(*(part.key() for part in parts))


@dg.asset(
    name=CONFORMANCE.name,
    deps=[
        "costs",
        *(form.raw_table().name for form in FORMATS if form.is_focus),
        *(raw_dependency(dataset) for dataset in FORM_OF),
    ],
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
