"""The table that a run ends with, read from the published warehouse like everyone else reads it."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console
from rich.table import Table as RichTable

from finops_assets.warehouse.reader import Warehouse

_SOURCES = """
SELECT c.x_Source, count(DISTINCT c.x_BillingMonth) AS months, sum(c.x_RowCount) AS "rows",
       max(c.x_BillingMonth) AS last, c.ServiceProviderName,
       c.BillingCurrency, sum(c.BilledCost) AS billed
FROM daily_costs AS c GROUP BY ALL ORDER BY x_Source, billed DESC
"""

_QUALITY = """
SELECT x_Source, count(*) FILTER (NOT passed) AS failed, count(*) AS checks FROM quality GROUP BY ALL
"""

_NEXT_MONTH = """
WITH newest AS (SELECT max(made_at) AS made_at FROM cost_forecasts),
day AS (SELECT max(x_Day) AS last FROM daily_costs)
SELECT ServiceProviderName, BillingCurrency, sum(mean) AS mean
FROM cost_forecasts, newest, day
WHERE cost_forecasts.made_at = newest.made_at AND is_champion AND level = 'provider'
  AND metric = 'EffectiveCost'
  AND date_trunc('month', day) = date_trunc('month', last) + INTERVAL 1 MONTH
GROUP BY ALL ORDER BY ALL
"""


def print_summary(warehouse: Warehouse, console: Console) -> None:
    """Months, sources, rows, cost by provider and currency, reconciled, anomalies, next month."""
    with warehouse.cursor() as cursor:
        sources = cursor.execute(_SOURCES).fetchall()
        quality = {row[0]: (row[1], row[2]) for row in cursor.execute(_QUALITY).fetchall()}
        held = cursor.execute("SELECT count(*) FROM bills WHERE status = 'quarantined'").fetchone()
        unequal = cursor.execute("SELECT count(*) FROM control_totals WHERE NOT passed").fetchone()
        events = cursor.execute(
            "SELECT severity, count(*) FROM cost_anomalies WHERE metric = 'EffectiveCost' "
            "AND level = 'service' GROUP BY ALL ORDER BY count(*) DESC"
        ).fetchall()
        outlook = cursor.execute(_NEXT_MONTH).fetchall()
    table = RichTable(title="What the bills say")
    for heading in ("Source", "Months", "Provider"):
        table.add_column(heading)
    for heading in ("Rows", "Billed"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Reconciled", no_wrap=True)
    for source, months, rows, last, provider, currency, billed in sources:
        failed, checks = quality.get(source, (0, 0))
        table.add_row(
            source,
            f"{months} to {last}",
            provider,
            f"{rows:,}",
            money(billed, currency),
            "[green]yes" if checks and not failed else f"[red]no: {failed} of {checks} checks fail",
        )
    console.print(table)
    if held is not None and held[0]:
        console.print(f'[yellow]{held[0]} deliveries are quarantined: see `finops sql "{QUARANTINED_SQL}"`')
    if unequal is not None and unequal[0]:
        console.print(f"[yellow]{unequal[0]} control totals are not what the bill is: see `finops invoices`")
    listed = ", ".join(f"{count} {severity}" for severity, count in events) or "none"
    console.print(f"Anomalies in services' effective cost: {listed}")
    for provider, currency, mean in outlook:
        console.print(f"Forecast for next month, {provider}: {money(mean, currency)}")


QUARANTINED_SQL = "select x_Source, problem from bills where status = 'quarantined'"


def money(amount: Decimal, currency: str) -> str:
    """An amount to the cent with its currency, for a terminal."""
    return f"{amount:,.2f} {currency}"
