"""What names a series, and the table of what the models see."""

from __future__ import annotations

from collections.abc import Sequence

from finops_assets.marts.sql import load_sql
from finops_assets.normalize.tables import tag_column
from finops_assets.schema import MONEY, Column, Table, literal, quote

LEVELS = (
    "total",
    "provider",
    "billing_account",
    "account",
    "service",
    "region",
    "tag",
    "account_service",
)
"""What a series adds up. The last level's series are the leaves: every charge is in exactly one of them,
so the levels before it are their sums; region and tag cut the same money another way."""

SERIES = (
    Column("series_id", "VARCHAR", "level|provider|account or region|service|metric|currency; tags by key."),
    Column("level", "VARCHAR", f"{', '.join(LEVELS[:-1])} or {LEVELS[-1]}."),
    Column("ServiceProviderName", "VARCHAR", "Null at levels total and tag."),
    Column("BillingAccountId", "VARCHAR", "Set at levels billing_account and account_service."),
    Column("SubAccountId", "VARCHAR", "Set at levels account and account_service."),
    Column("SubAccountName", "VARCHAR", "Set where SubAccountId is."),
    Column("ServiceName", "VARCHAR", "Set at levels service and account_service."),
    Column("RegionId", "VARCHAR", "Set at level region; null for what is of no region."),
    Column("tag_key", "VARCHAR", "One of the configured tag keys, at level tag."),
    Column("tag_value", "VARCHAR", "Its value; null for what has no such tag."),
    Column("metric", "VARCHAR", "BilledCost or EffectiveCost."),
    Column("BillingCurrency", "VARCHAR"),
)

COST_FEATURES = Table(
    name="cost_features",
    description="One series and day: what the models see. Days without a row in the bill are zeros.",
    columns=(
        *SERIES,
        Column("day", "DATE"),
        Column("cost", MONEY, "The day's cost."),
        Column("correction", MONEY, "What of it corrects an earlier bill (ChargeClass): no model learns it."),
        Column("is_complete", "BOOLEAN", "False for the last days of a bill that is still arriving."),
    ),
    order_by=("series_id", "day"),
)


def cost_features_sql(tag_keys: Sequence[str]) -> str:
    """SQL over `daily_costs` that gives `cost_features`, with a series for each value of these tag keys."""
    cuts = ["SELECT NULL::VARCHAR AS tag_key, NULL::VARCHAR AS tag_value, * FROM daily_costs WHERE false"]
    cuts += [
        f"SELECT {literal(key)} AS tag_key, {quote(tag_column(key))} AS tag_value, * FROM daily_costs"
        for key in tag_keys
    ]
    return f"WITH tagged AS ({' UNION ALL '.join(cuts)}) SELECT * FROM ({load_sql('cost_features')})"
