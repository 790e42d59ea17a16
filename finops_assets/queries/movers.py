"""What changed between two periods."""

from __future__ import annotations

from datetime import date

import pyarrow as pa

from finops_assets.queries.access import Reader, fetch
from finops_assets.queries.costs import METRICS, Metric
from finops_assets.queries.dimensions import CURRENCY, Filter, check_columns, conditions, dimensions
from finops_assets.schema import MONEY, quote


def movers(
    warehouse: Reader,
    before: tuple[date, date],
    after: tuple[date, date],
    by: str,
    metric: Metric = "EffectiveCost",
    filters: tuple[Filter, ...] = (),
) -> pa.Table:
    """Each value of dimension `by` in two periods (start, end excluded), the largest change first.

    Columns: value, BillingCurrency, before, after, change; decimal128, zero where a period has no row.
    Raises UnknownDimensionError, and ValueError for a metric that is none.
    """
    if metric not in METRICS:
        raise ValueError(f"{metric!r} is not a cost. Allowed: {', '.join(METRICS)}.")
    allowed = dimensions(warehouse)
    check_columns([by], allowed)
    sql, params = conditions(filters, allowed)
    where = " AND ".join(["(x_Day >= b0 AND x_Day < b1 OR x_Day >= a0 AND x_Day < a1)", *sql])
    cost = quote(metric)
    return fetch(
        warehouse,
        f"""
WITH bounds AS (SELECT ?::DATE AS b0, ?::DATE AS b1, ?::DATE AS a0, ?::DATE AS a1),
sums AS (
    SELECT {quote(by)} AS value, {CURRENCY} AS currency,
        coalesce(sum({cost}) FILTER (WHERE x_Day >= b0 AND x_Day < b1), 0)::{MONEY} AS before,
        coalesce(sum({cost}) FILTER (WHERE x_Day >= a0 AND x_Day < a1), 0)::{MONEY} AS after
    FROM daily_costs, bounds WHERE {where} GROUP BY 1, 2
)
SELECT value, currency AS {CURRENCY}, before, after, (after - before)::{MONEY} AS change
FROM sums ORDER BY abs(after - before) DESC, value, currency
""",
        (*before, *after, *params),
    )
