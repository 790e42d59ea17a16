"""FOCUS 1.4's other three datasets: Billing Period, Invoice Detail, Contract Commitment.

Where a source delivers one, it is as delivered; elsewhere it is made of the bill. What nobody states stays
null, and each row says which columns those are.
"""

from __future__ import annotations

from finops_assets.focus.columns import FocusColumn, columns
from finops_assets.marts.sql import load_sql
from finops_assets.schema import BILL_KEYS, BY_BILL, MONTH, Column, Table, literal, quote

_MADE = (
    Column("x_RowCount", "BIGINT", "How many rows of `costs` it is made of, or that name it."),
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


def dataset_sql(dataset: str, terms: str = NO_TERMS, *, delivered_for: str = "") -> str:
    """SQL over `costs`, `bills` and what `terms` reads: rows of one dataset, partition columns apart.

    `terms` is a format's `commitments_sql`. With `delivered_for`, the month 'YYYY-MM' that is made, the SQL
    also reads `delivered`, the raw rows of the dataset as the source delivers it.
    """
    table = DATASETS[dataset]
    made = load_sql(table.name)
    if delivered_for:
        made = _commitments(made, delivered_for) if table is CONTRACT_COMMITMENTS else _as_delivered(table)
    unstated = ", ".join(
        f"CASE WHEN {quote(c.name)} IS NULL THEN '{c.name}' END"
        for c in columns(dataset)
        if not c.nullable and c.level == "Mandatory"
    )
    return (
        f"WITH commitment_terms AS ({terms}) "
        f"SELECT * REPLACE (nullif(concat_ws(',', {unstated}), '') AS x_Unstated) FROM ("
        f"SELECT {_typed_nothing(table)} WHERE false UNION ALL BY NAME ({made}))"
    )


_SAME = {
    "billing_periods": ("InvoiceIssuerName", "BillingPeriodStart", "BillingPeriodEnd"),
    "invoice_details": ("InvoiceIssuerName", "InvoiceId", "InvoiceDetailId"),
}
"""What a delivered line and its charges have in common."""


def _as_delivered(table: Table) -> str:
    of_line = ", ".join(f"d.{quote(c.name)}" for c in _columns_of(table))
    same = " AND ".join(f"c.{quote(name)} = d.{quote(name)}" for name in _SAME[table.name])
    return (
        f"SELECT {of_line}, (SELECT count(*) FROM costs AS c WHERE {same}) AS x_RowCount FROM delivered AS d"
    )


def _commitments(made: str, month: str) -> str:
    """Commitments that charges name, with the terms of the newest list before what we make of the bill.

    What the list has besides stands in the month in which it was delivered.
    """
    names = [c.name for c in _columns_of(CONTRACT_COMMITMENTS) if c.name != "ContractCommitmentId"]
    stated = ", ".join(f"CASE WHEN n.{quote(name)} IS NOT NULL THEN '{name}' END" for name in names)
    merged = ", ".join(f"coalesce(n.{quote(name)}, m.{quote(name)}) AS {quote(name)}" for name in names)
    return f"""
WITH newest AS (
    SELECT * FROM delivered WHERE {MONTH} = (SELECT max({MONTH}) FROM delivered)
    QUALIFY row_number() OVER (
        PARTITION BY ContractCommitmentId
        ORDER BY ContractCommitmentLastUpdated DESC NULLS LAST, x_File DESC, x_RowNumber DESC
    ) = 1
),
made AS (SELECT * FROM (SELECT {_typed_nothing(CONTRACT_COMMITMENTS)} WHERE false) UNION ALL BY NAME ({made}))
SELECT ContractCommitmentId, {merged}, coalesce(m.x_RowCount, 0) AS x_RowCount,
    nullif(array_to_string(
        list_filter(string_split(m.x_Inferred, ','), lambda name: NOT list_contains([{stated}], name)), ','
    ), '') AS x_Inferred
FROM made AS m FULL JOIN newest AS n USING (ContractCommitmentId)
WHERE m.x_RowCount IS NOT NULL OR n.{MONTH} = {literal(month)}"""


def _columns_of(table: Table) -> tuple[FocusColumn, ...]:
    return next(columns(dataset) for dataset, t in DATASETS.items() if t is table)


def _typed_nothing(table: Table) -> str:
    return ", ".join(f"NULL::{c.type} AS {quote(c.name)}" for c in table.stored_columns())
