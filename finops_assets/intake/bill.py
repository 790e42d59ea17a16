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
    export: str | None
    fingerprint: str
    files: str
    bytes: int
    rows: int
    control_totals: str
    exported_at: datetime
    ingested_at: datetime
    run_id: str
    decision: str | None = None

    @property
    def is_of_charges(self) -> bool:
        """Whether its rows are charges, and not one of FOCUS's other datasets; so is one never recognized."""
        return self.format is None or FORMAT_BY_NAME[self.format].is_bill


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

    What would count the month twice is quarantined and says so: a bill in a second format that is not
    the first's companion, or of a second export in the same format. FOCUS's other datasets stand beside
    any, the newest of each. Bills come in the order of their
    arrival; the same order is returned. A bill that was never read stays superseded.
    """
    settled = [b if _is_out(b) else replace(b, status=SUPERSEDED) for b in bills]
    beside = {b.format: n for n, b in enumerate(settled) if not _is_out(b) and not b.is_of_charges}
    for index in beside.values():
        settled[index] = replace(settled[index], status=ACCEPTED)
    newest: dict[tuple[str, str | None], int] = {}
    for index, bill in enumerate(settled):
        if not _is_out(bill) and bill.format is not None and bill.is_of_charges:
            newest[bill.format, bill.export] = index
    leader: Bill | None = None
    taken: dict[str, Bill] = {}
    for (form, _), index in sorted(newest.items(), key=lambda item: item[1]):
        bill = settled[index]
        leader = leader or bill
        if form not in (leader.format, FORMAT_BY_NAME[str(leader.format)].companion):
            problem = (
                f"{form}: expected one bill for the month, found a second in another format beside "
                f"{leader.format}; give each export a source of its own, or name the format to take"
            )
            settled[index] = replace(bill, status=QUARANTINED, problem=problem)
        elif form in taken and bill.export is not None and taken[form].export is not None:
            problem = (
                f"{form}: expected one export of the month, found {bill.export} beside "
                f"{taken[form].export}; give each export a source of its own, by its prefix"
            )
            settled[index] = replace(bill, status=QUARANTINED, problem=problem)
        else:
            if form in taken:  # loose files and an export of the same format: the newest, as before
                older = newest[form, taken[form].export]
                settled[older] = replace(settled[older], status=SUPERSEDED)
            settled[index] = replace(bill, status=ACCEPTED)
            taken[form] = bill
    return settled


def _is_out(bill: Bill) -> bool:
    """Whether a bill cannot be in force: refused, or never read."""
    return bill.status == QUARANTINED or (bill.status == SUPERSEDED and bill.problem is not None)
