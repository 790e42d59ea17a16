"""The SQL of what an event is made of, by dimension and by cause; its dimensions depend on the tag keys.

Every query here reads `anomalies` (cost_anomalies), `anomaly_days` (anomaly_days.sql) and one table of costs,
of which it takes the days from $1 to before $2. Each gives the columns of `anomaly_drivers`, and what an
event's rows of one dimension contribute sums exactly to its impact.
"""

from __future__ import annotations

from collections.abc import Sequence

from finops_assets.normalize.tables import tag_column
from finops_assets.schema import literal, quote

CAUSE = "cause"
"""The dimension that names where an event comes from."""

_FIXED_BY = {
    "ServiceProviderName": "a.level <> 'total'",
    "SubAccountName": "a.level = 'account'",
    "ServiceName": "a.level = 'service'",
}
"""Dimensions that a series itself fixes: when they say nothing of its event."""

_SCOPE = """c.day = d.day
    AND c.BillingCurrency IS NOT DISTINCT FROM d.BillingCurrency
    AND (d.level = 'total' OR c.ServiceProviderName = d.ServiceProviderName)
    AND (d.level <> 'account' OR c.SubAccountId = d.SubAccountId)
    AND (d.level <> 'service' OR c.ServiceName = d.ServiceName)"""

# Averages of past days are estimates: they are stored in cents, and the differences stay exact. By way of two
# decimals: a DOUBLE cast straight to eighteen brings its binary tail along.
_CENTS = "CAST(CAST(sum(expected) AS DECIMAL(22, 2)) AS DECIMAL(38, 18))"


def daily_dimensions(tag_keys: Sequence[str]) -> tuple[str, ...]:
    """The dimensions of `daily_costs` that an event is split by."""
    tags = (tag_column(k) for k in tag_keys)
    return (*_FIXED_BY, "RegionId", "ChargeCategory", "SkuMeter", *tags)


def cause_dimensions(tag_keys: Sequence[str]) -> tuple[str, ...]:
    """The dimensions among which a cause is looked for, the most telling first."""
    first_tag = (tag_column(k) for k in tag_keys[:1])
    places = ("ServiceName", "SubAccountName", "RegionId", "SkuMeter")
    return (*places, *first_tag, "ServiceProviderName", "ChargeCategory")


def splits_sql(relation: str, dimensions: Sequence[str]) -> str:
    """SQL that splits every event by these columns of `relation`, daily_costs or costs.

    What the expectations of days before do not share with the series' own, robust one stands in the row
    '(unexplained)'; values beyond the ten largest are added up in '(other)'. A dimension is left out where
    the series itself fixes it, and where no row of the event has a value of it.
    """
    names = ", ".join(f"({literal(d)})" for d in dimensions)
    fixed = " ".join(f"WHEN {literal(d)} THEN {sql}" for d, sql in _FIXED_BY.items())
    value = " ".join(f"WHEN {literal(d)} THEN l.{quote(d)}" for d in dimensions)
    return f"""
WITH
leaves AS ({_leaves(relation, dimensions)}),
wanted AS (
    SELECT a.anomaly_id, d.dimension
    FROM anomalies AS a
    CROSS JOIN (VALUES {names}) AS d (dimension)
    WHERE NOT CASE d.dimension {fixed} ELSE false END
),
summed AS (
    SELECT
        l.anomaly_id,
        w.dimension,
        CASE w.dimension {value} END AS value,
        {_CENTS} AS expected,
        sum(l.actual) AS actual
    FROM leaves AS l
    JOIN wanted AS w USING (anomaly_id)
    GROUP BY ALL
    HAVING expected <> 0 OR actual <> 0
),
ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY anomaly_id, dimension ORDER BY abs(actual - expected) DESC, value
        ) AS place
    FROM summed
    QUALIFY bool_or(value <> '(none)') OVER (PARTITION BY anomaly_id, dimension)
),
named AS (
    SELECT anomaly_id, dimension, value, expected, actual, 1 AS block, place
    FROM ranked
    WHERE place <= 10
    UNION ALL
    SELECT anomaly_id, dimension, '(other)', sum(expected), sum(actual), 2, 0
    FROM ranked
    WHERE place > 10
    GROUP BY ALL
){_with_rest("(unexplained)")}"""


def cause_leaves_sql(dimensions: Sequence[str], most: int) -> str:
    """SQL of the table in which an event's cause is looked for: its largest leaves, `most` at most.

    Columns: anomaly_id, the dimensions, expected and actual (DOUBLE).
    """
    return f"""
SELECT * REPLACE (actual::DOUBLE AS actual)
FROM ({_leaves("daily_costs", dimensions)})
WHERE expected <> 0 OR actual <> 0
QUALIFY row_number() OVER (
    PARTITION BY anomaly_id
    ORDER BY greatest(abs(expected), abs(actual)) DESC, {", ".join(quote(d) for d in dimensions)}
) <= {int(most)}
"""


def causes_sql(dimensions: Sequence[str]) -> str:
    """SQL that adds up what each of `causes` contributes, and '(elsewhere)' the rest of the impact.

    Reads `causes` besides: anomaly_id, place (1 is the first), value (its name) and the dimensions, null
    where the cause takes any. A leaf that two causes hold belongs to the first.
    """
    held = " AND ".join(f"(k.{quote(d)} IS NULL OR k.{quote(d)} = l.{quote(d)})" for d in dimensions)
    groups = ", ".join(f"l.{quote(d)}" for d in dimensions)
    return f"""
WITH
leaves AS ({_leaves("daily_costs", dimensions)}),
first_cause AS (
    SELECT l.anomaly_id, min(k.place) AS place, any_value(l.expected) AS expected,
        any_value(l.actual) AS actual
    FROM leaves AS l
    JOIN causes AS k ON k.anomaly_id = l.anomaly_id AND {held}
    GROUP BY l.anomaly_id, {groups}
),
named AS (
    SELECT anomaly_id, {literal(CAUSE)} AS dimension, any_value(k.value) AS value, {_CENTS} AS expected,
        sum(f.actual) AS actual, 1 AS block, place
    FROM first_cause AS f
    JOIN causes AS k USING (anomaly_id, place)
    GROUP BY anomaly_id, place
){_with_rest("(elsewhere)")}"""


def _leaves(relation: str, dimensions: Sequence[str]) -> str:
    """What the events' scopes cost by these dimensions: `expected` (DOUBLE) and `actual` (exact)."""
    day = "x_Day" if relation == "daily_costs" else "CAST(ChargePeriodStart AS DATE)"
    when = "x_Day" if relation == "daily_costs" else "ChargePeriodStart"
    bound = "DATE" if relation == "daily_costs" else "DATE::TIMESTAMPTZ"
    # An account without a name goes by its number; a missing value has a name of its own.
    account = "coalesce(SubAccountName, SubAccountId)"
    columns = {d: account if d == "SubAccountName" else quote(d) for d in dimensions}
    cost = "CASE d.metric WHEN 'BilledCost' THEN c.BilledCost ELSE c.EffectiveCost END"
    scope = [d for d in ("ServiceProviderName", "ServiceName") if d not in columns]
    return f"""
SELECT
    d.anomaly_id,
    {", ".join(f"c.{quote(d)}" for d in dimensions)},
    coalesce(sum({cost}::DOUBLE * d.weight) FILTER (WHERE NOT d.is_event), 0) AS expected,
    coalesce(sum({cost}) FILTER (WHERE d.is_event), 0) AS actual
FROM anomaly_days AS d
JOIN (
    SELECT
        {day} AS day,
        BillingCurrency,
        SubAccountId,
        {", ".join([*scope, *(f"coalesce({sql}, '(none)') AS {quote(d)}" for d, sql in columns.items())])},
        coalesce(sum(BilledCost), 0) AS BilledCost,
        coalesce(sum(EffectiveCost), 0) AS EffectiveCost
    FROM {quote(relation)}
    WHERE {when} >= $1::{bound} AND {when} < $2::{bound}
    GROUP BY ALL
) AS c ON {_SCOPE}
GROUP BY ALL"""


def _with_rest(rest: str) -> str:
    """The end of a query: `named` and what is left of each event's own figures, ranked."""
    return f""",
complete AS (
    SELECT * FROM named
    UNION ALL
    SELECT anomaly_id, s.dimension, {literal(rest)}, a.expected - s.expected, a.actual - s.actual, 3, 0
    FROM (
        SELECT anomaly_id, dimension, sum(expected) AS expected, sum(actual) AS actual FROM named GROUP BY ALL
    ) AS s
    JOIN anomalies AS a USING (anomaly_id)
    WHERE a.expected <> s.expected OR a.actual <> s.actual
)
SELECT
    anomaly_id,
    dimension,
    value,
    expected,
    actual,
    actual - expected AS contribution,
    -- The sums come last: they name no cause.
    row_number() OVER (PARTITION BY anomaly_id, dimension ORDER BY block, place) AS rank
FROM complete"""
