"""Forecasts in force, how right they were, what the month will come to, and what was said before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, TypeAlias, get_args

import pyarrow as pa

from finops_assets.normalize.tables import tag_column
from finops_assets.queries.access import Reader, fetch
from finops_assets.queries.dimensions import Filter
from finops_assets.series import LEVELS, SERIES_COLUMNS

Level: TypeAlias = Literal[
    "total", "provider", "billing_account", "account", "service", "region", "tag", "account_service"
]

Horizon: TypeAlias = Literal["7d", "30d", "90d", "month_end", "3m", "12m"]
HORIZONS: tuple[Horizon, ...] = get_args(Horizon)
"""How far ahead errors are told, the nearest first."""

_COLUMNS: dict[str, tuple[str, ...]] = {
    "total": (),
    "provider": ("ServiceProviderName",),
    "billing_account": ("ServiceProviderName", "BillingAccountId"),
    "account": ("ServiceProviderName", "SubAccountId"),
    "service": ("ServiceProviderName", "ServiceName"),
    "region": ("ServiceProviderName", "RegionId"),
    "tag": (),
    "account_service": ("ServiceProviderName", "BillingAccountId", "SubAccountId", "ServiceName"),
}


def series_filters(row: Mapping[str, Any]) -> tuple[Filter, ...]:
    """The filters under which costs() adds up exactly the series that a row (with its level) names."""
    if row["level"] == "tag":
        return (Filter(tag_column(row["tag_key"]), (row["tag_value"],)),)
    return tuple(Filter(column, (row[column],)) for column in _COLUMNS[row["level"]])


def names_of(provider: str | tuple[str, ...] | None) -> list[str] | None:
    """One name or several as a list to bind."""
    return [provider] if isinstance(provider, str) else None if provider is None else list(provider)


_NEWEST = """
newest AS (
    SELECT * FROM cost_forecasts
    WHERE is_champion AND made_at = (SELECT max(made_at) FROM cost_forecasts)
)"""


OF_SERIES = """
f.level = $1 AND f.metric = $2 AND ($3 IS NULL OR f.BillingCurrency = $3)
    AND ($4 IS NULL OR list_contains($4::VARCHAR[], f.ServiceProviderName))
    AND ($5 IS NULL OR f.SubAccountId = $5) AND ($6 IS NULL OR f.ServiceName = $6)
    AND ($7 IS NULL OR f.BillingAccountId = $7) AND ($8 IS NULL OR f.RegionId = $8)
    AND ($9 IS NULL OR f.tag_key = $9) AND ($10 IS NULL OR f.tag_value = $10)
    AND ($11 IS NULL OR f.series_id = $11)
"""
"""SQL over a ledger f: whether a row is of the series asked for, by the parameters of `forecast` in order."""


def forecast(
    warehouse: Reader,
    level: Level = "total",
    *,
    provider: str | tuple[str, ...] | None = None,
    billing_account: str | None = None,
    account: str | None = None,
    service: str | None = None,
    region: str | None = None,
    tag_key: str | None = None,
    tag_value: str | None = None,
    series_id: str | None = None,
    metric: str = "EffectiveCost",
    currency: str | None = None,
) -> pa.Table:
    """The newest making's forecast by its champion: a row a series and day, in that order.

    `provider` (one ServiceProviderName, or several), `billing_account`, `account` (SubAccountId),
    `service`, `region` (RegionId), `tag_key` and `tag_value` are exact names; None takes all series of
    the level. `series_id` takes one series, the one without a region or tag value too. Columns: those of
    cost_forecasts but is_champion and made_on_month; money is decimal128.
    """
    return fetch(
        warehouse,
        f"""
WITH {_NEWEST}
SELECT * EXCLUDE (is_champion, made_on_month) FROM newest AS f WHERE {OF_SERIES} ORDER BY series_id, day
""",
        (
            level, metric, currency, names_of(provider), account, service, billing_account, region, tag_key,
            tag_value, series_id,
        ),
    )  # fmt: skip


def forecast_series(warehouse: Reader) -> pa.Table:
    """The series that the newest making forecasts, the most expensive of each level first.

    Columns: those that name a series, model, made_at, data_until, first_day, last_day, mean (the sum of
    all its days).
    """
    return fetch(
        warehouse,
        f"""
WITH {_NEWEST},
series AS (
    SELECT {", ".join(SERIES_COLUMNS)}, any_value(model) AS model, max(made_at) AS made_at,
        max(data_until) AS data_until, min(day) AS first_day, max(day) AS last_day, sum(mean) AS mean
    FROM newest GROUP BY ALL
)
SELECT * FROM series
ORDER BY list_position($1::VARCHAR[], level), metric, BillingCurrency, mean DESC, series_id
""",
        (list(LEVELS),),
    )


def accuracy(warehouse: Reader) -> pa.Table:
    """forecast_accuracy: each model's errors by level, metric, currency and horizon. Shares are DOUBLE.

    A state that was published when horizons were numbers of days has them as 7d, 30d and 90d.
    """
    return fetch(
        warehouse,
        """
SELECT * FROM (
    SELECT * REPLACE (regexp_replace(CAST(horizon AS VARCHAR), '^(\\d+)$', '\\1d') AS horizon)
    FROM forecast_accuracy
)
ORDER BY level, metric, BillingCurrency, list_position($1::VARCHAR[], horizon), wape, model
""",
        (list(HORIZONS),),
    )


def month_outlook(warehouse: Reader, metric: str = "EffectiveCost") -> pa.Table:
    """What the newest month and the one after it will come to, for the total and each provider.

    A row a level (total, provider), provider and currency. `month` is the first day of the month of
    the newest charge. `actual` sums its charges up to `data_until`, the last day that the forecast
    saw; `forecast` sums the days after it. The bounds are sums of the days' 80% bounds, which is wider
    than an 80% interval of the sum. Columns: level, ServiceProviderName, BillingCurrency, month,
    data_until, actual, forecast, expected (their sum), lo_80, hi_80, next_month, next_mean, next_lo_80,
    next_hi_80; decimal128, null where the forecast does not reach to the end of the month in question.
    """
    return fetch(
        warehouse,
        f"""
WITH {_NEWEST},
months AS (
    SELECT CAST(date_trunc('month', max(x_Day)) AS DATE) AS month,
        CAST(month + INTERVAL 1 MONTH AS DATE) AS next_month, CAST(month + INTERVAL 2 MONTH AS DATE) AS beyond
    FROM daily_costs
),
ahead AS (
    SELECT level, ServiceProviderName, BillingCurrency, max(data_until) AS data_until, max(day) AS last_day,
        coalesce(sum(mean) FILTER (WHERE day >= month AND day < next_month), 0) AS forecast,
        coalesce(sum(lo_80) FILTER (WHERE day >= month AND day < next_month), 0) AS lo,
        coalesce(sum(hi_80) FILTER (WHERE day >= month AND day < next_month), 0) AS hi,
        sum(mean) FILTER (WHERE day >= next_month AND day < beyond) AS next_mean,
        sum(lo_80) FILTER (WHERE day >= next_month AND day < beyond) AS next_lo_80,
        sum(hi_80) FILTER (WHERE day >= next_month AND day < beyond) AS next_hi_80
    FROM newest, months
    WHERE level IN ('total', 'provider') AND metric = $1
    GROUP BY ALL
),
spent AS (
    SELECT a.level, a.ServiceProviderName, a.BillingCurrency,
        coalesce(sum(CASE $1 WHEN 'BilledCost' THEN d.BilledCost ELSE d.EffectiveCost END), 0) AS actual
    FROM ahead AS a
    CROSS JOIN months
    LEFT JOIN daily_costs AS d
        ON d.BillingCurrency = a.BillingCurrency
        AND (a.level = 'total' OR d.ServiceProviderName = a.ServiceProviderName)
        AND d.x_Day >= month AND d.x_Day <= a.data_until AND d.x_Day < next_month
    GROUP BY ALL
)
SELECT a.level, a.ServiceProviderName, a.BillingCurrency, month, data_until, actual,
    CASE WHEN last_day >= next_month - 1 THEN forecast END AS forecast,
    CASE WHEN last_day >= next_month - 1 THEN actual + forecast END AS expected,
    CASE WHEN last_day >= next_month - 1 THEN actual + lo END AS lo_80,
    CASE WHEN last_day >= next_month - 1 THEN actual + hi END AS hi_80,
    next_month,
    CASE WHEN last_day >= beyond - 1 THEN next_mean END AS next_mean,
    CASE WHEN last_day >= beyond - 1 THEN next_lo_80 END AS next_lo_80,
    CASE WHEN last_day >= beyond - 1 THEN next_hi_80 END AS next_hi_80
FROM ahead AS a
JOIN spent AS s ON s.level = a.level AND s.BillingCurrency = a.BillingCurrency
    AND s.ServiceProviderName IS NOT DISTINCT FROM a.ServiceProviderName
CROSS JOIN months
ORDER BY a.level DESC, a.BillingCurrency, expected DESC NULLS LAST, a.ServiceProviderName
""",
        (metric,),
    )


def record(
    warehouse: Reader,
    *,
    level: Level | None = None,
    metric: str | None = None,
    currency: str | None = None,
    made_on: date | None = None,
) -> pa.Table:
    """forecast_record: how right the ledger's forecasts turned out, all makings together and each by itself.

    None takes all; `made_on` takes one making's own rows. Makings together come first, then the newest,
    each with what was in force (a null model) before the models. Shares are DOUBLE.
    """
    return fetch(
        warehouse,
        """
SELECT * FROM forecast_record
WHERE ($1 IS NULL OR level = $1) AND ($2 IS NULL OR metric = $2) AND ($3 IS NULL OR BillingCurrency = $3)
    AND ($4 IS NULL OR made_on = $4)
ORDER BY list_position($5::VARCHAR[], level), metric, BillingCurrency,
    list_position($6::VARCHAR[], horizon), made_on DESC NULLS FIRST, is_champion DESC, model NULLS FIRST
""",
        (level, metric, currency, made_on, list(LEVELS), list(HORIZONS)),
    )


def makings(warehouse: Reader) -> pa.Table:
    """The days on which forecasts were made, the newest first.

    Columns: made_on (DATE, UTC), made_at (of the last making on it), data_until, last_day (of what it
    forecasts), series, came_until (the newest complete day of any series now, the same in every row).
    """
    return fetch(
        warehouse,
        """
WITH days AS (
    SELECT CAST(made_at AT TIME ZONE 'UTC' AS DATE) AS made_on, max(made_at) AS made_at
    FROM cost_forecasts GROUP BY 1
)
SELECT made_on, made_at, max(data_until) AS data_until, max(day) AS last_day,
    count(DISTINCT series_id) AS series,
    (SELECT max(day) FROM cost_features WHERE is_complete) AS came_until
FROM cost_forecasts JOIN days USING (made_at)
WHERE is_champion
GROUP BY ALL ORDER BY made_on DESC
""",
    )


_SAID = f"""
making AS (
    SELECT max(made_at) AS made_at FROM cost_forecasts
    WHERE CAST(made_at AT TIME ZONE 'UTC' AS DATE) <= $12
),
said AS (
    SELECT f.* EXCLUDE (is_champion, made_on_month), a.cost AS actual, f.mean - a.cost AS error
    FROM cost_forecasts AS f
    JOIN making USING (made_at)
    LEFT JOIN cost_features AS a ON a.series_id = f.series_id AND a.day = f.day AND a.is_complete
    WHERE f.is_champion AND {OF_SERIES}
)"""


def said_on(
    warehouse: Reader,
    day: date,
    level: Level = "total",
    *,
    provider: str | tuple[str, ...] | None = None,
    billing_account: str | None = None,
    account: str | None = None,
    service: str | None = None,
    region: str | None = None,
    tag_key: str | None = None,
    tag_value: str | None = None,
    series_id: str | None = None,
    metric: str = "EffectiveCost",
    currency: str | None = None,
) -> pa.Table:
    """What the newest making on or before `day` (UTC) said, beside what came: a row a series and day.

    Narrowed as in `forecast`. Columns: those of cost_forecasts but is_champion and made_on_month; actual,
    the day's cost as it is now, and error (mean - actual), null for a day that is not complete yet.
    """
    return fetch(
        warehouse,
        f"WITH {_SAID} SELECT * FROM said ORDER BY series_id, day",
        (
            level, metric, currency, names_of(provider), account, service, billing_account, region, tag_key,
            tag_value, series_id, day,
        ),
    )  # fmt: skip


def said_totals(
    warehouse: Reader,
    day: date,
    level: Level = "total",
    *,
    provider: str | tuple[str, ...] | None = None,
    billing_account: str | None = None,
    account: str | None = None,
    service: str | None = None,
    region: str | None = None,
    tag_key: str | None = None,
    tag_value: str | None = None,
    series_id: str | None = None,
    metric: str = "EffectiveCost",
    currency: str | None = None,
) -> pa.Table:
    """The days of `said_on` that have come, added up: a row a series, in the order of its series_id.

    Columns: series_id, days (that have come), first_day and last_day (of these), said, actual, error (said -
    actual), absolute_error (the days' absolute errors), wape (DOUBLE: that over the days' absolute actuals),
    inside_80, inside_95 (days whose actual lies in the interval). All but days and series_id are null, or 0
    for the counts, where none has come.
    """
    return fetch(
        warehouse,
        f"""
WITH {_SAID}
SELECT series_id, count(actual) AS days,
    min(day) FILTER (WHERE actual IS NOT NULL) AS first_day,
    max(day) FILTER (WHERE actual IS NOT NULL) AS last_day,
    sum(mean) FILTER (WHERE actual IS NOT NULL) AS said,
    sum(said.actual) AS actual,
    sum(said.error) AS error,
    sum(abs(said.error)) AS absolute_error,
    sum(abs(said.error)) / nullif(sum(abs(said.actual)), 0) AS wape,
    count(*) FILTER (WHERE said.actual BETWEEN lo_80 AND hi_80) AS inside_80,
    count(*) FILTER (WHERE said.actual BETWEEN lo_95 AND hi_95) AS inside_95
FROM said GROUP BY series_id ORDER BY series_id
""",
        (
            level, metric, currency, names_of(provider), account, service, billing_account, region, tag_key,
            tag_value, series_id, day,
        ),
    )  # fmt: skip
