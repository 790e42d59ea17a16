"""The conformance report in a terminal."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table as RichTable

from finops_assets.queries import conformance
from finops_assets.queries.access import Reader


def print_conformance(
    warehouse: Reader, console: Console, source: str | None, month: str | None, rule: str | None
) -> bool:
    """Scores of the months, then the rules that are broken, with a line to look at; whether all are kept."""
    scores = conformance.scores(warehouse, source, month).to_pylist()
    if not scores:
        console.print("No bill is held against the rules of FOCUS here: check --source and --month.")
        return True
    table = RichTable(title="How the bills keep the rules of FOCUS")
    for heading in ("Source", "Month", "Version"):
        table.add_column(heading)
    for heading in ("Rules", "Broken (MUST)", "Broken (SHOULD)", "Checks that hold"):
        table.add_column(heading, justify="right")
    for row in scores:
        table.add_row(
            row["x_Source"],
            row["x_BillingMonth"],
            row["focus_version"],
            f"{row['rules']:,}",
            f"{row['broken_must']:,}",
            f"{row['broken_should']:,}",
            "–" if row["score"] is None else f"{row['score']:.3%}",
        )
    console.print(table)
    broken = conformance.report(warehouse, source, month, rule, failed_only=True).to_pylist()
    if broken:
        _print_broken(broken, console)
    return not any(row["level"] == "MUST" for row in broken)


def _print_broken(broken: list[dict[str, object]], console: Console) -> None:
    table = RichTable(title="Rules that rows break, the costliest first")
    for heading in ("Source", "Month", "Rule"):
        table.add_column(heading, overflow="fold")
    for heading in ("Failed", "of", "Their cost"):
        table.add_column(heading, justify="right")
    table.add_column("One of them", overflow="fold")
    for row in broken:
        samples = json.loads(str(row["samples"]))
        table.add_row(
            str(row["x_Source"]),
            str(row["x_BillingMonth"]),
            f"{row['rule']} ({row['level']})\n[dim]{row['says']}",
            f"{row['failed']:,}",
            f"{row['checked']:,}",
            f"{row['failed_cost']:,.2f} {row['BillingCurrency']}",
            *(f"{s['x_File']}, row {s['x_RowNumber']}: {s['found']}" for s in samples[:1]),
        )
    console.print(table)
