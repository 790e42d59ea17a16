"""How the bills keep the rules of FOCUS: rule by rule, and as one score a month."""

from __future__ import annotations

import pyarrow as pa

from finops_assets.queries.access import Reader, fetch
from finops_assets.schema import MONTH, SOURCE


def report(
    warehouse: Reader,
    source: str | None = None,
    month: str | None = None,
    rule: str | None = None,
    *,
    failed_only: bool = False,
) -> pa.Table:
    """A row a source, month, rule and currency, the costliest failures first.

    Columns: those of `conformance`, and failed_share (of the rows that the rule applies to) and cost_share
    (of the absolute cost of all rows of the currency), both DOUBLE, null where there is nothing to share.
    """
    return fetch(
        warehouse,
        f"""
SELECT *, failed / nullif(checked, 0) AS failed_share,
    CAST(failed_cost AS DOUBLE) / nullif(CAST(total_cost AS DOUBLE), 0) AS cost_share
FROM conformance
WHERE ($1 IS NULL OR {SOURCE} = $1) AND ($2 IS NULL OR {MONTH} = $2) AND ($3 IS NULL OR rule = $3)
    AND (NOT $4 OR failed > 0)
ORDER BY {MONTH} DESC, {SOURCE}, failed_cost DESC, failed DESC, level, rule, BillingCurrency
""",
        (source, month, rule, failed_only),
    )


def scores(warehouse: Reader, source: str | None = None, month: str | None = None) -> pa.Table:
    """A row a source and month, the newest month first.

    Columns: x_Source, x_BillingMonth, focus_version, rules (that apply to a row at least), broken_must and
    broken_should (rules of each level with a failure), checked and failed (row by rule, MUST only), score:
    the share of these that hold, DOUBLE from 0 to 1.
    """
    return fetch(
        warehouse,
        f"""
SELECT {SOURCE}, {MONTH},
    -- That of the bill; of a month without one, of what came.
    coalesce(max(focus_version) FILTER (NOT contains(rule, '.')), max(focus_version)) AS focus_version,
    count(DISTINCT rule) FILTER (checked > 0) AS rules,
    count(DISTINCT rule) FILTER (failed > 0 AND level = 'MUST') AS broken_must,
    count(DISTINCT rule) FILTER (failed > 0 AND level = 'SHOULD') AS broken_should,
    CAST(sum(checked) FILTER (level = 'MUST') AS BIGINT) AS checked,
    CAST(sum(failed) FILTER (level = 'MUST') AS BIGINT) AS failed,
    1 - sum(failed) FILTER (level = 'MUST') / nullif(sum(checked) FILTER (level = 'MUST'), 0) AS score
FROM conformance
WHERE ($1 IS NULL OR {SOURCE} = $1) AND ($2 IS NULL OR {MONTH} = $2)
GROUP BY ALL
ORDER BY {MONTH} DESC, {SOURCE}
""",
        (source, month),
    )
