"""The tables of forecasts: the ledger, how good they were in the backtest, and how good since."""

from __future__ import annotations

from finops_assets.schema import MONEY, Column, Table
from finops_assets.series import SERIES

COST_FORECASTS = Table(
    name="cost_forecasts",
    description="A ledger of all forecasts made: one series, target day, making and model.",
    columns=(
        *SERIES,
        Column("day", "DATE", "The day that is forecast."),
        Column("made_at", "TIMESTAMPTZ", "When the forecast was made; the newest is the one in force."),
        Column("data_until", "DATE", "The last day of data it saw."),
        Column("horizon", "INTEGER", "Days from data_until to day."),
        Column("model", "VARCHAR"),
        Column("is_champion", "BOOLEAN", "Whether this model won its level's backtest."),
        Column("mean", MONEY),
        Column("lo_80", MONEY),
        Column("hi_80", MONEY),
        Column("lo_95", MONEY),
        Column("hi_95", MONEY),
        Column("made_on_month", "VARCHAR", "YYYY-MM of made_at."),
    ),
    partition_by=("made_on_month",),
    order_by=("series_id", "model", "day"),
)

FORECAST_ACCURACY = Table(
    name="forecast_accuracy",
    description="How well each model did in the rolling-origin backtest, by level, metric and horizon.",
    columns=(
        Column("level", "VARCHAR"),
        Column("metric", "VARCHAR"),
        Column("BillingCurrency", "VARCHAR"),
        Column("model", "VARCHAR"),
        Column("horizon", "INTEGER", "Days ahead: 7, 30 or 90."),
        Column("kind", "VARCHAR", "backtest."),
        Column("series", "INTEGER", "How many series."),
        Column("windows", "INTEGER", "How many forecast origins."),
        Column("wape", "DOUBLE", "Sum of absolute errors over sum of absolute actuals."),
        Column("mase", "DOUBLE", "Mean absolute error over that of the in-sample weekly naive."),
        Column("bias", "DOUBLE", "Sum of errors (forecast - actual) over sum of absolute actuals."),
        Column("coverage_80", "DOUBLE", "Share of actuals inside the 80% interval."),
        Column("coverage_95", "DOUBLE"),
        Column("is_champion", "BOOLEAN"),
        Column("mlflow_run_id", "VARCHAR"),
    ),
    order_by=("level", "metric", "horizon", "model"),
)

FORECAST_RECORD = Table(
    name="forecast_record",
    description="How right the ledger's forecasts turned out: what was said against what came.",
    columns=(
        Column("level", "VARCHAR"),
        Column("metric", "VARCHAR"),
        Column("BillingCurrency", "VARCHAR"),
        Column("model", "VARCHAR", "Null: whichever model was in force for each series."),
        Column("is_champion", "BOOLEAN", "Whether it was in force when it was made."),
        Column(
            "horizon",
            "VARCHAR",
            "7d, 30d or 90d: that many days after data_until, once all have come. month_end: the total of "
            "the month under way at the making, once it is complete.",
        ),
        Column("made_on", "DATE", "The day (UTC) of the making; null: all makings together."),
        Column("series", "INTEGER", "How many series have come to this horizon."),
        Column("windows", "INTEGER", "How many makings."),
        Column("wape", "DOUBLE", "Sum of absolute errors over sum of absolute actuals."),
        Column(
            "mase",
            "DOUBLE",
            "Mean absolute error over that of the weekly naive up to data_until, the mean of series and "
            "makings; null for month_end.",
        ),
        Column("bias", "DOUBLE", "Sum of errors (forecast - actual) over sum of absolute actuals."),
        Column("coverage_80", "DOUBLE", "Share of actuals inside the 80% interval."),
        Column("coverage_95", "DOUBLE"),
    ),
    order_by=("level", "metric", "BillingCurrency", "horizon", "made_on", "model"),
)
