"""Forecasts in force by calendar month, each with the error that forecasts so far ahead had."""

from __future__ import annotations

import pyarrow as pa

from finops_assets.marts.forecasts import COST_FORECASTS_MONTHLY
from finops_assets.queries.access import Reader, fetch
from finops_assets.queries.earlier import is_missing
from finops_assets.queries.forecasts import OF_SERIES, Level, names_of


def forecast_months(
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
    """The newest making by month: a row a series and month, from the one under way to 18 after it.

    Narrowed as in `forecasts.forecast`. Columns: those of cost_forecasts_monthly but made_on_month; forecast
    (mean - actual); error_horizon (month_end, 3m or 12m) and wape (DOUBLE), how far totals of months so far
    ahead were off in the backtest of what is in force at this level, both null where none reached so far.
    Empty for a state that was published before there were forecasts by month.
    """
    if is_missing(warehouse, COST_FORECASTS_MONTHLY):
        return _NO_MONTHS.empty_table()
    return fetch(
        warehouse,
        f"""
WITH errors AS (
    SELECT level, metric, BillingCurrency, horizon, wape,
        CASE horizon WHEN 'month_end' THEN 0 WHEN '3m' THEN 1 ELSE 4 END AS first_month,
        CASE horizon WHEN 'month_end' THEN 0 WHEN '3m' THEN 3 ELSE 12 END AS last_month
    FROM forecast_accuracy WHERE is_champion AND horizon IN ('month_end', '3m', '12m')
)
SELECT f.* EXCLUDE (made_on_month), f.mean - f.actual AS forecast, e.horizon AS error_horizon, e.wape
FROM cost_forecasts_monthly AS f
LEFT JOIN errors AS e ON e.level = f.level AND e.metric = f.metric AND e.BillingCurrency = f.BillingCurrency
    AND f.horizon BETWEEN e.first_month AND e.last_month
WHERE f.made_at = (SELECT max(made_at) FROM cost_forecasts_monthly) AND {OF_SERIES}
ORDER BY f.series_id, f.month
""",
        (
            level, metric, currency, names_of(provider), account, service, billing_account, region, tag_key,
            tag_value, series_id,
        ),
    )  # fmt: skip


_NO_MONTHS = pa.schema(
    [
        *(field for field in COST_FORECASTS_MONTHLY.arrow_schema() if field.name != "made_on_month"),
        ("forecast", pa.decimal128(38, 18)),
        ("error_horizon", pa.string()),
        ("wape", pa.float64()),
    ]
)
