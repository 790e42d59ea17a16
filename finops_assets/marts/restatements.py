"""The ledger of what each delivery of a month came to, and the restatements that it tells of."""

from __future__ import annotations

from finops_assets.schema import BILL_KEYS, BY_BILL, MONEY, Column, Table

CLOSED_AFTER_DAYS = 15
"""A month is closed when its bill may not change any more. No bill says so of itself: providers finalize
theirs within two weeks after the billing period ends (AWS takes longest), and correct it after that with rows
of ChargeClass 'Correction'."""

_BY = (
    Column("ServiceProviderName", "VARCHAR"),
    Column("ServiceName", "VARCHAR"),
    Column("SubAccountId", "VARCHAR"),
    Column("SubAccountName", "VARCHAR", "What the account is called in the later delivery."),
    Column("BillingCurrency", "VARCHAR"),
)

DELIVERED_COSTS = Table(
    name="delivered_costs",
    description="What each delivery of a month came to by service and account: as first made, and as last.",
    columns=(
        Column("state", "BIGINT", "Counts the states of the month's costs, from 1."),
        Column("bill_ids", "VARCHAR", "JSON list of the bills it was made of; see `bills`."),
        Column("exported_at", "TIMESTAMPTZ", "When the provider wrote the newest of them."),
        Column("ingested_at", "TIMESTAMPTZ", "When the newest of them was taken in."),
        *_BY,
        Column("BilledCost", MONEY),
        Column("EffectiveCost", MONEY),
        Column("CorrectionBilledCost", MONEY, "BilledCost of the rows of ChargeClass 'Correction'."),
        Column("CorrectionEffectiveCost", MONEY, "EffectiveCost of the same."),
        Column("x_RowCount", "BIGINT", "How many rows of `costs`."),
        *BILL_KEYS,
    ),
    partition_by=BY_BILL,
    order_by=("state", "ServiceName", "SubAccountId"),
)

RESTATEMENTS = Table(
    name="restatements",
    description="What a later delivery of a month changed in one service and account.",
    columns=(
        Column(
            "state", "BIGINT", "Names the restatement within its source and month; later ones are higher."
        ),
        Column("bills_before", "VARCHAR", "JSON list of the bills that were in force."),
        Column("bills_after", "VARCHAR", "JSON list of the bills that replaced them."),
        Column("exported_before", "TIMESTAMPTZ", "When the provider wrote the earlier delivery."),
        Column("exported_after", "TIMESTAMPTZ", "When it wrote the later one."),
        Column("ingested_before", "TIMESTAMPTZ", "When the earlier delivery was taken in."),
        Column("ingested_after", "TIMESTAMPTZ", "When the later one was."),
        *_BY,
        Column("billed_before", MONEY, "BilledCost of the earlier delivery."),
        Column("billed_after", MONEY, "BilledCost of the later one."),
        Column("billed_change", MONEY, "billed_after - billed_before."),
        Column("effective_before", MONEY, "EffectiveCost of the earlier delivery."),
        Column("effective_after", MONEY, "EffectiveCost of the later one."),
        Column("effective_change", MONEY, "effective_after - effective_before."),
        Column("rows_before", "BIGINT"),
        Column("rows_after", "BIGINT"),
        Column(
            "correction_billed", MONEY, "What of billed_change rows of ChargeClass 'Correction' account for."
        ),
        Column("correction_effective", MONEY, "What of effective_change they account for."),
        Column("was_closed", "BOOLEAN", f"Written over {CLOSED_AFTER_DAYS} days after the month ended."),
        Column("uncorrected", "BOOLEAN", "was_closed, and corrections do not add up to a change."),
        *BILL_KEYS,
    ),
    partition_by=BY_BILL,
    order_by=("state", "ServiceName", "SubAccountId"),
)
