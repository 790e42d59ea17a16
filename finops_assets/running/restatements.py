"""The restatement report in a terminal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from finops_assets.queries import restatements
from finops_assets.queries.access import Reader


def print_restatements(warehouse: Reader, console: Console, source: str | None, month: str | None) -> None:
    """Each delivery that replaced another: what it changed in all, and then by service and account."""
    found = restatements.restatements(warehouse, source, month).to_pylist()
    if not found:
        console.print("No delivery changed a month that was delivered before.")
        return
    table = RichTable(title="Months that a later delivery changed")
    for heading in ("Source", "Month", "Delivered", "then", "Closed"):
        table.add_column(heading)
    for heading in ("Billed before", "after", "Change", "Uncorrected"):
        table.add_column(heading, justify="right")
    for row in found:
        currency = row["BillingCurrency"]
        table.add_row(
            row["x_Source"],
            row["x_BillingMonth"],
            _day(row["exported_before"]),
            _day(row["exported_after"]),
            "yes" if row["was_closed"] else "no",
            f"{row['billed_before']:,.2f}",
            f"{row['billed_after']:,.2f}",
            f"{row['billed_change']:+,.2f} {currency}",
            _uncorrected(row["uncorrected"], row["uncorrected_billed"], currency),
        )
    console.print(table)
    _print_changes(restatements.changes(warehouse, source, month).to_pylist(), console)


def _print_changes(changes: list[dict[str, Any]], console: Console) -> None:
    table = RichTable(title="By service and account, the largest change first")
    for heading in ("Month", "Delivered", "Service", "Account"):
        table.add_column(heading, overflow="fold")
    for heading in ("Billed before", "after", "Change", "of it corrections"):
        table.add_column(heading, justify="right")
    for row in changes:
        mark = "[red]" if row["uncorrected"] else ""
        table.add_row(
            f"{row['x_Source']} {row['x_BillingMonth']}",
            _day(row["exported_after"]),
            row["ServiceName"],
            row["SubAccountName"] or row["SubAccountId"],
            f"{row['billed_before']:,.2f}",
            f"{row['billed_after']:,.2f}",
            f"{mark}{row['billed_change']:+,.2f} {row['BillingCurrency']}",
            f"{row['correction_billed']:+,.2f}",
        )
    console.print(table)


def _day(at: Any) -> str:
    return f"{at:%Y-%m-%d}" if at is not None else "–"


def _uncorrected(count: int, amount: Decimal, currency: str) -> str:
    return f"[red]{count:,}: {amount:+,.2f} {currency}" if count else "0"
