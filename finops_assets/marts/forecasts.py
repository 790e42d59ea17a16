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

COST_FORECASTS_MONTHLY = Table(
    name="cost_forecasts_monthly",
    description="A ledger of all forecasts made by month: one series, calendar month and making.",
    columns=(
        *SERIES,
        Column("month", "DATE", "The first day of the month that is forecast."),
        Column("made_at", "TIMESTAMPTZ", "When the forecast was made; the newest is the one in force."),
        Column("data_until", "DATE", "The last day of data it saw."),
        Column("horizon", "INTEGER", "Months from that of data_until to this one; 0: it was under way."),
        Column("model", "VARCHAR", "What won its level's backtest, by day or by month."),
        Column("from_days", "BOOLEAN", "Whether it adds up cost_forecasts' days; else it is by month."),
        Column("actual", MONEY, "What its days up to data_until cost; 0 for a month that had not begun."),
        Column("mean", MONEY, "What the whole month comes to: actual and what is forecast of the rest."),
        Column("lo_80", MONEY),
        Column("hi_80", MONEY),
        Column("lo_95", MONEY),
        Column("hi_95", MONEY),
        Column("made_on_month", "VARCHAR", "YYYY-MM of made_at."),
    ),
    partition_by=("made_on_month",),
    order_by=("series_id", "month"),
)

FORECAST_ACCURACY = Table(
    name="forecast_accuracy",
    description="How well each model did in the rolling-origin backtest, by level, metric and horizon.",
    columns=(
        Column("level", "VARCHAR"),
        Column("metric", "VARCHAR"),
        Column("BillingCurrency", "VARCHAR"),
        Column("model", "VARCHAR"),
        Column(
            "horizon",
            "VARCHAR",
            "7d, 30d or 90d: the days up to so many ahead. month_end: the total of a month, as the daily "
            "forecast saw it from a day inside that month. 3m or 12m: the totals of so many months after "
            "the last one that was whole, by the models by month.",
        ),
        Column("kind", "VARCHAR", "backtest."),
        Column("series", "INTEGER", "How many series."),
        Column("windows", "INTEGER", "How many forecast origins."),
        Column("wape", "DOUBLE", "Sum of absolute errors over sum of absolute actuals."),
        Column(
            "mase",
            "DOUBLE",
            "Mean absolute error over that of the in-sample naive, of the week or month before; null for "
            "month_end.",
        ),
        Column("bias", "DOUBLE", "Sum of errors (forecast - actual) over sum of absolute actuals."),
        Column("coverage_80", "DOUBLE", "Share of actuals inside the 80% interval."),
        Column("coverage_95", "DOUBLE"),
        Column("is_champion", "BOOLEAN"),
        Column("mlflow_run_id", "VARCHAR"),
    ),
    order_by=("level", "metric", "BillingCurrency", "horizon", "model"),
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
            "the month under way at the making, once it is complete. 3m or 12m: the totals of so many months "
            "after that of data_until, once all are complete.",
        ),
        Column("made_on", "DATE", "The day (UTC) of the making; null: all makings together."),
        Column("series", "INTEGER", "How many series have come to this horizon."),
        Column("windows", "INTEGER", "How many makings."),
        Column("wape", "DOUBLE", "Sum of absolute errors over sum of absolute actuals."),
        Column(
            "mase",
            "DOUBLE",
            "Mean absolute error over that of the weekly naive up to data_until, the mean of series and "
            "makings; null for totals of months.",
        ),
        Column("bias", "DOUBLE", "Sum of errors (forecast - actual) over sum of absolute actuals."),
        Column("coverage_80", "DOUBLE", "Share of actuals inside the 80% interval."),
        Column("coverage_95", "DOUBLE"),
    ),
    order_by=("level", "metric", "BillingCurrency", "horizon", "made_on", "model"),
)
