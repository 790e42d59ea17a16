"""The tables after `costs`: the daily cube, exchange rates and the checks' outcomes."""

from __future__ import annotations

from collections.abc import Sequence

from finops_assets.normalize.tables import tag_column
from finops_assets.schema import BILL_KEYS, BY_BILL, MONEY, QUANTITY, Column, Table

COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
"""The four costs of FOCUS."""

CUBE_DIMENSIONS = (
    "ServiceProviderName",
    "InvoiceIssuerName",
    "BillingAccountId",
    "BillingAccountName",
    "SubAccountId",
    "SubAccountName",
    "ServiceCategory",
    "ServiceSubcategory",
    "ServiceName",
    "RegionId",
    "RegionName",
    "ChargeCategory",
    "ChargeClass",
    "ChargeFrequency",
    "PricingCategory",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "SkuMeter",
    "x_ResourceGroupName",
)
"""FOCUS columns by which the daily cube can be asked, besides day, source, month, tags and currency."""


def daily_costs_table(tag_keys: Sequence[str]) -> Table:
    """`daily_costs` for these promoted tag keys."""
    return Table(
        name="daily_costs",
        description="Costs by day and every dimension that is asked for often.",
        columns=(
            Column("x_Day", "DATE", "The UTC day on which the charge period starts."),
            *(Column(d, "VARCHAR") for d in CUBE_DIMENSIONS),
            *(Column(tag_column(k), "VARCHAR", f"The value of tag {k}.") for k in tag_keys),
            Column("ConsumedUnit", "VARCHAR"),
            Column("PricingUnit", "VARCHAR"),
            Column("BillingCurrency", "VARCHAR"),
            *(Column(c, MONEY) for c in COSTS),
            Column("ConsumedQuantity", QUANTITY),
            Column("PricingQuantity", QUANTITY),
            Column("x_RowCount", "BIGINT", "How many rows of `costs` this row sums."),
            *BILL_KEYS,
        ),
        partition_by=BY_BILL,
        order_by=("x_Day", "ServiceName", "SubAccountId"),
    )


EXCHANGE_RATES = Table(
    name="exchange_rates",
    description="What one euro cost in each currency, day by day; empty where no rates are configured.",
    columns=(
        Column("rate_day", "DATE", "The day that the rate was set for; none at weekends and holidays."),
        Column("currency", "VARCHAR", "ISO 4217 code."),
        Column("rate", MONEY, "Units of the currency for one euro."),
        Column("rate_source", "VARCHAR", "Where the rate was read: an address, or a file's name."),
    ),
    order_by=("currency", "rate_day"),
)

QUALITY = Table(
    name="quality",
    description="One check's outcome for one bill.",
    columns=(
        Column("bill_id", "VARCHAR"),
        Column("check_name", "VARCHAR", "control_total or row_count."),
        Column("stage", "VARCHAR", "raw, costs or daily_costs; what is published, in published_quality."),
        Column("metric", "VARCHAR", "The cost that was added up; null for row_count."),
        Column("BillingCurrency", "VARCHAR"),
        Column("expected", MONEY, "What the bill says."),
        Column("found", MONEY, "What the stage holds."),
        Column("residual", MONEY, "found - expected."),
        Column("passed", "BOOLEAN"),
        *BILL_KEYS,
    ),
    partition_by=BY_BILL,
    order_by=("bill_id", "stage", "check_name", "metric"),
)
