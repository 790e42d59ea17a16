"""What was delivered, how fresh each source is, and how every stage adds up to the bills."""

from __future__ import annotations

from typing import Literal, TypeAlias

import pyarrow as pa

from finops_assets.normalize.formats import IS_OF_BILL
from finops_assets.queries.access import Reader, fetch
from finops_assets.schema import MONTH, SOURCE

BillStatus: TypeAlias = Literal["accepted", "quarantined", "superseded"]

LATE_DAYS = 4
"""Providers restate and deliver daily, up to two days behind; more than four days is late."""


def bills(
    warehouse: Reader,
    source: str | None = None,
    month: str | None = None,
    status: BillStatus | None = None,
    *,
    charges_only: bool = False,
) -> pa.Table:
    """Deliveries, the newest month and the newest delivery first. Columns: those of `bills`.

    With `charges_only`, those of bills: without FOCUS's other datasets.
    """
    return fetch(
        warehouse,
        f"""
SELECT * FROM bills
WHERE ($1 IS NULL OR {SOURCE} = $1) AND ($2 IS NULL OR {MONTH} = $2) AND ($3 IS NULL OR status = $3)
    AND (NOT $4 OR {IS_OF_BILL})
ORDER BY {MONTH} DESC, ingested_at DESC, exported_at DESC, {SOURCE}, bill_id
""",
        (source, month, status, charges_only),
    )


def freshness(warehouse: Reader) -> pa.Table:
    """How fresh each source is: a row a source that ever delivered, by name.

    Columns: x_Source, months (with a bill in force), first_month, last_month, last_bill_id, exported_at
    and ingested_at (of the newest bill in force), newest_day (the last day with usage, as fees may be
    dated ahead), rows, quarantined (months whose newest delivery was refused), status. Status is
    'empty' (nothing in force), 'quarantined' (a month's newest delivery was refused), 'late' (the newest
    day lies more than LATE_DAYS before the publication) or 'fresh'.
    """
    return fetch(
        warehouse,
        f"""
WITH newest AS (
    SELECT {SOURCE}, {MONTH}, arg_max(status, (ingested_at, exported_at)) AS status
    FROM bills WHERE status <> 'superseded' AND {IS_OF_BILL} GROUP BY ALL
),
delivered AS (
    SELECT {SOURCE},
        count(DISTINCT {MONTH}) FILTER (WHERE status = 'accepted') AS months,
        min({MONTH}) FILTER (WHERE status = 'accepted') AS first_month,
        max({MONTH}) FILTER (WHERE status = 'accepted') AS last_month,
        arg_max(bill_id, ({MONTH}, ingested_at, exported_at))
            FILTER (WHERE status = 'accepted') AS last_bill_id,
        max(exported_at) FILTER (WHERE status = 'accepted') AS exported_at,
        max(ingested_at) FILTER (WHERE status = 'accepted') AS ingested_at,
        CAST(coalesce(sum("rows") FILTER (WHERE status = 'accepted'), 0) AS BIGINT) AS "rows"
    FROM bills WHERE {IS_OF_BILL} GROUP BY ALL
),
refused AS (
    SELECT {SOURCE}, count(*) FILTER (WHERE status = 'quarantined') AS quarantined FROM newest GROUP BY ALL
),
days AS (
    SELECT {SOURCE}, coalesce(max(x_Day) FILTER (WHERE ChargeCategory = 'Usage'), max(x_Day)) AS newest_day
    FROM daily_costs GROUP BY ALL
),
published AS (SELECT CAST(max(published_at) AS DATE) AS today FROM snapshot)
SELECT d.{SOURCE}, d.months, d.first_month, d.last_month, d.last_bill_id, d.exported_at, d.ingested_at,
    n.newest_day, d."rows", coalesce(r.quarantined, 0) AS quarantined,
    CASE
        WHEN d.months = 0 THEN 'empty'
        WHEN r.quarantined > 0 THEN 'quarantined'
        WHEN n.newest_day IS NULL OR n.newest_day < today - {LATE_DAYS} THEN 'late'
        ELSE 'fresh'
    END AS status
FROM delivered AS d
LEFT JOIN refused AS r USING ({SOURCE})
LEFT JOIN days AS n USING ({SOURCE})
CROSS JOIN published
ORDER BY d.{SOURCE}
""",
    )


def reconciliation(warehouse: Reader) -> pa.Table:
    """Every check's outcome, failed ones first; those of the published file itself too.

    Columns: those of `quality`; money is decimal128.
    """
    return fetch(
        warehouse,
        "SELECT * FROM (SELECT * FROM quality UNION ALL BY NAME SELECT * FROM published_quality) "
        f"ORDER BY passed, {MONTH} DESC, {SOURCE}, stage, check_name, metric",
    )
