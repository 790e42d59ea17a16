"""Take the bills of one source and month in: fetch, recognize, check, total, and decide.

Nothing lands here: the typed rows of accepted bills wait in staging for the raw tables to commit them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.intake.bill import ACCEPTED, QUARANTINED, SUPERSEDED, Bill, control_totals, settle
from finops_assets.intake.blocking import broken_rules, decided, how_to_accept
from finops_assets.intake.parse import BillError, detect_format, focus_version, parse
from finops_assets.lake.lake import build_key
from finops_assets.normalize.format import Format
from finops_assets.normalize.formats import FORMAT_BY_NAME
from finops_assets.sources.base import (
    BillSource,
    ChangedWhileReadError,
    Delivery,
    DeliveryError,
    FetchedFile,
    Listener,
    Silence,
)


@dataclass(frozen=True)
class Intake:
    """Takes bills of one source in."""

    source: BillSource
    engine: DuckDBEngine
    staging: Path
    run_id: str
    listener: Listener = field(default_factory=Silence)
    accepted: Mapping[str, str] = field(default_factory=dict)
    """Bills that are taken although they break a blocking rule: bill_id → why."""

    def take(self, month: str, deliveries: Sequence[Delivery], known: Sequence[Bill]) -> list[Bill]:
        """All bills of the month after looking at `deliveries`; equal to `known` when nothing is new.

        Of several new deliveries of one export the newest good one is read, those before it are recorded
        as superseded without being fetched. A delivery that cannot be taken becomes a quarantined bill
        that says why, and is tried again only when its files change; one that changed while it was read
        is left for the next time. Raises SourceError when the source itself fails: nothing is decided then.
        """
        bills = list(known)
        arrived = datetime.now(UTC)  # of all that are taken together, exported_at tells the order
        seen = {b.fingerprint for b in known} - decided(known, self.accepted).keys()
        fresh = [d for d in deliveries if d.fingerprint not in seen]
        for new in (replace(b, ingested_at=arrived) for b in self._newest_good(month, fresh)):
            same = next((b for b in bills if b.bill_id == new.bill_id), None)
            if same is None:
                bills.append(new)
            elif same.status == ACCEPTED:  # the bytes in force, delivered again
                bills[bills.index(same)] = replace(same, fingerprint=new.fingerprint)
            else:  # bytes of before are the newest word again
                bills.remove(same)
                bills.append(new)
        settled = settle(bills)
        for bill in settled:
            if bill.status != ACCEPTED:
                self.staged(bill).unlink(missing_ok=True)  # read for its totals; never lands
        return settled

    def staged(self, bill: Bill) -> Path:
        """Where the typed rows of a bill wait."""
        reading = FORMAT_BY_NAME[bill.format].reading if bill.format else ""
        return self.staging / f"{bill.bill_id.replace('/', '_')}-{build_key(reading)}.parquet"

    def restage(self, month: str, bill: Bill, deliveries: Sequence[Delivery]) -> Path | None:
        """Read an accepted bill again; where its rows wait, or None when the source has it no more."""
        for delivery in deliveries:
            if delivery.fingerprint == bill.fingerprint:
                again = self._take_one(month, delivery)
                if again.bill_id == bill.bill_id:
                    return self.staged(bill)
        return None

    def _newest_good(self, month: str, fresh: Sequence[Delivery]) -> list[Bill]:
        """A bill for each of `fresh`, in their order, though read from the newest to the oldest."""
        taken: list[Bill] = []
        good: set[tuple[str | None, str | None]] = set()
        for delivery in reversed(fresh):
            line = delivery.export, delivery.format
            if delivery.export is not None and line in good:
                taken.append(self._unread(month, delivery))
                continue
            try:
                bill = self._take_one(month, delivery)
            except ChangedWhileReadError as error:
                self.listener.note(str(error))
                continue
            taken.append(bill)
            if bill.status == ACCEPTED:
                good.add(line)
        return taken[::-1]

    def _unread(self, month: str, delivery: Delivery) -> Bill:
        """An older delivery than one that is taken: named, not fetched."""
        form = FORMAT_BY_NAME.get(delivery.format or "")
        bill_id = f"{self.source.name}/{month}/{form.name if form else 'unread'}/{delivery.fingerprint[:12]}"
        bill = self._bill(delivery, bill_id, SUPERSEDED, form, [])
        return replace(bill, problem="not read: a newer delivery of the same export was there")

    def _take_one(self, month: str, delivery: Delivery) -> Bill:
        folder = self.staging / f"fetch-{self.source.name}-{month}-{delivery.fingerprint}"
        form: Format | None = None
        fetched: list[FetchedFile] = []
        try:
            _refuse_known_problem(delivery)
            fetched = self.source.fetch(delivery, folder, self.listener)
            form = self._format(delivery, fetched)
            bill_id = f"{self.source.name}/{month}/{form.name}/{_digest(fetched)}"
            return self._parsed(month, delivery, form, fetched, bill_id)
        except (BillError, DeliveryError) as error:
            name = form.name if form else "unknown"
            known = _digest(fetched) if fetched else delivery.fingerprint[:12]
            bill_id = f"{self.source.name}/{month}/{name}/{known}"
            return self._bill(delivery, bill_id, QUARANTINED, form, fetched, problem=str(error))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _format(self, delivery: Delivery, fetched: Sequence[FetchedFile]) -> Format:
        if delivery.format is not None:
            if delivery.format not in FORMAT_BY_NAME:
                raise BillError(
                    f"format: expected one of {', '.join(FORMAT_BY_NAME)}, found {delivery.format!r}"
                )
            return FORMAT_BY_NAME[delivery.format]
        forms = {file.name: detect_format(self.engine, file) for file in fetched}
        if len({f.name for f in forms.values()}) > 1:
            listed = "; ".join(f"{name} is {form.name}" for name, form in forms.items())
            raise BillError(f"expected one format in a delivery, found several: {listed}")
        return next(iter(forms.values()))

    def _parsed(
        self, month: str, delivery: Delivery, form: Format, fetched: Sequence[FetchedFile], bill_id: str
    ) -> Bill:
        waiting = self._bill(delivery, bill_id, ACCEPTED, form, fetched)
        parsed = parse(
            self.engine,
            form,
            fetched,
            month=month,
            month_is_stated=delivery.month is not None,
            bill_id=bill_id,
            to=self.staged(waiting),
        )
        _keep_promises(delivery, parsed.rows_by_file, self.staged(waiting))
        if form.is_focus and (broken := broken_rules(self.engine, self.staged(waiting))):
            if bill_id not in self.accepted:
                self.staged(waiting).unlink()
                raise BillError(f"{broken}; {how_to_accept(bill_id)}")
            self.listener.note(f"{bill_id} is taken although it breaks {broken}")
        return replace(
            waiting,
            rows=parsed.rows,
            files=_files(fetched, parsed.rows_by_file),
            focus_version=(
                focus_version(self.engine, fetched[0], form.dataset)
                if form.is_focus or not form.is_bill
                else None
            ),
            control_totals=control_totals(form.metric, parsed.totals),
        )

    def _bill(
        self,
        delivery: Delivery,
        bill_id: str,
        status: str,
        form: Format | None,
        fetched: Sequence[FetchedFile],
        problem: str | None = None,
    ) -> Bill:
        return Bill(
            bill_id=bill_id,
            status=status,
            problem=problem,
            format=form.name if form else None,
            focus_version=None,
            delivery_id=delivery.delivery_id,
            export=delivery.export,
            fingerprint=delivery.fingerprint,
            files=_files(fetched, {}),
            bytes=sum(f.bytes for f in fetched),
            rows=0,
            control_totals="[]",
            exported_at=delivery.exported_at,
            ingested_at=datetime.now(UTC),
            run_id=self.run_id,
            decision=self.accepted.get(bill_id),
        )


def _refuse_known_problem(delivery: Delivery) -> None:
    if delivery.problem is not None:
        raise BillError(delivery.problem)


def _keep_promises(delivery: Delivery, rows: dict[str, int], staged: Path) -> None:
    """Hold the rows that were read to those that the manifest counts."""
    for promise in delivery.promises:
        found = rows.get(promise.name, 0)
        if promise.rows is not None and promise.rows != found:
            staged.unlink()
            raise BillError(
                f"{promise.name}: expected {promise.rows:,} rows, as the provider counts, found {found:,}; "
                "deliver the month again"
            )


def _digest(fetched: Sequence[FetchedFile]) -> str:
    digest = hashlib.sha256()
    for file in sorted(fetched, key=lambda f: f.name):
        digest.update(f"{file.name}\0{file.sha256}\0".encode())
    return digest.hexdigest()[:12]


def _files(fetched: Sequence[FetchedFile], rows: dict[str, int]) -> str:
    return json.dumps(
        [{"path": f.name, "sha256": f.sha256, "bytes": f.bytes, "rows": rows.get(f.name, 0)} for f in fetched]
    )
