"""A figure's bill rows in a terminal: the files they came in, the rows, and the rows as delivered."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from rich.console import Console
from rich.table import Table as RichTable

from finops_assets.queries.access import Reader
from finops_assets.queries.costs import METRICS
from finops_assets.queries.filters import filter_text, parse_filters
from finops_assets.queries.rows import RowQuery, cost_rows, files_behind, native_row

_PARAMETERS = {"start_date", "end_date", "filter", "metric", "currency", "as_of", "limit", "cursor"}
_MONEY_WIDTH = 28
"""Wide enough for every digit of most amounts. A longer one folds: cut off, it would be another amount."""


class BadFigureError(ValueError):
    """What was given names no figure; the text says what is wrong."""


def figure_of_link(link: str, limit: int) -> tuple[RowQuery, date | None]:
    """The figure that a `rows_url` of the API names, and the day as of which; None for now.

    Raises BadFigureError, BadFilterError.
    """
    asked = parse_qs(urlsplit(link).query)
    unknown = sorted(asked.keys() - _PARAMETERS)
    if unknown or not {"start_date", "end_date"} <= asked.keys():
        found = f"the parameters {', '.join(asked)}" if asked else "no parameters"
        raise BadFigureError(
            f"expected the rows_url of a figure, with start_date and end_date; found {found} in {link!r}"
        )
    asked_for = figure(
        start=_day("start_date", asked["start_date"][0]),
        end=_day("end_date", asked["end_date"][0]),
        filters=asked.get("filter", []),
        metric=asked.get("metric", ["EffectiveCost"])[0],
        currency=asked.get("currency", [None])[0],
        limit=limit,
    )
    return asked_for, _day("as_of", asked["as_of"][0]) if "as_of" in asked else None


def figure(
    *, start: date, end: date, filters: list[str], metric: str, currency: str | None, limit: int
) -> RowQuery:
    """The figure of these days, both included. Raises BadFigureError, BadFilterError."""
    if metric not in METRICS:
        raise BadFigureError(f"metric: expected one of {', '.join(METRICS)}, found {metric!r}")
    if end < start:
        raise BadFigureError(f"expected a period that ends after it starts, found {start} to {end}")
    return RowQuery(
        start=start,
        end=end + timedelta(days=1),
        filters=parse_filters(filters),
        metric=metric,
        currency=currency,
        limit=limit,
    )


def print_trace(warehouse: Reader, console: Console, q: RowQuery, *, delivered: bool) -> None:
    """The sum, the files it comes from, the costliest rows, and with `delivered` each as it came.

    Raises UnknownDimensionError for a filter on a column that rows do not have.
    """
    page = cost_rows(warehouse, q)
    days = f"{q.start} to {q.end - timedelta(days=1)}"
    console.print(
        " · ".join([q.metric, days, *([filter_text(q.filters)] if q.filters else [])]), highlight=False
    )
    if not page.total_rows:
        console.print("No bill row is behind this: check the days, filters and currency.")
        return
    for currency, total in page.totals.items():
        console.print(
            f"[bold]{_exact(total)} {currency}[/] in {page.row_counts[currency]:,} bill rows", highlight=False
        )
    _files(files_behind(warehouse, q).to_pylist(), console)
    rows = page.rows.to_pylist()
    _rows(rows, q, page.total_rows, console)
    for row in rows if delivered else ():
        _delivered(warehouse, row, console)


def _files(files: list[dict[str, Any]], console: Console) -> None:
    table = RichTable(title="The files they came in")
    table.add_column("Bill", overflow="fold")
    table.add_column("File", overflow="fold")
    table.add_column("Exported")
    table.add_column("Rows", justify="right")
    table.add_column("Cost", justify="right", min_width=_MONEY_WIDTH, overflow="fold")
    for file in files:
        at = file["exported_at"] or file["ingested_at"]
        table.add_row(
            file["x_BillId"],
            file["x_File"],
            f"{at:%Y-%m-%d %H:%M}" if at else "",
            f"{file['rows']:,}",
            f"{_exact(file['cost'])} {file['BillingCurrency']}",
        )
    console.print(table)


def _rows(rows: list[dict[str, Any]], q: RowQuery, total: int, console: Console) -> None:
    title = "The rows" if len(rows) == total else f"The costliest {len(rows):,} rows"
    table = RichTable(title=title)
    for heading in ("Charged", "Service", "Charge", "File, row"):
        table.add_column(heading, overflow="fold")
    table.add_column("Cost", justify="right", min_width=_MONEY_WIDTH, overflow="fold")
    for row in rows:
        table.add_row(
            f"{row['ChargePeriodStart']:%Y-%m-%d}",
            row["ServiceName"],
            row["ChargeDescription"],
            f"{row['x_File']}, row {row['x_RowNumber']}",
            f"{_exact(row[q.metric] or Decimal(0))} {row['BillingCurrency']}",
        )
    console.print(table)


def _delivered(warehouse: Reader, row: dict[str, Any], console: Console) -> None:
    native = native_row(warehouse, row["x_BillId"], row["x_File"], row["x_RowNumber"])
    table = RichTable("Column", "Value", title=f"{row['x_File']}, row {row['x_RowNumber']}, as delivered")
    for name, value in native.items():
        if value is not None and value != "":
            table.add_row(name, _exact(value) if isinstance(value, Decimal) else str(value))
    console.print(table)


def _exact(amount: Decimal) -> str:
    """Every digit that is not a trailing zero, and the cents in any case."""
    digits = max(-cast(int, amount.normalize().as_tuple().exponent), 2)
    return f"{amount:,.{digits}f}"


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadFigureError(f"{name}: expected a day such as 2026-01-31, found {text!r}") from None
