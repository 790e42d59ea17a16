"""FOCUS's other datasets as they are delivered: Billing Period, Invoice Detail, Contract Commitment.

Their rows are kept as they came and held against the bill (`marts/datasets.py`); none of them is a charge.
"""

from __future__ import annotations

from finops_assets.focus.columns import columns
from finops_assets.normalize.focus import FOCUS_NULL_TEXTS, focus_column
from finops_assets.normalize.format import Format

_OF_PERIOD = "strftime(BillingPeriodStart, '%Y-%m')"


def _format(
    name: str,
    title: str,
    dataset: str,
    *,
    signature: frozenset[str],
    required: frozenset[str],
    month: str = "",
) -> Format:
    return Format(
        name=name,
        title=title,
        provider="FOCUS",
        dataset=dataset,
        columns=tuple(focus_column(c, required=c.name in required) for c in columns(dataset)),
        signature=signature,
        month=month,
        null_texts=FOCUS_NULL_TEXTS,
    )


FORMATS: tuple[Format, ...] = (
    _format(
        "focus_billing_period",
        "FOCUS 1.4 Billing Period",
        "BillingPeriod",
        signature=frozenset({"BillingPeriodEnd", "BillingPeriodStart", "BillingPeriodStatus"}),
        required=frozenset({"BillingPeriodEnd", "BillingPeriodStart"}),
        month=_OF_PERIOD,
    ),
    _format(
        "focus_invoice_detail",
        "FOCUS 1.4 Invoice Detail",
        "InvoiceDetail",
        signature=frozenset({"BilledCost", "InvoiceDetailId", "InvoiceId", "InvoiceIssueStatus"}),
        required=frozenset({"BilledCost", "BillingCurrency", "BillingPeriodStart"}),
        month=_OF_PERIOD,
    ),
    # A list of what is in force, as of the day that it was written: of no month.
    _format(
        "focus_contract_commitment",
        "FOCUS 1.3-1.4 Contract Commitment",
        "ContractCommitment",
        signature=frozenset({"ContractCommitmentId", "ContractCommitmentPeriodStart", "ContractId"}),
        required=frozenset({"ContractCommitmentId"}),
    ),
)
