"""One bill: what the `bills` table says of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from decimal import Decimal

import pyarrow as pa

from finops_assets.intake.tables import BILLS
from finops_assets.normalize.formats import FORMAT_BY_NAME
from finops_assets.schema import MONTH, SOURCE

ACCEPTED = "accepted"
QUARANTINED = "quarantined"
SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Bill:
    """A row of `bills`, without its partition columns."""

    bill_id: str
    status: str
    problem: str | None
    format: str | None
    focus_version: str | None
    delivery_id: str
    fingerprint: str
    files: str
    bytes: int
    rows: int
    control_totals: str
    exported_at: datetime
    ingested_at: datetime
    run_id: str


def control_totals(metric: str, totals: dict[str, Decimal]) -> str:
    """The bill's own totals as JSON text; amounts as plain decimal strings."""
    return json.dumps(
        [{"metric": metric, "currency": c, "amount": f"{a:f}"} for c, a in sorted(totals.items())]
    )


def from_arrow(rows: pa.Table) -> list[Bill]:
    """Bills out of the rows of the table."""
    names = [f.name for f in fields(Bill)]
    return [Bill(**row) for row in rows.select(names).to_pylist()]


def to_arrow(bills: Sequence[Bill], source: str, month: str) -> pa.Table:
    """Rows of the table for one partition."""
    rows = [{**asdict(b), SOURCE: source, MONTH: month} for b in bills]
    return pa.Table.from_pylist(rows, schema=BILLS.arrow_schema())


def settle(bills: Iterable[Bill]) -> list[Bill]:
    """Decide which bills of one source and month are in force: of each format the newest good one.

    A bill of a second format that is not the first's companion would count the month twice: it is
    quarantined and says so. Bills come in the order of their arrival; the same order is returned.
    """
    settled = [b if b.status == QUARANTINED else replace(b, status=SUPERSEDED) for b in bills]
    newest: dict[str, int] = {}
    for index, bill in enumerate(settled):
        if bill.status != QUARANTINED and bill.format is not None:
            newest[bill.format] = index
    leader = next(iter(sorted(newest, key=lambda f: newest[f])), None)
    for form, index in newest.items():
        if leader is not None and form not in (leader, FORMAT_BY_NAME[leader].companion):
            problem = (
                f"{form}: expected one bill for the month, found a second in another format beside "
                f"{leader}; give each export a source of its own, or name the format to take"
            )
            settled[index] = replace(settled[index], status=QUARANTINED, problem=problem)
        else:
            settled[index] = replace(settled[index], status=ACCEPTED)
    return settled
