"""How well the rules of FOCUS catch errors: single cells of valid bills corrupted, and what tells.

    .venv/bin/python -m benchmarks.corruptions --rows 120 --each 12

Makes the demo's bills of the three clouds, normalizes a closed month of each to FOCUS 1.4, and corrupts
random cells of every column that the month fills, `--each` of each kind that fits the column. A corruption
counts as caught where intake refuses the value, a rule fails that did not before, or the billed or effective
total no longer is the bill's. Prints a line a column with the share caught by rules (intake among them) and
by anything, then every kind that may pass, and why: what FOCUS leaves free, no rule can tell.
"""

from __future__ import annotations

import argparse
import time
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.demo_costs import closed_months, normalized
from finops_assets.focus.columns import columns
from finops_assets.schema import quote
from finops_assets.sources.demo.write import write_demo
from tests.marts.corruptions import NAMES, TOTALS, caught

TODAY = date(2026, 3, 20)

_BY_COLUMN = f"""
SELECT column_name, count(*) AS tried,
    avg(CAST(len(list_filter(caught_by, lambda c: c <> '{TOTALS}')) > 0 AS INTEGER)) AS by_rules,
    avg(CAST(len(caught_by) > 0 AS INTEGER)) AS by_any,
    list_sort(list_distinct(flatten(list(caught_by)))) AS catchers
FROM corruptions GROUP BY column_name ORDER BY column_name
"""
_TOTAL = f"""
SELECT count(*), avg(CAST(len(list_filter(caught_by, lambda c: c <> '{TOTALS}')) > 0 AS INTEGER)),
    avg(CAST(len(caught_by) > 0 AS INTEGER))
FROM corruptions
"""
_ESCAPED = """
SELECT column_name, kind, count(*) AS tried, count_if(len(caught_by) = 0) AS passed
FROM corruptions GROUP BY ALL HAVING passed > 0 ORDER BY ALL
"""

FREE = {
    "free text": "any text is as good: the specification binds neither its words nor its relation to others",
    "may be null": "may be null, as far as the row tells",
    "figure": "nothing else in the row or the bill is derived from it",
    "time": "any time in its period is as good; charges have no fixed length",
    "list": "another allowed value fits the row as well",
    "json": "another valid object is as good",
}


def why(column: str, kind: str) -> str:
    """Why no rule can tell a corruption of this kind from what the bill may say."""
    given = next(c for c in columns() if c.name == column)
    if kind in ("null", "filled"):
        return FREE["may be null"]
    if given.allowed_values:
        return FREE["list"]
    return FREE[{"Decimal": "figure", "Date/Time": "time", "JSON": "json"}.get(given.type, "free text")]


def sample(costs: Path, rows: int) -> pa.Table:
    """About `rows` rows of a normalized month as text: of every kind of charge, commitments whole."""
    text = ", ".join(f"CAST({quote(name)} AS VARCHAR) AS {quote(name)}" for name in NAMES)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("costs", pq.read_table(costs))
        return connection.sql(
            f"""
WITH ranked AS (
    SELECT *, row_number() OVER (
        PARTITION BY ChargeCategory, CommitmentDiscountId, CommitmentDiscountStatus ORDER BY hash(x_RowNumber)
    ) AS place
    FROM costs
)
SELECT {text} FROM ranked ORDER BY place, hash(x_RowNumber) LIMIT ?""",
            params=[rows],
        ).to_arrow_table()


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=120, help="rows of each of the three bills")
    parser.add_argument("--each", type=int, default=12, help="corruptions of a kind, column and bill")
    given = parser.parse_args()
    begun = time.monotonic()
    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        write_demo(Path(folder, "demo"), rows=12_000, today=TODAY, months=2)
        found = []
        for month in closed_months(Path(folder, "demo")):
            costs = normalized(month, Path(folder))
            found.append(caught(sample(costs, given.rows), each=given.each))
        connection.register("corruptions", pa.concat_tables(found))
        print(f"{'column':36}{'tried':>6}{'rules':>8}{'all':>8}  caught by")
        for name, tried, by_rules, by_any, catchers in connection.execute(_BY_COLUMN).fetchall():
            print(f"{name:36}{tried:6}{by_rules:8.1%}{by_any:8.1%}  {', '.join(catchers) or '–'}")
        print(f"\n{'what passes':36}{'kind':24}{'passed':>12}  why")
        for name, kind, tried, passed in connection.execute(_ESCAPED).fetchall():
            print(f"{name:36}{kind:24}{passed:>5} of {tried:<4}  {why(name, kind)}")
        empty = set(NAMES) - {r[0] for r in connection.execute(_BY_COLUMN).fetchall()}
        total = connection.execute(_TOTAL).fetchone()
        assert total is not None
    print(f"\nfilled in none of the bills: {', '.join(sorted(empty)) or 'none'}")
    print(
        f"{total[0]:,} corruptions, {total[1]:.1%} caught by rules, {total[2]:.1%} by rules or totals; "
        f"{time.monotonic() - begun:,.0f} s"
    )


if __name__ == "__main__":
    main()
