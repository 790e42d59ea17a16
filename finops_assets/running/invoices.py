"""The invoices in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table as RichTable

from finops_assets.queries import invoices
from finops_assets.queries.access import Reader
from finops_assets.running.summary import money


def print_invoices(warehouse: Reader, console: Console, source: str | None, month: str | None) -> bool:
    """Invoices and how they are held; whether all of them add up."""
    found = invoices.invoices(warehouse, source, month).to_pylist()
    if not found:
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
            "[green]yes" if row["passed"] else f"[red]no: residual {row['residual'].normalize():f}",
        )
    console.print(table)
    return all(row["passed"] for row in found)
