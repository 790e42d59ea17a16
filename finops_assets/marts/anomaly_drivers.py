"""The SQL of what an event is made of, by dimension and by cause; its dimensions depend on the tag keys.

Every query here reads `anomalies` (cost_anomalies), `anomaly_days` (anomaly_days.sql) and one table of costs,
of which it takes the days from $1 to before $2. Each gives the columns of `anomaly_drivers`, and what an
event's rows of one dimension contribute sums exactly to its impact.
"""

from __future__ import annotations

from collections.abc import Sequence

from finops_assets.marts.sql import load_sql
from finops_assets.normalize.tables import tag_column
from finops_assets.schema import literal, quote

CAUSE = "cause"
"""The dimension that names where an event comes from."""

_FIXED_BY = {
    "ServiceProviderName": "a.level NOT IN ('total', 'tag')",
    "SubAccountName": "a.level IN ('account', 'account_service')",
    "ServiceName": "a.level IN ('service', 'account_service')",
}
"""Dimensions that a series itself fixes: when they say nothing of its event."""

_SCOPE_COLUMNS = ("ServiceProviderName", "BillingAccountId", "SubAccountId", "ServiceName", "RegionId")
_OF_SERIES = "of_series_"
"""Columns by which a row is of a series are called so, beside those it is split by."""


def scope_columns(tag_keys: Sequence[str]) -> str:
    """The columns by which a row of costs is of a series or not, to be selected from any table of costs."""
    columns = (*_SCOPE_COLUMNS, *(tag_column(k) for k in tag_keys))
    return ", ".join(f"{quote(c)} AS {quote(_OF_SERIES + c)}" for c in columns)


def scope_condition(tag_keys: Sequence[str]) -> str:
    """The condition that row `c` (with `scope_columns`) is of the day and series of `d`, of anomaly_days."""

    def same(column: str) -> str:
        return f"c.{quote(_OF_SERIES + column)} IS NOT DISTINCT FROM d.{quote(column)}"

    tags = " ".join(f"WHEN {literal(k)} THEN c.{quote(_OF_SERIES + tag_column(k))}" for k in tag_keys)
    tagged = f"CASE d.tag_key {tags} END IS NOT DISTINCT FROM d.tag_value" if tag_keys else "false"
    return f"""c.day = d.day
    AND c.BillingCurrency IS NOT DISTINCT FROM d.BillingCurrency
    AND CASE d.level
        WHEN 'total' THEN true
        WHEN 'tag' THEN {tagged}
        ELSE {same("ServiceProviderName")}
            AND (d.level NOT IN ('billing_account', 'account_service') OR {same("BillingAccountId")})
            AND (d.level NOT IN ('account', 'account_service') OR {same("SubAccountId")})
            AND (d.level NOT IN ('service', 'account_service') OR {same("ServiceName")})
            AND (d.level <> 'region' OR {same("RegionId")})
    END"""


def effects_sql(tag_keys: Sequence[str]) -> str:
    """anomaly_effects.sql, with what makes a row one of a series filled in."""
    sql = load_sql("anomaly_effects")
    return sql.replace("/* scope columns */", scope_columns(tag_keys)).replace(
        "/* scope */", scope_condition(tag_keys)
    )


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


def splits_sql(relation: str, dimensions: Sequence[str], tag_keys: Sequence[str]) -> str:
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
leaves AS ({_leaves(relation, dimensions, tag_keys)}),
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


def cause_leaves_sql(dimensions: Sequence[str], tag_keys: Sequence[str], most: int) -> str:
    """SQL of the table in which an event's cause is looked for: its largest leaves, `most` at most.

    Columns: anomaly_id, the dimensions, expected and actual (DOUBLE).
    """
    return f"""
SELECT * REPLACE (actual::DOUBLE AS actual)
FROM ({_leaves("daily_costs", dimensions, tag_keys)})
WHERE expected <> 0 OR actual <> 0
QUALIFY row_number() OVER (
    PARTITION BY anomaly_id
    ORDER BY greatest(abs(expected), abs(actual)) DESC, {", ".join(quote(d) for d in dimensions)}
) <= {int(most)}
"""


def causes_sql(dimensions: Sequence[str], tag_keys: Sequence[str]) -> str:
    """SQL that adds up what each of `causes` contributes, and '(elsewhere)' the rest of the impact.

    Reads `causes` besides: anomaly_id, place (1 is the first), value (its name) and the dimensions, null
    where the cause takes any. A leaf that two causes hold belongs to the first.
    """
    held = " AND ".join(f"(k.{quote(d)} IS NULL OR k.{quote(d)} = l.{quote(d)})" for d in dimensions)
    groups = ", ".join(f"l.{quote(d)}" for d in dimensions)
    return f"""
WITH
leaves AS ({_leaves("daily_costs", dimensions, tag_keys)}),
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


def _leaves(relation: str, dimensions: Sequence[str], tag_keys: Sequence[str]) -> str:
    """What the events' scopes cost by these dimensions: `expected` (DOUBLE) and `actual` (exact)."""
    day = "x_Day" if relation == "daily_costs" else "CAST(ChargePeriodStart AS DATE)"
    when = "x_Day" if relation == "daily_costs" else "ChargePeriodStart"
    bound = "DATE" if relation == "daily_costs" else "DATE::TIMESTAMPTZ"
    # An account without a name goes by its number; a missing value has a name of its own.
    account = "coalesce(SubAccountName, SubAccountId)"
    columns = {d: account if d == "SubAccountName" else quote(d) for d in dimensions}
    cost = "CASE d.metric WHEN 'BilledCost' THEN c.BilledCost ELSE c.EffectiveCost END"
    split = ", ".join(f"coalesce({sql}, '(none)') AS {quote(d)}" for d, sql in columns.items())
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
        {scope_columns(tag_keys)},
        {split},
        coalesce(sum(BilledCost), 0) AS BilledCost,
        coalesce(sum(EffectiveCost), 0) AS EffectiveCost
    FROM {quote(relation)}
    WHERE {when} >= $1::{bound} AND {when} < $2::{bound}
    GROUP BY ALL
) AS c ON {scope_condition(tag_keys)}
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
