"""Costs by any dimensions, filters, steps of time and metric, from the daily cube. Currencies never mix."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias, get_args

import pyarrow as pa

from finops_assets.marts.tables import COSTS
from finops_assets.queries.access import Reader, fetch
from finops_assets.queries.currency import MissingRateError, Rate, converted_sql, rates_used
from finops_assets.queries.dimensions import (
    CURRENCY,
    DIMENSIONS,
    Dimension,
    Filter,
    UnknownDimensionError,
    check_columns,
    conditions,
    dimensions,
)
from finops_assets.schema import literal, quote

__all__ = [
    "CURRENCY",
    "DIMENSIONS",
    "GRANULARITIES",
    "METRICS",
    "OTHER",
    "CostQuery",
    "DateRange",
    "Dimension",
    "DimensionValue",
    "Filter",
    "Granularity",
    "Metric",
    "MissingRateError",
    "Rate",
    "UnknownDimensionError",
    "conversion",
    "costs",
    "currencies",
    "date_range",
    "dimension_values",
    "dimensions",
    "first_day_sql",
    "summed_sql",
    "top_sql",
    "totals",
]

Metric: TypeAlias = Literal["BilledCost", "EffectiveCost", "ListCost", "ContractedCost"]
Granularity: TypeAlias = Literal["none", "day", "week", "month", "quarter", "year"]

METRICS: tuple[Metric, ...] = get_args(Metric)
GRANULARITIES: tuple[Granularity, ...] = get_args(Granularity)

OTHER = "(other)"
"""What the groups beyond a limit are added up as."""


@dataclass(frozen=True)
class CostQuery:
    """A question about costs.

    Days from `start` up to, not including, `end`, by the day a charge begins. `limit` keeps the
    groups with the largest totals (by size, so a large credit counts) in each currency, and adds the
    rest up as OTHER. Weeks begin on Monday. `also` are further metrics that stand beside; order and limit go
    by `metric`. `convert_to` gives all in that currency, each day's charges at the day's rate.
    """

    start: date
    end: date
    group_by: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    granularity: Granularity = "none"
    metric: Metric = "EffectiveCost"
    currency: str | None = None
    limit: int | None = None
    convert_to: str | None = None
    also: tuple[Metric, ...] = ()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Every metric that is asked for, once."""
        return tuple(dict.fromkeys((self.metric, *self.also)))

    def over(self, start: date, end: date) -> CostQuery:
        """The same question about other days."""
        return replace(self, start=start, end=end)

    @property
    def groups(self) -> tuple[str, ...]:
        """The columns to group by, once; the currency is one in any case."""
        return tuple(c for c in dict.fromkeys(self.group_by) if c != CURRENCY)


@dataclass(frozen=True)
class DateRange:
    """The first and the last day that any bill has a charge on, both included."""

    first: date
    last: date


@dataclass(frozen=True)
class DimensionValue:
    """One value of a dimension: currency → its cost, and how many bill rows it has."""

    value: str | None
    costs: dict[str, Decimal]
    rows: int


def costs(warehouse: Reader, q: CostQuery) -> pa.Table:
    """The costs asked for, ordered by period, then cost descending.

    Columns: period (date, the step's first day; when there is a granularity), each group_by column,
    BillingCurrency, the metrics (decimal128; null where no row states one), x_RowCount.
    Raises UnknownDimensionError for a group or filter that the cube does not have, MissingRateError.
    """
    summed, params = summed_sql(warehouse, q)
    periods = [] if q.granularity == "none" else ["period"]
    if q.limit is not None and q.groups:
        summed = top_sql(summed, q, periods, [*q.metrics, "x_RowCount"], quote(q.metric))
    order = ", ".join([*periods, f"{quote(q.metric)} DESC NULLS LAST", *map(quote, q.groups), CURRENCY])
    return fetch(warehouse, f"{summed} ORDER BY {order}", params)


def summed_sql(warehouse: Reader, q: CostQuery) -> tuple[str, list[object]]:
    """SQL of the costs of `q` in no order and without its limit, and its values; raises as `costs`."""
    allowed = dimensions(warehouse)
    check_columns(q.group_by, allowed)
    metrics = [_known(m) for m in q.metrics]
    chosen, params = _chosen(q, allowed)
    if q.convert_to is not None:
        rates_used(warehouse, q.convert_to, chosen, params)  # where one is missing, that is an error
        chosen, params = converted_sql(q.convert_to, metrics, chosen), [*params, *params]
    period = [] if q.granularity == "none" else [f"{first_day_sql(q.granularity, 'x_Day')} AS period"]
    sums = [f"sum({quote(m)}) AS {quote(m)}" for m in metrics]
    columns = [*period, *map(quote, q.groups), CURRENCY, *sums]
    return (
        f"SELECT {', '.join(columns)}, CAST(sum(x_RowCount) AS BIGINT) AS x_RowCount "
        f"FROM ({chosen}) GROUP BY ALL",
        params,
    )


def first_day_sql(granularity: Granularity, day: str) -> str:
    """SQL of the first day of the step that `day` is in."""
    if granularity not in GRANULARITIES[1:]:
        raise ValueError(f"{granularity!r} is no step of time. Allowed: {', '.join(GRANULARITIES[1:])}.")
    return f"CAST(date_trunc('{granularity}', {day}) AS DATE)"


def conversion(warehouse: Reader, q: CostQuery) -> list[Rate]:
    """The rates that the costs of `q` are converted by. Raises UnknownDimensionError, MissingRateError."""
    if q.convert_to is None:
        return []
    return rates_used(warehouse, q.convert_to, *_chosen(q, dimensions(warehouse)))


def totals(warehouse: Reader, q: CostQuery) -> pa.Table:
    """All four costs and x_RowCount of what `q` selects, one row a currency; groups and steps ignored.

    Raises UnknownDimensionError.
    """
    where, params = _where(q, dimensions(warehouse))
    sums = ", ".join(f"sum({c}) AS {c}" for c in COSTS)
    return fetch(
        warehouse,
        f"SELECT {CURRENCY}, {sums}, CAST(sum(x_RowCount) AS BIGINT) AS x_RowCount FROM daily_costs "
        f"WHERE {where} GROUP BY ALL ORDER BY {CURRENCY}",
        params,
    )


def dimension_values(
    warehouse: Reader,
    column: str,
    start: date,
    end: date,
    *,
    metric: Metric = "EffectiveCost",
    filters: tuple[Filter, ...] = (),
    currency: str | None = None,
) -> list[DimensionValue]:
    """The values that a dimension has from `start` to before `end`, the most expensive first.

    Raises UnknownDimensionError.
    """
    allowed = dimensions(warehouse)
    check_columns([column], allowed)
    cost = quote(_known(metric))
    where, params = _where(CostQuery(start, end, filters=filters, currency=currency), allowed)
    found = fetch(
        warehouse,
        f"SELECT {quote(column)} AS value, {CURRENCY} AS currency, coalesce(sum({cost}), 0) AS cost, "
        f"CAST(sum(x_RowCount) AS BIGINT) AS n FROM daily_costs WHERE {where} "
        "GROUP BY 1, 2 ORDER BY cost DESC, value",
        params,
    )
    by_value: dict[str | None, DimensionValue] = {}
    for row in found.to_pylist():
        known = by_value.get(row["value"], DimensionValue(row["value"], {}, 0))
        paid = known.costs | {row["currency"]: row["cost"]}
        by_value[row["value"]] = DimensionValue(row["value"], paid, known.rows + row["n"])
    return list(by_value.values())


def currencies(warehouse: Reader) -> tuple[str, ...]:
    """Every currency that any cost is in, in alphabetical order."""
    found = fetch(warehouse, f"SELECT DISTINCT {CURRENCY} FROM daily_costs ORDER BY ALL")
    return tuple(found[CURRENCY].to_pylist())


def date_range(warehouse: Reader) -> DateRange | None:
    """The days that there are costs of; None when there are none."""
    row = fetch(warehouse, "SELECT min(x_Day) AS first, max(x_Day) AS last FROM daily_costs").to_pylist()[0]
    return None if row["first"] is None else DateRange(row["first"], row["last"])


def top_sql(summed: str, q: CostQuery, periods: list[str], sums: list[str], size: str) -> str:
    """`summed` with the groups beyond the limit added up; the largest are those of most `size`, by currency.

    `sums` are the columns to add up. Joined by position: a group may be null.
    """
    groups = [quote(g) for g in q.groups]
    names = ", ".join(groups)
    same = " AND ".join(f"s.{g} IS NOT DISTINCT FROM r.{g}" for g in [*groups, CURRENCY])
    limit = int(q.limit or 0)
    shown = [f"CASE WHEN place <= {limit} THEN s.{g} ELSE {literal(OTHER)} END AS {g}" for g in groups]
    added = [
        f"CAST(sum({quote(c)}) AS BIGINT) AS {quote(c)}"
        if c.endswith("x_RowCount")
        else f"sum({quote(c)}) AS {quote(c)}"
        for c in sums
    ]
    return f"""
WITH summed AS ({summed}),
ranked AS (
    SELECT {names}, {CURRENCY}, row_number() OVER (
        PARTITION BY {CURRENCY} ORDER BY abs(sum({size})) DESC NULLS LAST, {names}
    ) AS place
    FROM summed GROUP BY {names}, {CURRENCY}
)
SELECT {", ".join([*periods, *shown])}, s.{CURRENCY}, {", ".join(added)}
FROM summed AS s JOIN ranked AS r ON {same}
GROUP BY ALL"""


def _chosen(q: CostQuery, allowed: dict[str, Dimension]) -> tuple[str, list[object]]:
    where, params = _where(q, allowed)
    return f"SELECT * FROM daily_costs WHERE {where}", params


def _where(q: CostQuery, allowed: dict[str, Dimension]) -> tuple[str, list[object]]:
    sql, values = conditions(q.filters, allowed)
    params: list[object] = [q.start, q.end, *values]
    if q.currency is not None:
        sql.append(f"{CURRENCY} = ?")
        params.append(q.currency)
    return " AND ".join(["x_Day >= ?", "x_Day < ?", *sql]), params


def _known(metric: str) -> str:
    """The metric, which becomes an identifier: never anything but one of the four."""
    if metric not in METRICS:
        raise ValueError(f"{metric!r} is not a cost. Allowed: {', '.join(METRICS)}.")
    return metric
