"""What the running month and the next one will come to, as queries.forecasts.month_outlook() has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from finops_assets.queries import forecasts
from streamlit_app import data


@dataclass(frozen=True)
class Band:
    """An expected amount, and the bounds it lies in four times out of five."""

    mean: Decimal
    lo: Decimal
    hi: Decimal


@dataclass(frozen=True)
class Outlook:
    """The running month (what was charged, plus what is expected of its rest) and the month after it.

    None where no forecast reaches to that month's end.
    """

    this_month: Band | None
    next_month: Band | None


def outlook(metric: str, currency: str, month: date) -> Outlook:
    """The outlook of all costs in a currency, of the month that begins on `month`."""
    rows = _rows(metric, currency, "total", month)
    if not rows:
        return Outlook(None, None)
    row = rows[0]
    return Outlook(
        _band(row, "expected", "lo_80", "hi_80"), _band(row, "next_mean", "next_lo_80", "next_hi_80")
    )


def expected_by_provider(metric: str, currency: str, month: date) -> dict[str, Decimal]:
    """What each provider's month is expected to come to; left out where no forecast reaches its end."""
    rows = _rows(metric, currency, "provider", month)
    return {row["ServiceProviderName"]: row["expected"] for row in rows if row["expected"] is not None}


def days_ahead(metric: str, currency: str, start: date, end: date) -> pa.Table:
    """The expected cost of each day that is forecast from `start` to before `end`: day, mean.

    The first may lie before the newest day with costs: a day that is still arriving is forecast, too.
    """
    table = data.ask(forecasts.forecast, "total", metric=metric, currency=currency)
    within = pc.and_(pc.greater_equal(table["day"], start), pc.less(table["day"], end))
    return table.filter(within).select(["day", "mean"])


def _rows(metric: str, currency: str, level: str, month: date) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = data.ask(forecasts.month_outlook, metric).to_pylist()
    return [
        r for r in rows if r["level"] == level and r["BillingCurrency"] == currency and r["month"] == month
    ]


def _band(row: dict[str, Any], mean: str, lo: str, hi: str) -> Band | None:
    return None if row[mean] is None else Band(row[mean], row[lo], row[hi])
