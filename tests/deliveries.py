"""A source's deliveries through the real stages, in this process and at moments of the test's own clock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from finops_assets.defs.costs.assets import normalize
from finops_assets.defs.ingestion.assets import intake_of, land
from finops_assets.defs.ingestion.bills import known_bills, write_bills
from finops_assets.defs.ingestion.origins import open_catalog
from finops_assets.defs.marts.assets import aggregate
from finops_assets.defs.publishing.assets import native_tables, view_tables
from finops_assets.defs.quality.assets import keep_outcomes
from finops_assets.defs.quality.conformance import hold_to_rules
from finops_assets.defs.quality.restatements import compare, record
from finops_assets.defs.resources import Platform
from finops_assets.marts.reconciliation import published_sql
from finops_assets.normalize.formats import FORMAT_BY_NAME
from finops_assets.settings import Settings, current_settings
from finops_assets.warehouse import publish as publishing
from finops_assets.warehouse.publish import Publication
from tests.focus_bills import in_month, text

SOURCE, MONTH = "shop", "2026-01"


def row(service: str, account: str, amount: str, **changes: str) -> dict[str, str]:
    """A line of January's bill, all four costs `amount`."""
    return {**in_month(MONTH, amount), "ServiceName": service, "SubAccountId": account, **changes}


def correction(service: str, account: str, amount: str) -> dict[str, str]:
    """A line that corrects an invoiced period."""
    return row(service, account, amount, ChargeClass="Correction")


FIRST = (
    row("Machines", "7", "100.00"),
    row("Machines", "8", "50.00"),
    row("Storage", "7", "10.10"),
    row("Network", "7", "5.25"),
    row("Machines", "7", "3.00", BillingCurrency="EUR"),
)
RESTATED = (
    row("Machines", "7", "60.00"),
    row("Machines", "7", "40.01"),
    row("Machines", "8", "50.00"),
    row("Machines", "9", "20.00"),
    row("Network", "7", "5.25"),
    row("Machines", "7", "3.00", BillingCurrency="EUR"),
)
"""Of FIRST: one service a cent up and in two lines, one account new, one service gone, the rest as before."""
CORRECTED = (
    *FIRST,
    correction("Machines", "7", "0.01"),
    correction("Machines", "9", "20.00"),
    correction("Storage", "7", "-10.10"),
)
"""The same figures as RESTATED, as a provider should bring them."""
CHANGES = {
    ("Machines", "7", "100.00", "100.01", "0.01"),
    ("Machines", "9", "0", "20.00", "20.00"),
    ("Storage", "7", "10.10", "0", "-10.10"),
}
"""(service, account, before, after, change) of either, by hand."""


@dataclass(frozen=True)
class Deliveries:
    """One source of FOCUS files and the platform that takes them in."""

    root: Path
    monkeypatch: pytest.MonkeyPatch

    @property
    def platform(self) -> Platform:
        return Platform()

    @property
    def settings(self) -> Settings:
        return current_settings()

    def deliver(self, rows: tuple[dict[str, str], ...], exported: datetime) -> None:
        """January as it is written at `exported`, taken in and carried to the marts."""
        file = self.root / "bills" / "january.csv"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text(*rows), encoding="utf-8")
        os.utime(file, (exported.timestamp(), exported.timestamp()))
        platform = self.platform
        found = open_catalog(platform, SOURCE).by_month()[MONTH]
        taken = intake_of(platform, SOURCE, "r").take(MONTH, found, known_bills(platform, SOURCE, MONTH))
        write_bills(platform, SOURCE, MONTH, taken, "r")
        land(platform, FORMAT_BY_NAME["focus"], SOURCE, MONTH, "r")
        normalize(platform, SOURCE, MONTH, "r")
        self.follow()

    def follow(self) -> None:
        """Make what follows from the costs."""
        for make in (aggregate, keep_outcomes, hold_to_rules, record, compare):
            make(self.platform, SOURCE, MONTH, "r")

    def publish(self, at: datetime) -> Publication:
        """Publish what the lake holds, at a moment."""
        self.monkeypatch.setattr(publishing, "now", lambda: at)
        return publishing.publish(
            self.platform.lake,
            self.platform.engine,
            self.settings.paths.warehouse,
            native=native_tables(),
            views=view_tables(),
            keep_days=self.settings.history.keep_days,
            hold=published_sql(),
        )


@contextmanager
def deliveries(root: Path) -> Iterator[Deliveries]:
    """The platform in a folder of its own, configured with one source of files."""
    with pytest.MonkeyPatch.context() as patch:
        (root / "finops.toml").write_text(
            f'[sources.{SOURCE}]\nkind = "files"\npath = "bills"\n', encoding="utf-8"
        )
        patch.setenv("FINOPS_CONFIG", str(root / "finops.toml"))
        current_settings.cache_clear()
        yield Deliveries(root, patch)
    current_settings.cache_clear()
