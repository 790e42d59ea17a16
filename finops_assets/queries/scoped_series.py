"""Series as somebody with a scope sees them.

A series whose money lies wholly inside the scope is seen as it is. Of a total, provider, account or service
that the scope holds a part of, the part is seen: the sum of the leaves (billing account × account × service)
that lie inside, where these hold all that the scope takes of it. Anything else would be a figure that the
costs beside it do not add up to.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from finops_assets.normalize.tables import tag_column
from finops_assets.schema import MONEY, literal, quote

IS_WHOLE = "series_id IN (SELECT series_id FROM whole_series)"
"""SQL over rows of a series: whether its money lies wholly inside the scope."""

PART = "Sum of its parts"
"""What stands as the model of a forecast that was added up for a scope."""

_PROVIDER, _PAYER, _ACCOUNT, _SERVICE, _REGION = (
    "ServiceProviderName",
    "BillingAccountId",
    "SubAccountId",
    "ServiceName",
    "RegionId",
)
_LEAF = (_PROVIDER, _PAYER, _ACCOUNT, _SERVICE)
_NAMES = (*_LEAF, _REGION)
_ABOVE: dict[str, tuple[str, ...]] = {
    "total": (),
    "provider": (_PROVIDER,),
    "billing_account": (_PROVIDER, _PAYER),
    "account": (_PROVIDER, _ACCOUNT),
    "service": (_PROVIDER, _SERVICE),
}
"""Levels that are sums of leaves, and what names a series of each."""

_TAG = tag_column("")


def build(
    connection: duckdb.DuckDBPyConnection, published: str, inside: str, columns: Collection[str]
) -> None:
    """Make `whole_series` and `parts` in the database in use. `inside` is SQL over daily_costs.

    whole_series: series_id. parts: leaf_id, and the names of a series above it that is a sum for this scope.
    """
    tags = [c for c in columns if c.startswith(_TAG)]
    for sql in (_cells_sql(published, inside, tags), _whole_sql(published, tags), _parts_sql(published)):
        connection.execute(sql)
    connection.execute("DROP TABLE cells")


def _cells_sql(published: str, inside: str, tags: Collection[str]) -> str:
    """The cube without its days: which of its cells lie in the scope, wholly or at all."""
    keys = ", ".join(quote(c) for c in (*_NAMES, *tags, "BillingCurrency"))
    return f"""
CREATE TABLE cells AS
SELECT {keys}, bool_and({inside}) AS is_inside, bool_or({inside}) AS is_touched
FROM {published}.daily_costs GROUP BY ALL"""


def _whole_sql(published: str, tags: Collection[str]) -> str:
    levels = {**_ABOVE, "region": (_PROVIDER, _REGION), "account_service": _LEAF}
    groups = [_group(level, {n: quote(n) for n in names}) for level, names in levels.items()]
    groups += [_group("tag", {"tag_key": literal(c.removeprefix(_TAG)), "tag_value": quote(c)}) for c in tags]
    names = (*_NAMES, "tag_key", "tag_value", "BillingCurrency")
    same = " AND ".join(f"s.{n} IS NOT DISTINCT FROM g.{n}" for n in ("level", *names))
    return f"""
CREATE TABLE whole_series AS
WITH groups AS ({" UNION ALL ".join(groups)}),
series AS (SELECT DISTINCT series_id, level, {", ".join(names)} FROM {published}.cost_features)
SELECT s.series_id FROM series AS s LEFT JOIN groups AS g ON {same}
GROUP BY s.series_id HAVING bool_and(coalesce(g.is_inside, false))"""


def _group(level: str, named: dict[str, str]) -> str:
    names = (*_NAMES, "tag_key", "tag_value")
    columns = ", ".join(f"{named.get(n, 'NULL::VARCHAR')} AS {n}" for n in names)
    return (
        f"SELECT {literal(level)} AS level, {columns}, BillingCurrency, bool_and(is_inside) AS is_inside "
        "FROM cells GROUP BY ALL"
    )


def _parts_sql(published: str) -> str:
    levels = []
    for level, names in _ABOVE.items():
        columns = ", ".join(f"{n if n in names else 'NULL::VARCHAR'} AS {n}" for n in _LEAF)
        levels.append(
            f"SELECT {literal(level)} AS level, {columns}, * EXCLUDE ({', '.join(_LEAF)}) FROM leaves"
        )
    same = " AND ".join(f"l.{n} IS NOT DISTINCT FROM c.{n}" for n in (*_LEAF, "BillingCurrency"))
    above = (*_LEAF, "BillingCurrency", "metric", "level")
    # A charge without an account or service belongs to no series of that level.
    without = {n: [literal(level) for level, names in _ABOVE.items() if n not in names] for n in _LEAF}
    named = " AND ".join(f"({n} IS NOT NULL OR level IN ({', '.join(w)}))" for n, w in without.items())
    return f"""
CREATE TABLE parts AS
WITH seen AS (
    SELECT {", ".join((*_LEAF, "BillingCurrency"))}, bool_and(is_inside) AS is_whole
    FROM cells GROUP BY ALL HAVING bool_or(is_touched)
),
known AS (
    SELECT DISTINCT series_id, {", ".join(_LEAF)}, metric, BillingCurrency
    FROM {published}.cost_features WHERE level = 'account_service'
),
names AS (
    SELECT ServiceProviderName, SubAccountId, any_value(SubAccountName) AS SubAccountName
    FROM {published}.cost_features WHERE level = 'account' GROUP BY ALL
),
leaves AS (
    SELECT l.series_id AS leaf_id, {", ".join(f"c.{n}" for n in _LEAF)}, c.BillingCurrency, l.metric,
        c.is_whole
    FROM seen AS c JOIN known AS l ON {same}
),
above AS ({" UNION ALL ".join(levels)}),
summed AS (
    SELECT *, bool_and(is_whole) OVER (PARTITION BY {", ".join(above)}) AS holds_all FROM above WHERE {named}
)
SELECT s.leaf_id,
    concat_ws('|', level, coalesce(s.ServiceProviderName, ''),
        CASE level WHEN 'billing_account' THEN s.BillingAccountId ELSE coalesce(s.SubAccountId, '') END,
        coalesce(s.ServiceName, ''), metric, BillingCurrency) AS series_id,
    level, s.ServiceProviderName, s.BillingAccountId, s.SubAccountId, n.SubAccountName, s.ServiceName,
    NULL::VARCHAR AS RegionId, NULL::VARCHAR AS tag_key, NULL::VARCHAR AS tag_value, metric, BillingCurrency
FROM summed AS s LEFT JOIN names AS n USING (ServiceProviderName, SubAccountId)
WHERE holds_all AND series_id NOT IN (SELECT series_id FROM whole_series)"""


_NAMED = (
    "p.series_id, p.level, p.ServiceProviderName, p.BillingAccountId, p.SubAccountId, p.SubAccountName, "
    "p.ServiceName, p.RegionId, p.tag_key, p.tag_value, p.metric, p.BillingCurrency"
)


_ENDED = 35
"""Days that a leaf lies behind the newest one once its bill has ended, as in marts/cost_features.sql."""


def features_sql(published: str) -> str:
    """SQL of cost_features: whole series, and the parts.

    A day is complete once it is for every leaf whose bill goes on, so until the first of these bills ends.
    """
    return f"""
WITH leaves AS (
    SELECT series_id AS leaf_id, coalesce(max(day) FILTER (WHERE is_complete), min(day) - 1) AS until
    FROM {published}.cost_features WHERE series_id IN (SELECT leaf_id FROM parts) GROUP BY ALL
),
spans AS (
    SELECT series_id, min(until) AS data_until FROM (
        SELECT p.series_id, l.until FROM leaves AS l JOIN parts AS p USING (leaf_id)
        QUALIFY l.until >= max(l.until) OVER (PARTITION BY p.series_id) - {_ENDED}
    ) GROUP BY ALL
)
SELECT * FROM {published}.cost_features WHERE {IS_WHOLE}
UNION ALL BY NAME
SELECT {_NAMED}, f.day, sum(f.cost)::{MONEY} AS cost, sum(f.correction)::{MONEY} AS correction,
    bool_and(f.is_complete AND f.day <= s.data_until) AS is_complete
FROM {published}.cost_features AS f
JOIN parts AS p ON p.leaf_id = f.series_id
JOIN spans AS s ON s.series_id = p.series_id
GROUP BY ALL"""


_AMOUNTS = ("mean", "lo_80", "hi_80", "lo_95", "hi_95")


def forecasts_sql(published: str) -> str:
    """SQL of cost_forecasts: whole series, and the parts.

    A part's mean is the exact sum of what was in force for its leaves. Its bounds are sums of theirs, which
    is wider than an interval of the sum. It begins after the day on which the first of its leaves' bills
    ends; where another leaf's day has come by then, its cost counts (as in forecasting/hierarchy.py, but as
    the bill has it now). It ends with the first of its leaves. A bill that has ended altogether bounds
    neither.
    """
    said = ", ".join(f"f.{c}" for c in _AMOUNTS)
    came = ", ".join(f"f.cost AS {c}" for c in _AMOUNTS)
    sums = ", ".join(f"sum(d.{c})::{MONEY} AS {c}" for c in _AMOUNTS)
    return f"""
WITH leaves AS (
    SELECT p.series_id, p.leaf_id, f.made_at, f.made_on_month, max(f.data_until) AS until,
        max(f.day) AS last_day
    FROM {published}.cost_forecasts AS f JOIN parts AS p ON p.leaf_id = f.series_id
    WHERE f.is_champion
    GROUP BY ALL
),
spans AS (
    SELECT series_id, made_at, made_on_month, min(until) AS data_until, min(last_day) AS last_day
    FROM (
        SELECT * FROM leaves
        QUALIFY until >= max(until) OVER (PARTITION BY series_id, made_at, made_on_month) - {_ENDED}
    ) GROUP BY ALL
),
days AS (
    SELECT p.series_id, f.made_at, f.day, {said}
    FROM {published}.cost_forecasts AS f JOIN parts AS p ON p.leaf_id = f.series_id
    WHERE f.is_champion
    UNION ALL BY NAME
    SELECT l.series_id, l.made_at, f.day, {came}
    FROM leaves AS l
    JOIN spans AS s ON s.series_id = l.series_id AND s.made_at = l.made_at AND l.until > s.data_until
    JOIN {published}.cost_features AS f
        ON f.series_id = l.leaf_id AND f.day > s.data_until AND f.day <= l.until
),
names AS (SELECT DISTINCT {_NAMED} FROM parts AS p)
SELECT * FROM {published}.cost_forecasts WHERE {IS_WHOLE}
UNION ALL BY NAME
SELECT {_NAMED}, d.day, d.made_at, s.data_until, CAST(d.day - s.data_until AS INTEGER) AS horizon,
    {literal(PART)} AS model, true AS is_champion, {sums}, s.made_on_month
FROM days AS d
JOIN spans AS s ON s.series_id = d.series_id AND s.made_at = d.made_at
JOIN names AS p ON p.series_id = d.series_id
WHERE d.day > s.data_until AND d.day <= s.last_day
GROUP BY ALL"""


def months_sql(published: str) -> str:
    """SQL of cost_forecasts_monthly: whole series, and the parts, as by day.

    A part has the months that all its leaves have: of two bills that end in different months one has none
    left to forecast of the older.
    """
    amounts = ", ".join(f"sum(f.{c})::{MONEY} AS {c}" for c in ("actual", *_AMOUNTS))
    return f"""
SELECT * FROM {published}.cost_forecasts_monthly WHERE {IS_WHOLE}
UNION ALL BY NAME
SELECT * EXCLUDE (leaves), CAST(date_diff('month', data_until, month) AS INTEGER) AS horizon FROM (
    SELECT {_NAMED}, f.month, f.made_at, min(f.data_until) AS data_until, {literal(PART)} AS model,
        bool_and(f.from_days) AS from_days, {amounts}, f.made_on_month, count(*) AS leaves
    FROM {published}.cost_forecasts_monthly AS f JOIN parts AS p ON p.leaf_id = f.series_id
    GROUP BY ALL
) QUALIFY leaves = max(leaves) OVER (PARTITION BY series_id, made_at)"""
