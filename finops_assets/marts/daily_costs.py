"""The SQL of the daily cube, whose dimensions depend on the promoted tag keys."""

from __future__ import annotations

from collections.abc import Sequence

from finops_assets.marts.tables import COSTS, CUBE_DIMENSIONS
from finops_assets.normalize.tables import tag_column
from finops_assets.schema import quote


def daily_costs_sql(tag_keys: Sequence[str]) -> str:
    """SQL over `costs` giving one partition of `daily_costs`, partition columns left out."""
    tags = [quote(tag_column(k)) for k in tag_keys]
    dimensions = [
        *(quote(d) for d in CUBE_DIMENSIONS),
        *tags,
        "ConsumedUnit",
        "PricingUnit",
        "BillingCurrency",
    ]
    sums = [f"sum({c}) AS {c}" for c in (*COSTS, "ConsumedQuantity", "PricingQuantity")]
    return (
        f"SELECT CAST(ChargePeriodStart AS DATE) AS x_Day, {', '.join(dimensions)}, "
        f"{', '.join(sums)}, count(*) AS x_RowCount FROM costs GROUP BY ALL"
    )
