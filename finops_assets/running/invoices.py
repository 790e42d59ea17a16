"""The invoices in a terminal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from finops_assets.queries import invoices
from finops_assets.queries.access import Reader
from finops_assets.running.summary import money


def print_invoices(warehouse: Reader, console: Console, source: str | None, month: str | None) -> bool:
    """Invoices and how they are held, then the amounts that were given; whether all of it adds up."""
    found = invoices.invoices(warehouse, source, month).to_pylist()
    totals = invoices.control_totals(warehouse, source, month).to_pylist()
    if not found and not totals:
        console.print("No invoice is here: check --source and --month, or take bills in with `finops run`.")
        return True
    table = RichTable(title="Invoices, against the rows as delivered")
    for heading in ("Source", "Month", "Invoice", "Issuer"):
        table.add_column(heading, overflow="fold")
    for heading in ("Billed", "of it tax", "marketplace", "credits", "Rows"):
        table.add_column(heading, justify="right")
    table.add_column("Adds up", overflow="fold")
    for row in found:
        of_it = ("" if row[k] == 0 else f"{row[k]:,.2f}" for k in ("tax", "marketplace", "credits"))
        table.add_row(
            row["x_Source"],
            row["x_BillingMonth"],
            row["InvoiceId"] or ("[dim]none" if row["is_final"] else "[yellow]not yet"),
            row["InvoiceIssuerName"],
            money(row["BilledCost"], row["BillingCurrency"]),
            *of_it,
            f"{row['x_RowCount']:,}",
            "[green]yes" if row["passed"] else f"[red]no: residual {plain(row['residual'])}",
        )
    console.print(table)
    if totals:
        _print_totals(totals, console)
    return all(row["passed"] for row in (*found, *totals))


def _print_totals(totals: list[dict[str, Any]], console: Console) -> None:
    table = RichTable(title="Amounts that were given, against the bill")
    for heading in ("Source", "Month", "Invoice"):
        table.add_column(heading, overflow="fold")
    table.add_column("By", overflow="fold")
    for heading in ("Given", "The bill", "Residual"):
        table.add_column(heading, justify="right")
    table.add_column("Equal", overflow="fold")
    for row in totals:
        table.add_row(
            row["x_Source"],
            row["x_BillingMonth"],
            row["InvoiceId"] or "[dim]whole month",
            row["given_by"],
            f"{row['expected']:,.{row['digits']}f} {row['BillingCurrency']}",
            plain(row["found"]),
            plain(row["residual"]),
            "[green]yes" if row["passed"] else f"[red]{row['cause']}[/]: {row['says']}",
        )
    console.print(table)


def plain(amount: Decimal) -> str:
    """Every digit that an amount has."""
    text = f"{amount:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
