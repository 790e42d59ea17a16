"""The backtest that forecasts learn from, and when and why it was made."""

from __future__ import annotations

from finops_assets.schema import Column, Table

FORECAST_BACKTEST = Table(
    name="forecast_backtest",
    description="What each model would have said on earlier days, beside what came; forecasts learn from it.",
    columns=(
        Column("series_id", "VARCHAR"),
        Column("level", "VARCHAR"),
        Column("metric", "VARCHAR"),
        Column("BillingCurrency", "VARCHAR"),
        Column("is_sum", "BOOLEAN", "Whether the series is forecast as the sum of its leaves."),
        Column("until", "DATE", "The last day that the backtest looked at."),
        Column("window", "INTEGER", "Which origin, the newest is 0."),
        Column("length", "INTEGER", "Days that were forecast from the origin."),
        Column("model", "VARCHAR"),
        Column("step", "INTEGER", "Days after the origin, from 1."),
        Column(
            "scale", "DOUBLE", "What an ordinary error of the series is worth; the unit of the next three."
        ),
        Column("naive_error", "DOUBLE", "Mean absolute error of the weekly naive before the origin."),
        Column("actual", "DOUBLE", "What came."),
        Column("mean", "DOUBLE", "What the model said."),
        Column("low", "DOUBLE", "The lowest cost that the series' sign allows."),
        Column("high", "DOUBLE", "The highest."),
        Column(
            "inside_80", "DOUBLE", "1 where a band calibrated on the other origins held the actual, else 0."
        ),
        Column("inside_95", "DOUBLE"),
    ),
    order_by=("series_id", "window", "model", "step"),
)

FORECAST_TRAININGS = Table(
    name="forecast_trainings",
    description="A ledger of backtests: when one was made, of which months, and why.",
    columns=(
        Column("trained_at", "TIMESTAMPTZ"),
        Column("first_month", "VARCHAR", "YYYY-MM of the first day; null without data."),
        Column("last_month", "VARCHAR", "The last month that was whole."),
        Column("code", "VARCHAR", "Names the code, libraries and settings that it was made with."),
        Column("reason", "VARCHAR", "Why it was made."),
        Column("rows", "BIGINT", "Of the backtest."),
    ),
    order_by=("trained_at",),
)

MONTHS_SQL = """
SELECT strftime(min(day), '%Y-%m') AS first_month,
    strftime(date_trunc('month', max(day) + 1) - INTERVAL 1 DAY, '%Y-%m') AS last_month
FROM cost_features WHERE is_complete
"""
"""Over cost_features: the month of its first day, and the last month that is whole."""
