"""The resources behind a figure: below the cube, whose finest grain is a service in an account."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from finops_assets.queries.access import Reader, fetch, pinned
from finops_assets.queries.rows import RowQuery, filterable_columns, where_of
from finops_assets.schema import MONEY, quote

RESOURCE = "ResourceId"


@dataclass(frozen=True)
class Resources:
    """The costliest resources of a figure, and what all others come to, so that both add up to it."""

    table: pa.Table
    """ResourceId (null: charges of no resource), ResourceName, ResourceType, the metric, x_RowCount."""
    others: int
    other_cost: Decimal
    other_rows: int


def resources(warehouse: Reader, q: RowQuery) -> Resources:
    """The `q.limit` resources with the largest costs in `q`; its cursor is ignored, its currency is needed.

    Raises UnknownDimensionError, and ValueError without a currency: amounts of two are never ranked together.
    """
    if q.currency is None:
        raise ValueError("resources are ranked in one currency: none was given")
    cost = f"sum(coalesce({quote(q.metric)}, 0)::{MONEY})"
    with pinned(warehouse) as held:
        where, params = where_of(q, filterable_columns(held))
        found = fetch(
            held,
            f"""
WITH ranked AS (
    SELECT {RESOURCE}, max(ResourceName) AS ResourceName, max(ResourceType) AS ResourceType,
        {cost} AS {quote(q.metric)}, count(*) AS x_RowCount,
        row_number() OVER (ORDER BY abs({cost}) DESC, {RESOURCE}) <= ? AS shown
    FROM costs WHERE {where} GROUP BY {RESOURCE}
)
SELECT shown, if(shown, {RESOURCE}, NULL) AS {RESOURCE}, if(shown, ResourceName, NULL) AS ResourceName,
    if(shown, ResourceType, NULL) AS ResourceType, sum({quote(q.metric)})::{MONEY} AS {quote(q.metric)},
    sum(x_RowCount)::BIGINT AS x_RowCount, count(*) AS resources
FROM ranked GROUP BY ALL
ORDER BY shown DESC, {quote(q.metric)} DESC, {RESOURCE}
""",
            [q.limit, *params],
        )
    shown = found.filter(found["shown"])
    rest = found.filter(pc.invert(found["shown"])).to_pylist()
    return Resources(
        table=shown.select([RESOURCE, "ResourceName", "ResourceType", q.metric, "x_RowCount"]),
        others=rest[0]["resources"] if rest else 0,
        other_cost=rest[0][q.metric] if rest else Decimal(0),
        other_rows=rest[0]["x_RowCount"] if rest else 0,
    )
