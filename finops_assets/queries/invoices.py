"""What each invoice comes to, and how that compares to the amounts that are given for it."""

from __future__ import annotations

import pyarrow as pa

from finops_assets.marts.control_totals import (
    KNOWN_CAUSES,
    LEFT_OUT,
    NO_BILL,
    NO_CHARGES,
    NOT_FINAL,
    ROUNDING,
    UNEXPLAINED,
)
from finops_assets.queries.access import Reader, fetch
from finops_assets.schema import MONTH, SOURCE

SAYS = {
    **{c: f"The bill's {c} come to that: the amount leaves out {c}." for c in LEFT_OUT},
    "tax": "The bill's tax rows come to that: the amount leaves out tax.",
    "marketplace": "Rows of other sellers come to that: the amount leaves out the marketplace.",
    ROUNDING: "What comes of rounding the bill's rows or lines before they are added up.",
    NOT_FINAL: "The bill is not final: invoice numbers or days of the month are still to come.",
    NO_CHARGES: "The bill has no charge of this invoice in this currency.",
    NO_BILL: "No bill of this month is in force.",
    UNEXPLAINED: "Unexplained: compare the invoice's lines to the bill's rows.",
}
"""What each likely cause of a residual means."""


OF_INVOICE = (SOURCE, MONTH, "InvoiceId", "BillingCurrency")
"""What the rows of an invoice have in common."""


def invoices(warehouse: Reader, source: str | None = None, month: str | None = None) -> pa.Table:
    """A row a source, month, invoice and currency: the newest month first, what has no number last.

    Columns: those of `invoices`; money is decimal128.
    """
    return fetch(
        warehouse,
        f"""
SELECT * FROM invoices WHERE ($1 IS NULL OR {SOURCE} = $1) AND ($2 IS NULL OR {MONTH} = $2)
ORDER BY {MONTH} DESC, {SOURCE}, InvoiceId NULLS LAST, BillingCurrency
""",
        (source, month),
    )


def control_totals(warehouse: Reader, source: str | None = None, month: str | None = None) -> pa.Table:
    """A row an amount that was given: those that differ first, then the newest month.

    Columns: those of `control_totals`, says (the cause in words) and is_explained (false where the cause
    says no more than that something is wrong); both null where there is no residual. Money is decimal128.
    """
    return fetch(
        warehouse,
        f"""
SELECT c.*, w.says, list_contains($5, c.cause) AS is_explained
FROM control_totals AS c
LEFT JOIN (SELECT unnest($3) AS cause, unnest($4) AS says) AS w USING (cause)
WHERE ($1 IS NULL OR {SOURCE} = $1) AND ($2 IS NULL OR {MONTH} = $2)
ORDER BY passed, {MONTH} DESC, {SOURCE}, InvoiceId NULLS FIRST, BillingCurrency
""",
        (source, month, list(SAYS), list(SAYS.values()), sorted(KNOWN_CAUSES)),
    )
