"""The SQL that adds each stage up and holds it against what the accepted bills say."""

from __future__ import annotations

from collections.abc import Sequence

from finops_assets.marts.tables import COSTS
from finops_assets.normalize.format import Format
from finops_assets.schema import MONEY, MONTH, SOURCE, literal, quote

STAGES = ("raw", "costs", "daily_costs")

_EXPECTED = f"""
SELECT bill_id, format, "rows", total->>'metric' AS metric, total->>'currency' AS currency,
       CAST(total->>'amount' AS {MONEY}) AS amount
FROM bills, unnest(CAST(CAST(control_totals AS JSON) AS JSON[])) AS t(total)
WHERE status = 'accepted'
"""


def outcomes_sql(stage: str, formats: Sequence[Format]) -> str:
    """SQL over `bills` and the stage's relation(s), giving rows of `quality` without partition columns.

    The relation is `costs` or `daily_costs`, or one `raw_<format>` for each of `formats`. A metric's
    expected total is its bill's; its found total is that of the whole source and month, in which
    bills that share a month (actual and amortized) each state another metric. A currency that only
    one side has is a residual too.
    """
    found = _raw_totals(formats) if stage == "raw" else _stage_totals(stage)
    totals = f"""
SELECT coalesce(e.bill_id, m.bill_id) AS bill_id, 'control_total' AS check_name,
       {literal(stage)} AS stage, coalesce(e.metric, f.metric) AS metric,
       coalesce(e.currency, f.currency) AS BillingCurrency,
       coalesce(e.amount, 0) AS expected, coalesce(f.amount, 0) AS found
FROM (SELECT bill_id, metric, currency, amount FROM expected) AS e
FULL JOIN (SELECT * FROM found WHERE metric IN (SELECT metric FROM expected)) AS f
  ON e.metric = f.metric AND e.currency = f.currency
LEFT JOIN (SELECT metric, min(bill_id) AS bill_id FROM expected GROUP BY metric) AS m
  ON m.metric = f.metric"""
    counted = _row_counts(stage, formats)
    return f"""
WITH expected AS ({_EXPECTED}), found AS ({found}), counted AS ({counted}),
outcome AS ({totals} UNION ALL BY NAME SELECT * FROM counted)
SELECT bill_id, check_name, stage, metric, BillingCurrency,
       CAST(expected AS {MONEY}) AS expected, CAST(found AS {MONEY}) AS found,
       CAST(found - expected AS {MONEY}) AS residual, found = expected AS passed
FROM outcome"""


def published_sql() -> str:
    """SQL over a whole published file, giving rows of `quality`: its `costs` and `daily_costs` against its
    accepted `bills`, by source, month, metric and currency.

    A cost that no bill states is held in the cube against `costs`. Where one side has nothing, it is zero.
    """
    bill = f"{SOURCE}, {MONTH}"
    keys = f"{bill}, metric, BillingCurrency"
    totals = " UNION ALL BY NAME ".join(
        f"SELECT {literal(stage)} AS stage, {SOURCE}, {MONTH}, BillingCurrency, "
        + ", ".join(f"coalesce(sum({cost}), 0) AS {cost}" for cost in COSTS)
        + f" FROM {stage} GROUP BY ALL"
        for stage in ("costs", "daily_costs")
    )
    return f"""
WITH bill AS (
    SELECT bill_id, {bill}, total->>'metric' AS metric, total->>'currency' AS BillingCurrency,
        CAST(total->>'amount' AS {MONEY}) AS amount
    FROM bills, unnest(CAST(CAST(control_totals AS JSON) AS JSON[])) AS t(total)
    WHERE status = 'accepted'
),
stated AS (SELECT {keys}, min(bill_id) AS bill_id, sum(amount) AS amount FROM bill GROUP BY ALL),
found AS MATERIALIZED (UNPIVOT ({totals}) ON {", ".join(COSTS)} INTO NAME metric VALUE amount),
expected AS (
    SELECT 'costs' AS stage, * FROM stated
    UNION ALL BY NAME
    SELECT 'daily_costs' AS stage, * FROM stated
    UNION ALL BY NAME
    SELECT * REPLACE ('daily_costs' AS stage) FROM found
    WHERE stage = 'costs' AND ({bill}, metric) NOT IN (SELECT ({bill}, metric) FROM stated)
),
-- Of `costs` only what a bill states can be held; rows of a month without any bill belong to none.
held AS (
    SELECT * FROM found
    WHERE stage = 'daily_costs' OR ({bill}, metric) IN (SELECT ({bill}, metric) FROM stated)
        OR (metric = 'BilledCost' AND ({bill}) NOT IN (SELECT ({bill}) FROM stated))
)
SELECT coalesce(e.bill_id, b.bill_id) AS bill_id, 'control_total' AS check_name,
    'published ' || stage AS stage, metric, BillingCurrency,
    CAST(coalesce(e.amount, 0) AS {MONEY}) AS expected, CAST(coalesce(h.amount, 0) AS {MONEY}) AS found,
    CAST(coalesce(h.amount, 0) - coalesce(e.amount, 0) AS {MONEY}) AS residual,
    coalesce(h.amount, 0) = coalesce(e.amount, 0) AS passed, {bill}
FROM expected AS e FULL JOIN held AS h USING (stage, {keys})
LEFT JOIN (SELECT {bill}, min(bill_id) AS bill_id FROM stated GROUP BY ALL) AS b USING ({bill})"""


def _stage_totals(stage: str) -> str:
    return " UNION ALL ".join(
        f"SELECT {literal(metric)} AS metric, BillingCurrency AS currency, sum({metric}) AS amount "
        f"FROM {stage} GROUP BY BillingCurrency"
        for metric in ("BilledCost", "EffectiveCost")
    )


def _raw_totals(formats: Sequence[Format]) -> str:
    return " UNION ALL ".join(
        f"SELECT {literal(f.metric)} AS metric, {quote(f.currency)} AS currency, sum({f.amount}) AS amount "
        f"FROM raw_{f.name} GROUP BY {quote(f.currency)}"
        for f in formats
    )


def _row_counts(stage: str, formats: Sequence[Format]) -> str:
    """Raw rows against the bill's; the cube's rows against `costs`; a normalization may split rows."""
    if stage == "raw":
        return " UNION ALL ".join(
            f"SELECT b.bill_id, 'row_count' AS check_name, 'raw' AS stage, b.\"rows\" AS expected, "
            f"(SELECT count(*) FROM raw_{f.name}) AS found FROM bills AS b "
            f"WHERE b.status = 'accepted' AND b.format = {literal(f.name)}"
            for f in formats
        )
    if stage == "daily_costs":
        return (
            "SELECT (SELECT min(bill_id) FROM expected) AS bill_id, 'row_count' AS check_name, "
            "'daily_costs' AS stage, (SELECT count(*) FROM costs) AS expected, "
            "(SELECT coalesce(sum(x_RowCount), 0) FROM daily_costs) AS found"
        )
    return (
        "SELECT (SELECT min(bill_id) FROM expected) AS bill_id, 'rows_of_accepted_bills' AS check_name, "
        "'costs' AS stage, 0 AS expected, (SELECT count(*) FROM costs WHERE x_BillId NOT IN "
        "(SELECT bill_id FROM bills WHERE status = 'accepted')) AS found"
    )
