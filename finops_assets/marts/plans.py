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

ENDING_COMMITMENTS = Table(
    name="ending_commitments",
    description="What costs change by when a commitment ends: its usage returns to the on-demand price.",
    columns=(
        Column("ContractCommitmentId", "VARCHAR"),
        Column("ContractCommitmentType", "VARCHAR"),
        Column("ContractCommitmentDescription", "VARCHAR"),
        Column("ServiceProviderName", "VARCHAR"),
        Column("BillingAccountId", "VARCHAR", "With the next two, the leaf whose costs change."),
        Column("SubAccountId", "VARCHAR"),
        Column("ServiceName", "VARCHAR"),
        Column("BillingCurrency", "VARCHAR"),
        Column("metric", "VARCHAR", "BilledCost or EffectiveCost."),
        Column("first_day", "DATE", "The first day that it does not cover."),
        Column("renewed_by", "VARCHAR", "The commitment that takes its place; then nothing changes."),
        Column("day_of_month", "INTEGER", "Of a monthly fee that ceases: its day, 31 the last; else null."),
        Column("amount", MONEY, "Added to each day's cost from then on, or to each such day's."),
    ),
    order_by=("first_day", "ContractCommitmentId"),
)
