"""The table of what people know of the costs to come."""

from __future__ import annotations

from finops_assets.schema import MONEY, Column, Table

PLANNED_CHANGES = Table(
    name="planned_changes",
    description="A change of costs that someone marked: the forecast moves with it, from its first day on.",
    columns=(
        Column("plan_id", "VARCHAR", "finops-toml-<n> where the file marks it."),
        Column("kind", "VARCHAR", "launch, change, end, one_off or credit_end."),
        Column("first_day", "DATE"),
        Column("last_day", "DATE", "Null: it stays."),
        Column("ServiceProviderName", "VARCHAR", "Null: of all providers."),
        Column("BillingAccountId", "VARCHAR", "Null: of all of them; so are the next two."),
        Column("SubAccountId", "VARCHAR"),
        Column("ServiceName", "VARCHAR"),
        Column("metric", "VARCHAR", "BilledCost or EffectiveCost; null: of both."),
        Column("amount", MONEY, "Added to each day's cost; null where it is a percentage."),
        Column("percent", MONEY, "Of what a day costs without it; -100 is an end of all."),
        Column("BillingCurrency", "VARCHAR", "The amount's; null for a percentage of every currency."),
        Column("note", "VARCHAR", "Why, in words; may be empty."),
        Column("origin", "VARCHAR", "finops.toml or api."),
        Column("author", "VARCHAR", "Who marked it; empty where nobody signed."),
        Column("said_at", "TIMESTAMPTZ", "Null where the file marks it."),
    ),
    order_by=("first_day", "plan_id"),
)
