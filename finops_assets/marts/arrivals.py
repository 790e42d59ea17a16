"""How far each delivery of a month had come: what tells which of a bill's newest days are still arriving."""

from __future__ import annotations

from finops_assets.schema import BILL_KEYS, BY_BILL, MONEY, Column, Table

DELIVERED_DAYS = Table(
    name="delivered_days",
    description="What the usage of each day came to in each delivery of a month.",
    columns=(
        Column("bill_ids", "VARCHAR", "JSON list of the bills it was made of; see `bills`."),
        Column("exported_at", "TIMESTAMPTZ", "When the provider wrote the newest of them."),
        Column("ingested_at", "TIMESTAMPTZ", "When the newest of them was taken in."),
        Column("x_Day", "DATE"),
        Column("BillingCurrency", "VARCHAR"),
        Column("EffectiveCost", MONEY, "Of ChargeCategory 'Usage' only: fees may be dated ahead."),
        *BILL_KEYS,
    ),
    partition_by=BY_BILL,
    order_by=("ingested_at", "x_Day"),
)
