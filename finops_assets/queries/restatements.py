"""What later deliveries of a month changed, and which of it no correction accounts for."""

from __future__ import annotations

import pyarrow as pa

from finops_assets.marts.restatements import CLOSED_AFTER_DAYS
from finops_assets.queries.access import Reader, fetch
from finops_assets.schema import MONTH, SOURCE

__all__ = ["CLOSED_AFTER_DAYS", "changes", "restatements"]

_OF = f"($1 IS NULL OR {SOURCE} = $1) AND ($2 IS NULL OR {MONTH} = $2)"
_ORDER = f"{MONTH} DESC, {SOURCE}, state DESC, BillingCurrency"


def restatements(warehouse: Reader, source: str | None = None, month: str | None = None) -> pa.Table:
    """A row a restatement and currency, the newest month and the latest restatement first.

    Columns: x_Source, x_BillingMonth, state (these three name the restatement), bills_before, bills_after
    (JSON lists), exported_before, exported_after, ingested_before, ingested_after, was_closed,
    BillingCurrency, billed_before, billed_after, billed_change, effective_before, effective_after,
    effective_change: of the services and accounts that changed; changed and uncorrected: how many of these
    there are, and how many changed after the month was closed without corrections that add up to it;
    uncorrected_billed and uncorrected_effective: what the corrections leave of the change in these.
    """
    sums = ", ".join(
        f"sum({cost}_{what}) AS {cost}_{what}"
        for cost in ("billed", "effective")
        for what in ("before", "after", "change")
    )
    return fetch(
        warehouse,
        f"""
SELECT {SOURCE}, {MONTH}, state, bills_before, bills_after, exported_before, exported_after,
    ingested_before, ingested_after, was_closed, BillingCurrency, {sums},
    count(*) AS changed, CAST(count_if(uncorrected) AS BIGINT) AS uncorrected,
    coalesce(sum(billed_change - correction_billed) FILTER (uncorrected), 0) AS uncorrected_billed,
    coalesce(sum(effective_change - correction_effective) FILTER (uncorrected), 0) AS uncorrected_effective
FROM restatements WHERE {_OF} GROUP BY ALL ORDER BY {_ORDER}
""",
        (source, month),
    )


def changes(warehouse: Reader, source: str | None = None, month: str | None = None) -> pa.Table:
    """A row a restatement, service, account and currency, the largest change first in each.

    Columns: those of `restatements`; money is decimal128.
    """
    return fetch(
        warehouse,
        f"""
SELECT * FROM restatements WHERE {_OF}
ORDER BY {_ORDER}, abs(billed_change) DESC, abs(effective_change) DESC, ServiceName, SubAccountId
""",
        (source, month),
    )
