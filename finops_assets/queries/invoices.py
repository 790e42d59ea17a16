"""What each invoice comes to."""

from __future__ import annotations

import pyarrow as pa

from finops_assets.queries.access import Reader, fetch
from finops_assets.schema import MONTH, SOURCE


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
