"""Which deliveries belong to which billing month, of a source that may not say so itself."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.intake.looked import LookedInto
from finops_assets.intake.parse import BillError, detect_format, months_in
from finops_assets.lake.lake import build_key
from finops_assets.normalize.formats import FORMAT_BY_NAME
from finops_assets.sources.base import BillSource, ChangedWhileReadError, Delivery, DeliveryError, Silence


@dataclass(frozen=True)
class Catalog:
    """Deliveries by month. Loose files are looked into once and remembered in `staging`."""

    source: BillSource
    engine: DuckDBEngine
    staging: Path

    def by_month(self) -> dict[str, list[Delivery]]:
        """'YYYY-MM' → its deliveries, oldest first. Raises SourceError.

        Loose files of one format are one delivery a month together; a file that cannot be understood
        stands in the month in which it was written, with its problem.
        """
        found: dict[str, list[Delivery]] = defaultdict(list)
        loose: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
        for delivery in self.source.deliveries():
            if delivery.month is not None:
                found[delivery.month].append(delivery)
                continue
            try:
                form, months = self._look_into(delivery)
            except (BillError, ChangedWhileReadError, DeliveryError) as error:
                found[f"{delivery.exported_at:%Y-%m}"].append(replace(delivery, problem=str(error)))
                continue
            for month in months:
                loose[month, form].append(replace(delivery, format=form))
        for (month, _), parts in loose.items():
            found[month].append(_together(parts))
        return {
            m: sorted(ds, key=lambda d: (d.exported_at, d.delivery_id)) for m, ds in sorted(found.items())
        }

    def _look_into(self, delivery: Delivery) -> tuple[str, list[str]]:
        known = LookedInto(self.staging / "looked" / self.source.name)
        if (found := known.get(delivery.fingerprint)) is not None:
            return found
        folder = self.staging / f"look-{self.source.name}-{delivery.fingerprint}"
        try:
            (file,) = self.source.fetch(delivery, folder, Silence())
            form = FORMAT_BY_NAME[delivery.format] if delivery.format else detect_format(self.engine, file)
            months = months_in(self.engine, file, form) if form.month else [f"{delivery.exported_at:%Y-%m}"]
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if not months:
            raise BillError(f"{file.name}: expected bill rows, found a header and none")
        known.keep(delivery.fingerprint, form.name, months)
        return form.name, months


def _together(parts: Iterable[Delivery]) -> Delivery:
    """Loose files that make up one bill, as one delivery."""
    listed = list(parts)
    if len(listed) == 1:
        return listed[0]
    fingerprint = build_key(*(d.fingerprint for d in listed))
    return replace(
        listed[0],
        delivery_id=fingerprint,
        fingerprint=fingerprint,
        files=tuple(name for d in listed for name in d.files),
        exported_at=max(d.exported_at for d in listed),
    )
