"""The bill rows behind a figure, and one of them as the provider delivered it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

from finops_assets.queries.access import Reader, fetch, pinned, stream
from finops_assets.queries.costs import METRICS, Metric
from finops_assets.queries.dimensions import CURRENCY, Filter, columns_of, conditions
from finops_assets.schema import MONEY, MONTH, SOURCE, quote


class RowNotFoundError(LookupError):
    """No delivered row is called that; the text says which part is unknown."""


@dataclass(frozen=True)
class RowCursor:
    """Where a page ended: the last row's sort key, and how many rows with that very key were given.

    A delivered line can become several rows (usage and its credits), so a key may repeat.
    """

    cost: Decimal
    source: str
    month: str
    bill_id: str
    file: str
    row_number: int
    given: int


@dataclass(frozen=True)
class RowQuery:
    """The rows behind the figure that a CostQuery with the same fields gives. `limit` rows a page."""

    start: date
    end: date
    filters: tuple[Filter, ...] = ()
    metric: Metric = "EffectiveCost"
    currency: str | None = None
    after: RowCursor | None = None
    limit: int = 100


@dataclass(frozen=True)
class RowPage:
    """A page of rows, where the next one begins (None at the end), and what all pages hold together.

    `totals` and `row_counts` are by currency.
    """

    rows: pa.Table
    next_cursor: RowCursor | None
    total_rows: int
    totals: dict[str, Decimal]
    row_counts: dict[str, int]


_KEYS = (SOURCE, MONTH, "x_BillId", "x_File", "x_RowNumber")

_TIES = ("ChargeCategory", "ChargeDescription", "BilledCost", "EffectiveCost", "ListCost", "SkuId")
"""Order among rows that one delivered line became."""


def filterable_columns(warehouse: Reader) -> tuple[str, ...]:
    """The columns of `costs` that rows can be filtered by: every text column, so the cube's and more."""
    return columns_of(warehouse, "costs", "VARCHAR")


def cost_rows(warehouse: Reader, q: RowQuery) -> RowPage:
    """One page of the rows of `costs`, every column, the most expensive first.

    The totals are those of all pages: the metric by currency, null counted as nothing.
    Raises UnknownDimensionError for a filter on a column that `costs` does not have as text.
    """
    if q.metric not in METRICS:
        raise ValueError(f"{q.metric!r} is not a cost. Allowed: {', '.join(METRICS)}.")
    with pinned(warehouse) as held:
        where, params = where_of(q, filterable_columns(held))
        cost = f"coalesce({quote(q.metric)}, 0)::{MONEY}"
        summed = fetch(
            held,
            f"SELECT {CURRENCY} AS currency, sum({cost}) AS cost, count(*) AS n FROM costs WHERE {where} "
            "GROUP BY 1 ORDER BY 1",
            params,
        ).to_pylist()
        rows = _page(held, q, where, params, cost)
    more = rows.num_rows > q.limit
    rows = rows.slice(0, q.limit)
    return RowPage(
        rows=rows,
        next_cursor=_cursor(rows, q) if more else None,
        total_rows=sum(s["n"] for s in summed),
        totals={s["currency"]: s["cost"] for s in summed},
        row_counts={s["currency"]: s["n"] for s in summed},
    )


@contextmanager
def every_row(warehouse: Reader, q: RowQuery) -> Iterator[pa.RecordBatchReader]:
    """All rows of `q` as batches, in no order; `after` and `limit` ignored.

    Raises UnknownDimensionError.
    """
    where, params = where_of(q, filterable_columns(warehouse))
    with stream(warehouse, f"SELECT * FROM costs WHERE {where}", params) as batches:
        yield batches


def files_behind(warehouse: Reader, q: RowQuery) -> pa.Table:
    """The delivered files that the rows of `q` came in, the costliest first; `after` and `limit` ignored.

    Columns: x_BillId, x_File, BillingCurrency, cost (decimal128), rows (BIGINT), exported_at and ingested_at
    (TIMESTAMPTZ) of the bill. Raises UnknownDimensionError.
    """
    with pinned(warehouse) as held:
        where, params = where_of(q, filterable_columns(held))
        return fetch(
            held,
            f"""
SELECT x_BillId, x_File, {CURRENCY}, sum(coalesce({quote(q.metric)}, 0)::{MONEY}) AS cost,
    count(*) AS "rows", any_value(exported_at) AS exported_at, any_value(ingested_at) AS ingested_at
FROM (SELECT * FROM costs WHERE {where}) LEFT JOIN (
    SELECT bill_id AS x_BillId, exported_at, ingested_at FROM bills
) USING (x_BillId)
GROUP BY ALL ORDER BY {CURRENCY}, cost DESC, x_BillId, x_File
""",
            params,
        )


def native_row(warehouse: Reader, bill_id: str, file: str, row_number: int) -> dict[str, Any]:
    """A row of raw_<format> as delivered, column → value. Raises RowNotFoundError.

    A bill's id says where its rows are: source/month/format/fingerprint.
    """
    found: list[dict[str, Any]] = []
    match bill_id.split("/"):
        case [source, month, form, _]:
            with pinned(warehouse) as held:
                if columns_of(held, f"raw_{form}"):
                    found = fetch(
                        held,
                        f"SELECT * FROM {quote(f'raw_{form}')} WHERE {SOURCE} = ? AND {MONTH} = ? "
                        "AND x_BillId = ? AND x_File = ? AND x_RowNumber = ?",
                        (source, month, bill_id, file, row_number),
                    ).to_pylist()
    if not found:
        # One text whatever is missing: whether a bill is there is not for everybody to know.
        raise RowNotFoundError(
            f"There is no row {row_number} of {file!r} of bill {bill_id!r} in force; a later delivery may "
            "have replaced it."
        )
    return dict(found[0])


def where_of(q: RowQuery, allowed: tuple[str, ...]) -> tuple[str, list[object]]:
    """The condition that selects the rows of `q`, and its bound values. Raises UnknownDimensionError."""
    sql, values = conditions(q.filters, allowed)
    params: list[object] = [q.start, q.end, *values]
    if q.currency is not None:
        sql.append(f"{CURRENCY} = ?")
        params.append(q.currency)
    bounds = ["ChargePeriodStart >= ?::DATE::TIMESTAMPTZ", "ChargePeriodStart < ?::DATE::TIMESTAMPTZ"]
    return " AND ".join([*bounds, *sql]), params


def _page(held: Reader, q: RowQuery, where: str, params: list[object], cost: str) -> pa.Table:
    order = ", ".join([f"{cost} DESC", *_KEYS, *_TIES])
    skipped = 0
    if q.after is not None:
        at = q.after
        where += f" AND (-{cost}, {', '.join(_KEYS)}) >= (?::{MONEY}, ?, ?, ?, ?, ?)"
        params = [*params, str(-at.cost), at.source, at.month, at.bill_id, at.file, at.row_number]
        skipped = at.given
    return fetch(
        held,
        f"SELECT * FROM costs WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?",
        [*params, q.limit + 1, skipped],
    )


def _cursor(rows: pa.Table, q: RowQuery) -> RowCursor:
    keys = rows.select([q.metric, *_KEYS]).to_pylist()
    last = keys[-1]
    same = 0
    for key in reversed(keys):
        if key != last:
            break
        same += 1
    cursor = RowCursor(
        cost=last[q.metric] or Decimal(0),
        source=last[SOURCE],
        month=last[MONTH],
        bill_id=last["x_BillId"],
        file=last["x_File"],
        row_number=last["x_RowNumber"],
        given=same,
    )
    # A key that fills the whole page began on the page before.
    began_before = q.after is not None and same == len(keys) and _key(cursor) == _key(q.after)
    if began_before and q.after is not None:
        return RowCursor(*_key(cursor), given=same + q.after.given)
    return cursor


def _key(c: RowCursor) -> tuple[Decimal, str, str, str, str, int]:
    return (c.cost, c.source, c.month, c.bill_id, c.file, c.row_number)
