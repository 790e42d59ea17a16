"""Reading and writing the `bills` table, one source and month at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

from finops_assets.defs.partitions import partition_values
from finops_assets.defs.resources import Platform
from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.intake.bill import ACCEPTED, Bill, from_arrow, to_arrow
from finops_assets.intake.tables import BILLS
from finops_assets.lake.lake import Lake, build_key
from finops_assets.schema import MONTH, SOURCE


def known_bills(platform: Platform, source: str, month: str) -> list[Bill]:
    """What the table says of that source and month, oldest first."""
    version = platform.lake.version(BILLS)
    if version is None:
        return []
    return list(_bills_at(platform.lake, platform.engine, version).get((source, month), ()))


@lru_cache(maxsize=4)
def _bills_at(lake: Lake, engine: DuckDBEngine, version: int) -> Mapping[tuple[str, str], list[Bill]]:
    """The whole table at one version, which never changes: every partition of a run asks for its own."""
    given = lake.input(BILLS, version=version)
    sql = "SELECT * FROM bills ORDER BY ingested_at, exported_at, delivery_id"
    rows = engine.fetch(sql, {"bills": given})
    found: dict[tuple[str, str], list[Bill]] = defaultdict(list)
    keys = zip(rows[SOURCE].to_pylist(), rows[MONTH].to_pylist(), strict=True)
    for key, bill in zip(keys, from_arrow(rows), strict=True):
        found[key].append(bill)
    return found


def accepted_bills(platform: Platform, source: str, month: str) -> list[Bill]:
    """The bills in force for that source and month, by format; FOCUS's other datasets are none."""
    return [b for b in in_force(platform, source, month) if b.is_of_charges]


def in_force(platform: Platform, source: str, month: str) -> list[Bill]:
    """Every delivery in force for that source and month, by format."""
    known = known_bills(platform, source, month)
    return sorted((b for b in known if b.status == ACCEPTED), key=lambda b: str(b.format))


def write_bills(platform: Platform, source: str, month: str, bills: list[Bill], run_id: str) -> None:
    """Make `bills` the whole of that source and month."""
    partition = partition_values(month, source)
    path = platform.lake.new_file(BILLS, partition, build_key(run_id))
    written = platform.engine.write(
        "SELECT * FROM given", {"given": to_arrow(bills, source, month)}, BILLS, path
    )
    platform.lake.replace(BILLS, partition, [written], run_id)
