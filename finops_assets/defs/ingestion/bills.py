"""Reading and writing the `bills` table, one source and month at a time."""

from __future__ import annotations

from finops_assets.defs.partitions import partition_values
from finops_assets.defs.resources import Platform
from finops_assets.intake.bill import ACCEPTED, Bill, from_arrow, to_arrow
from finops_assets.intake.tables import BILLS
from finops_assets.lake.lake import build_key


def known_bills(platform: Platform, source: str, month: str) -> list[Bill]:
    """What the table says of that source and month, oldest first."""
    given = platform.lake.input(BILLS, partition_values(month, source))
    if not given.files:
        return []
    return from_arrow(
        platform.engine.fetch("SELECT * FROM bills ORDER BY ingested_at, exported_at", {"bills": given})
    )


def accepted_bills(platform: Platform, source: str, month: str) -> list[Bill]:
    """The bills in force for that source and month, by format."""
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
