"""What `sources.aws.cost_explorer` writes of AWS Cost Explorer's answers.

Source: AWS Cost Management API reference, "GetCostAndUsage": costs by day, service and linked account.
"""

from __future__ import annotations

from finops_assets.normalize.format import Format, Kind, RawColumn

FORMATS: tuple[Format, ...] = (
    Format(
        name="aws_cost_explorer",
        title="AWS Cost Explorer",
        provider="AWS",
        columns=(
            RawColumn("PeriodStart", Kind.TIME, required=True),
            RawColumn("PeriodEnd", Kind.TIME, required=True),
            RawColumn("RecordClass", required=True),
            RawColumn("Service", required=True),
            RawColumn("LinkedAccount"),
            RawColumn("LinkedAccountName"),
            RawColumn("UnblendedCost", Kind.AMOUNT, required=True),
            RawColumn("AmortizedCost", Kind.AMOUNT, required=True),
            RawColumn("UsageQuantity", Kind.QUANTITY),
            RawColumn("UsageUnit"),
            RawColumn("Currency", Kind.CURRENCY, required=True),
            RawColumn("Estimated"),
        ),
        signature=frozenset(
            {"PeriodStart", "RecordClass", "LinkedAccount", "UnblendedCost", "AmortizedCost"}
        ),
        month="strftime(PeriodStart, '%Y-%m')",
        amount="UnblendedCost",
        currency="Currency",
    ),
)
