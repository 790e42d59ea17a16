"""What names a series, and the table of what the models see."""

from __future__ import annotations

from finops_assets.schema import MONEY, Column, Table

SERIES = (
    Column("series_id", "VARCHAR", "level|provider|account|service|metric|currency."),
    Column("level", "VARCHAR", "total, provider, account or service."),
    Column("ServiceProviderName", "VARCHAR", "Null at level total."),
    Column("SubAccountId", "VARCHAR", "Set at level account only."),
    Column("SubAccountName", "VARCHAR", "Set at level account only."),
    Column("ServiceName", "VARCHAR", "Set at level service only."),
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
        Column("is_complete", "BOOLEAN", "False for the last days of a bill that is still arriving."),
        Column("weekday", "INTEGER", "1 Monday … 7 Sunday."),
        Column("day_of_month", "INTEGER"),
        Column("days_in_month", "INTEGER"),
        Column("lag_1", MONEY, "Cost a day before."),
        Column("lag_7", MONEY, "Cost a week before."),
        Column("lag_28", MONEY, "Cost four weeks before."),
        Column("mean_28", MONEY, "Mean of the 28 days before."),
    ),
    order_by=("series_id", "day"),
)
