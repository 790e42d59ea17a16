"""The tables of budgets: how each period stands, its burn-down, and the paths of errors behind both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from finops_assets.budget_settings import SCOPE_COLUMNS
from finops_assets.normalize.tables import tag_column
from finops_assets.schema import MONEY, Column, Table

FORECAST_PATHS = Table(
    name="forecast_paths",
    description="Whole paths of errors in the backtest, of each level's, metric's and currency's champion.",
    columns=(
        Column("level", "VARCHAR"),
        Column("metric", "VARCHAR"),
        Column("BillingCurrency", "VARCHAR"),
        Column("path", "INTEGER", "One origin of one series in the backtest."),
        Column("ahead", "INTEGER", "Days after the origin, from 1."),
        Column("error", "DOUBLE", "(actual - mean) / the series' scale."),
    ),
    order_by=("level", "metric", "BillingCurrency", "path", "ahead"),
)

BUDGET_STATUS = Table(
    name="budget_status",
    description="One period of one budget: what was spent, what it will come to, and when it is too much.",
    columns=(
        Column("budget", "VARCHAR", "Its name."),
        Column("period", "VARCHAR", "month or year."),
        Column("is_current", "BOOLEAN", "Whether this is the period that the newest data is in."),
        Column("series_id", "VARCHAR", "The series it is held against; null before the first charge."),
        Column("level", "VARCHAR", "That of its series."),
        Column("ServiceProviderName", "VARCHAR", "Null: of all providers."),
        Column("BillingAccountId", "VARCHAR"),
        Column("SubAccountId", "VARCHAR"),
        Column("ServiceName", "VARCHAR"),
        Column("RegionId", "VARCHAR"),
        Column("tag_key", "VARCHAR"),
        Column("tag_value", "VARCHAR"),
        Column("metric", "VARCHAR", "EffectiveCost or BilledCost."),
        Column("origin", "VARCHAR", "finops.toml or api."),
        Column("amount", MONEY, "What may be spent."),
        Column("BillingCurrency", "VARCHAR"),
        Column("first_day", "DATE"),
        Column("last_day", "DATE"),
        Column("data_until", "DATE", "The last day that is counted as spent."),
        Column("actual", MONEY, "What was spent up to then."),
        Column("expected", MONEY, "With the forecast of the days left; null without one."),
        Column("lo_80", MONEY, "Below this the period ends in one case of ten."),
        Column("hi_80", MONEY, "Above this the period ends in one case of ten."),
        Column("crossing_probability", "DOUBLE", "That the period ends over the amount."),
        Column("crossed_on", "DATE", "The day since which more than the amount has been spent."),
        Column("crossing_day", "DATE", "The day by which it is too much in half of all cases."),
        Column("crossing_from", "DATE", "The day by which it is too much in a tenth of all cases."),
        Column(
            "state",
            "VARCHAR",
            "crossed, will_cross (probability from 0.5), at_risk (from 0.1), on_track, no_forecast; "
            "kept: it ended within the amount.",
        ),
        Column("made_at", "TIMESTAMPTZ"),
    ),
    order_by=("budget", "first_day"),
)

BUDGET_DAYS = Table(
    name="budget_days",
    description="A budget's burn-down: running totals of its period at the end of each day.",
    columns=(
        Column("budget", "VARCHAR"),
        Column("first_day", "DATE", "The period's."),
        Column("day", "DATE"),
        Column("actual", MONEY, "Null after the last day that is counted as spent."),
        Column("expected", MONEY, "From that day on; null without a forecast."),
        Column("lo_80", MONEY),
        Column("hi_80", MONEY),
    ),
    order_by=("budget", "first_day", "day"),
)

_TAG = ("tag_key", "tag_value")


def scope_of(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The columns of `daily_costs` that the scope of a row of budget_status fixes, with their values."""
    columns = [c for c in SCOPE_COLUMNS.values() if c not in _TAG and row[c] is not None]
    tag = [] if row["tag_key"] is None else [(tag_column(row["tag_key"]), str(row["tag_value"]))]
    return [*((c, str(row[c])) for c in columns), *tag]


_SERIES_OF = " AND ".join(
    [
        "s.level = b.level",
        "s.metric = b.metric",
        "s.BillingCurrency = b.BillingCurrency",
        *(f"s.{c} IS NOT DISTINCT FROM b.{c}" for c in SCOPE_COLUMNS.values()),
    ]
)

SPENT_SQL = f"""
SELECT b.budget, s.series_id, s.day, s.cost
FROM budgets AS b JOIN cost_features AS s ON {_SERIES_OF}
WHERE s.is_complete ORDER BY ALL
"""
"""Over `budgets` (budget, level, metric, BillingCurrency and the scope's columns): each one's daily costs."""

AHEAD_SQL = f"""
SELECT b.budget, s.day, s.horizon AS ahead, s.mean, s.lo_80, s.hi_80
FROM budgets AS b JOIN cost_forecasts AS s ON {_SERIES_OF}
WHERE s.is_champion AND s.made_at = (SELECT max(made_at) FROM cost_forecasts) ORDER BY ALL
"""
"""Over the same: the forecast in force of each one's series."""

UNTIL_SQL = "SELECT max(day) AS day FROM cost_features WHERE is_complete"
"""The newest day whose costs are complete."""
