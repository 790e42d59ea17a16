"""What `sources.azure.query` writes of the Cost Management Query API's answers.

Source: Azure REST API reference, Cost Management, "Query - Usage": actual and amortized costs by day and
by the dimensions asked for, one row each.
"""

from __future__ import annotations

from finops_assets.normalize.format import Format, Kind, RawColumn

FORMATS: tuple[Format, ...] = (
    Format(
        name="azure_query",
        title="Azure Cost Management Query API",
        provider="Azure",
        columns=(
            RawColumn("CostType", required=True),
            RawColumn("UsageDate", Kind.TIME, required=True),
            RawColumn("SubscriptionId"),
            RawColumn("SubscriptionName"),
            RawColumn("ResourceGroupName"),
            RawColumn("ServiceName"),
            RawColumn("ResourceLocation"),
            RawColumn("ChargeType", required=True),
            RawColumn("PricingModel"),
            RawColumn("PublisherType"),
            RawColumn("Cost", Kind.AMOUNT, required=True),
            RawColumn("Currency", Kind.CURRENCY, required=True),
        ),
        signature=frozenset({"CostType", "UsageDate", "ServiceName", "ChargeType", "Cost", "Currency"}),
        month="strftime(UsageDate, '%Y-%m')",
        # The bill is what was charged; the amortized rows say again what it was worth.
        amount="CASE WHEN CostType = 'ActualCost' THEN Cost ELSE 0 END",
        currency="Currency",
    ),
)
