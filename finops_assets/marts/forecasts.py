"""The tables of forecasts: the ledger, and how good they were."""

from __future__ import annotations

from finops_assets.marts.series import SERIES
from finops_assets.schema import MONEY, Column, Table

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
