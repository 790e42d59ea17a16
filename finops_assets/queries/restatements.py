"""What later deliveries of a month changed, and which of it no correction accounts for."""

from __future__ import annotations

import pyarrow as pa

from finops_assets.marts.restatements import CLOSED_AFTER_DAYS
from finops_assets.queries.access import Reader, fetch
from finops_assets.schema import MONTH, SOURCE, quote

__all__ = ["CLOSED_AFTER_DAYS", "PLACE", "changes", "restatements"]

_OF = f"($1 IS NULL OR {SOURCE} = $1) AND ($2 IS NULL OR {MONTH} = $2)"
PLACE = (SOURCE, MONTH, "ServiceProviderName", "ServiceName", "SubAccountId", "BillingCurrency")
"""What a change is of."""
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

    Columns: those of `restatements`, first_day and last_day (DATE) of the rows that `billed_after` and
    `effective_after` add up, null where these are none or another delivery took their place; money is
    decimal128.
    """
    same = " AND ".join(f"c.{quote(name)} IS NOT DISTINCT FROM r.{quote(name)}" for name in PLACE)
    return fetch(
        warehouse,
        f"""
SELECT r.*, c.first_day, c.last_day
FROM restatements AS r
LEFT JOIN (
    SELECT {", ".join(quote(name) for name in PLACE)}, min(x_Day) AS first_day, max(x_Day) AS last_day,
        sum(BilledCost) AS billed, sum(EffectiveCost) AS effective
    FROM daily_costs WHERE {_OF} GROUP BY ALL
) AS c ON {same} AND coalesce(c.billed, 0) = r.billed_after AND coalesce(c.effective, 0) = r.effective_after
WHERE {_OF.replace(SOURCE, f"r.{SOURCE}").replace(MONTH, f"r.{MONTH}")}
ORDER BY {_ORDER}, abs(billed_change) DESC, abs(effective_change) DESC, ServiceName, SubAccountId
""",
        (source, month),
    )
