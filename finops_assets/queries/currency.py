"""Amounts in another currency than the bill's: each day's charges at that day's rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pyarrow as pa

from finops_assets.queries.access import Reader, fetch
from finops_assets.schema import literal, quote

MOST_DAYS = 7
"""How old a rate may be: the longest stretch of days without one (Christmas, Easter) is five."""

_CONVERTED = """CAST(
    CAST({amount} AS DECIMAL(20, 6)) * rate
    + CAST({amount} - CAST({amount} AS DECIMAL(20, 6)) AS DECIMAL(18, 18)) * rate
AS DECIMAL(38, 18))"""
"""To the 18th decimal of each row, so that parts add up to the whole; in halves, as 38 digits are all."""


class MissingRateError(ValueError):
    """A charge is on a day that no rate is known for; the text says which, and what to set."""


@dataclass(frozen=True)
class Rate:
    """What one unit of `currency` was worth on a day, by the rate set on `rate_day`."""

    currency: str
    day: date
    rate: Decimal
    rate_day: date
    source: str


def convertible(warehouse: Reader) -> tuple[str, ...]:
    """The currencies that amounts can be converted to, in alphabetical order; none without rates."""
    found = fetch(warehouse, f"SELECT DISTINCT currency FROM ({_units()}) ORDER BY currency")
    return tuple(found["currency"].to_pylist())


def rates_sql(to: str, needed: str) -> str:
    """SQL of a row a day and currency of `needed` (x_Day, BillingCurrency): rate, rate_day, rate_source.

    The rate in force is the newest of the days before; null where there is none of the last week. Rates
    between two currencies go by way of the euro, to 12 decimals.
    """
    return f"""
SELECT n.x_Day, n.BillingCurrency,
    CASE WHEN n.BillingCurrency = {literal(to)} THEN 1 WHEN n.x_Day - p.rate_day <= {MOST_DAYS} THEN p.rate
    END::DECIMAL(18, 12) AS rate,
    CASE WHEN n.BillingCurrency = {literal(to)} THEN n.x_Day ELSE p.rate_day END AS rate_day,
    CASE WHEN n.BillingCurrency = {literal(to)} THEN '' ELSE p.rate_source END AS rate_source
FROM (SELECT DISTINCT x_Day, BillingCurrency FROM ({needed})) AS n
ASOF LEFT JOIN (
    SELECT given.rate_day, given.currency, given.rate_source,
        -- In whole numbers: DuckDB divides decimals as doubles.
        CAST((wanted.units::HUGEINT * 1000000000000 + given.units // 2) // given.units AS DECIMAL(18, 0))
            * CAST('0.000000000001' AS DECIMAL(13, 12)) AS rate
    FROM ({_units()}) AS given JOIN ({_units()}) AS wanted USING (rate_day)
    WHERE wanted.currency = {literal(to)}
) AS p ON n.BillingCurrency = p.currency AND n.x_Day >= p.rate_day"""


def converted_sql(to: str, metrics: Sequence[str], chosen: str) -> str:
    """SQL of the rows of `chosen` (of daily_costs), `metrics` and BillingCurrency in the currency `to`."""
    converted = [f"{_CONVERTED.format(amount=f'c.{quote(m)}')} AS {quote(m)}" for m in metrics]
    return (
        f"SELECT c.* REPLACE ({', '.join(converted)}, {literal(to)} AS BillingCurrency) "
        f"FROM ({chosen}) AS c "
        f"JOIN ({rates_sql(to, chosen)}) AS r ON r.x_Day = c.x_Day AND r.BillingCurrency = c.BillingCurrency"
    )


def rates_used(warehouse: Reader, to: str, chosen: str, params: Sequence[object]) -> list[Rate]:
    """The rates that `converted_sql` of the same rows goes by, `to` itself apart. Raises MissingRateError."""
    found: pa.Table = fetch(
        warehouse, f"SELECT * FROM ({rates_sql(to, chosen)}) ORDER BY BillingCurrency, x_Day", params
    )
    rows = found.to_pylist()
    for row in rows:
        if row["rate"] is None:
            raise MissingRateError(
                f"No rate from {row['BillingCurrency']} to {to} is known for {row['x_Day']}, nor for the "
                f"{MOST_DAYS} days before. Set [currency] rates in finops.toml to a file that has it, and "
                "materialize exchange_rates."
            )
    return [
        Rate(row["BillingCurrency"], row["x_Day"], row["rate"], row["rate_day"], row["rate_source"])
        for row in rows
        if row["BillingCurrency"] != to
    ]


def _units() -> str:
    """Each rate as a whole number, the euro's own among them."""
    return (
        "SELECT rate_day, currency, rate_source, "
        "CAST(CAST(rate AS DECIMAL(18, 8)) * 100000000 AS BIGINT) AS units "
        "FROM exchange_rates UNION ALL "
        "SELECT DISTINCT rate_day, 'EUR', rate_source, 100000000 FROM exchange_rates"
    )
