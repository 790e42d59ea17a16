"""FOCUS 1.4's other three datasets: Billing Period, Invoice Detail, Contract Commitment.

No provider delivers them yet. What a bill does not state stays null, and each row says which columns those
are.
"""

from __future__ import annotations

from finops_assets.focus.columns import columns
from finops_assets.marts.sql import load_sql
from finops_assets.schema import BILL_KEYS, BY_BILL, Column, Table, quote

_MADE = (
    Column("x_RowCount", "BIGINT", "How many rows of `costs` it is made of."),
    Column("x_Inferred", "VARCHAR", "Columns the bill did not state and we inferred, comma separated."),
    Column(
        "x_Unstated", "VARCHAR", "Columns that FOCUS wants filled and the bill says nothing of, likewise."
    ),
)


def _table(name: str, dataset: str, description: str, order_by: tuple[str, ...]) -> Table:
    focus = tuple(
        Column(c.name, c.sql_type, f"FOCUS {c.since}, {c.level.lower()}, {c.category.lower()}.")
        for c in columns(dataset)
    )
    return Table(name, description, (*focus, *_MADE, *BILL_KEYS), BY_BILL, order_by)


BILLING_PERIODS = _table(
    "billing_periods",
    "BillingPeriod",
    "FOCUS 1.4 Billing Period: whether a month of an issuer is still open.",
    ("InvoiceIssuerName", "BillingPeriodStart"),
)
INVOICE_DETAILS = _table(
    "invoice_details",
    "InvoiceDetail",
    "FOCUS 1.4 Invoice Detail: what an invoice says, a line a billing account and charge category.",
    ("InvoiceId", "BillingAccountId", "ChargeCategory"),
)
CONTRACT_COMMITMENTS = _table(
    "contract_commitments",
    "ContractCommitment",
    "FOCUS 1.4 Contract Commitment: what was committed to, for how long and how it is paid.",
    ("ContractCommitmentId",),
)
DATASETS = {
    "BillingPeriod": BILLING_PERIODS,
    "InvoiceDetail": INVOICE_DETAILS,
    "ContractCommitment": CONTRACT_COMMITMENTS,
}


NO_TERMS = (
    "SELECT NULL::VARCHAR AS CommitmentDiscountId, NULL::TIMESTAMPTZ AS PeriodStart, "
    "NULL::TIMESTAMPTZ AS PeriodEnd, NULL::VARCHAR AS PaymentModel, NULL::VARCHAR AS FulfillmentInterval "
    "WHERE false"
)
"""What a bill tells of its commitments' terms whose format has no word of them."""


def dataset_sql(dataset: str, terms: str = NO_TERMS) -> str:
    """SQL over `costs`, `bills` and what `terms` reads: rows of one dataset, partition columns apart.

    `terms` is a format's `commitments_sql`.
    """
    table = DATASETS[dataset]
    nothing = ", ".join(f"NULL::{c.type} AS {quote(c.name)}" for c in table.stored_columns())
    unstated = ", ".join(
        f"CASE WHEN {quote(c.name)} IS NULL THEN '{c.name}' END"
        for c in columns(dataset)
        if not c.nullable and c.level == "Mandatory"
    )
    return (
        f"WITH commitment_terms AS ({terms}) "
        f"SELECT * REPLACE (nullif(concat_ws(',', {unstated}), '') AS x_Unstated) FROM ("
        f"SELECT {nothing} WHERE false UNION ALL BY NAME ({load_sql(table.name)}))"
    )
