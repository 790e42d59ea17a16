"""What a series is, and the columns that name one in every table made of series."""

from __future__ import annotations

from finops_assets.schema import Column

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

SERIES_COLUMNS = tuple(column.name for column in SERIES)
"""Their names."""
