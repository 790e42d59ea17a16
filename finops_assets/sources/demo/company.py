"""The demo's company as DuckDB tables: what one provider's bills are made from.

The tables come from CSV files in `data/` and from plan.sql; every figure is a function of the seed and
the row's own keys.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import duckdb

from finops_assets.schema import literal, quote

MEMORY_LIMIT = "2GB"
"""What the writer may hold; more spills to disk, so that the number of rows does not matter."""

_FOLDER = files("finops_assets.sources.demo")

_TYPES = {
    "monthly": "DOUBLE",
    "seats": "INTEGER",
    "weekend": "DOUBLE",
    "growth": "DOUBLE",
    "starts_back": "INTEGER",
    "ends_back": "INTEGER",
    "first_back": "INTEGER",
    "last_back": "INTEGER",
    "factor": "DOUBLE",
    "price": "DECIMAL(18, 10)",
    "list_price": "DECIMAL(18, 10)",
    "years": "INTEGER",
    "ratio": "DOUBLE",
    "upfront": "DOUBLE",
    "tax": "DOUBLE",
}
"""Columns of the CSV files that are not text."""


@dataclass(frozen=True)
class Month:
    """A billing month as far as it is billed: `last` is its last billed day, inclusive."""

    first: date
    last: date

    @property
    def end(self) -> date:
        """Its last calendar day."""
        return (self.first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)

    @property
    def is_closed(self) -> bool:
        """Whether all of it is billed."""
        return self.last == self.end

    @property
    def label(self) -> str:
        """2026-01."""
        return f"{self.first:%Y-%m}"

    @property
    def days(self) -> int:
        """How many days are billed."""
        return (self.last - self.first).days + 1


def billed_months(last_day: date, months: int) -> list[Month]:
    """The `months` billing months that end with the one of `last_day`, oldest first."""
    found = [Month(last_day.replace(day=1), last_day)]
    while len(found) < months:
        end = found[0].first - timedelta(days=1)
        found.insert(0, Month(end.replace(day=1), end))
    return found


@contextmanager
def company(
    provider: str, tables: tuple[str, ...], *, rows: int, seed: int, months: list[Month], spill: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A private connection with the provider's `slots`, `days`, `resources` and its own CSV `tables`.

    `rows` is how many charges there shall be over all months, about.
    """
    connection = duckdb.connect()
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute(f"SET memory_limit = {literal(MEMORY_LIMIT)}")
        connection.execute(f"SET temp_directory = {literal(str(spill))}")
        connection.execute("SET enable_progress_bar = false")
        set_variables(connection, seed=seed, rows=rows, first_day=months[0].first, last_day=months[-1].last)
        for table in ("accounts", "lines", *tables):
            _load(connection, table, f"{provider}_{table}.csv")
        _load(connection, "apps", "apps.csv")
        _load(connection, "all_events", "events.csv")
        connection.execute(
            "CREATE TABLE events AS SELECT * EXCLUDE (provider) FROM all_events WHERE provider = ?",
            [provider],
        )
        run(connection, "plan.sql")
        yield connection
    finally:
        connection.close()


def set_variables(connection: duckdb.DuckDBPyConnection, **values: int | float | str | date) -> None:
    """Set what the SQL files read with getvariable()."""
    for name, value in values.items():
        connection.execute(f"SET VARIABLE {quote(name)} = ?", [value])


def run(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Run one of the demo's SQL files."""
    connection.execute(read_text(name))


def charge_month(connection: duckdb.DuckDBPyConnection, month: Month) -> int:
    """Make `charges` for one month; how many there are."""
    set_variables(connection, month_first=month.first, month_last=month.last)
    run(connection, "charges.sql")
    found = connection.execute("SELECT count(*) FROM charges").fetchone()
    return int(found[0]) if found else 0


def read_text(name: str) -> str:
    """One of the demo's own files."""
    return _FOLDER.joinpath(name).read_text(encoding="utf-8")


def read_columns(name: str) -> list[tuple[str, str]]:
    """A layout in `data/`: column names and DuckDB types, in the provider's order."""
    _, *rows = csv.reader(read_text(f"data/{name}").splitlines())
    return [(row[0], row[1]) for row in rows]


def _load(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> None:
    header, *rows = csv.reader(read_text(f"data/{name}").splitlines())
    columns = ", ".join(f"{quote(c)} {_TYPES.get(c, 'VARCHAR')}" for c in header)
    connection.execute(f"CREATE TABLE {quote(table)} ({columns})")
    marks = ", ".join("?" for _ in header)
    connection.executemany(
        f"INSERT INTO {quote(table)} VALUES ({marks})", [[value or None for value in row] for row in rows]
    )
