"""The tables after `costs`: the daily cube, the models' inputs and outputs, and the checks' outcomes."""

from __future__ import annotations

from collections.abc import Sequence

from finops_assets.normalize.tables import tag_column
from finops_assets.schema import BILL_KEYS, BY_BILL, MONEY, QUANTITY, Column, Table

COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
"""The four costs of FOCUS."""

CUBE_DIMENSIONS = (
    "ServiceProviderName",
    "InvoiceIssuerName",
    "BillingAccountId",
    "BillingAccountName",
    "SubAccountId",
    "SubAccountName",
    "ServiceCategory",
    "ServiceSubcategory",
    "ServiceName",
    "RegionId",
    "RegionName",
    "ChargeCategory",
    "ChargeClass",
    "ChargeFrequency",
    "PricingCategory",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "SkuMeter",
    "x_ResourceGroupName",
)
"""FOCUS columns by which the daily cube can be asked, besides day, source, month, tags and currency."""


def daily_costs_table(tag_keys: Sequence[str]) -> Table:
    """`daily_costs` for these promoted tag keys."""
    return Table(
        name="daily_costs",
        description="Costs by day and every dimension that is asked for often.",
        columns=(
            Column("x_Day", "DATE", "The UTC day on which the charge period starts."),
            *(Column(d, "VARCHAR") for d in CUBE_DIMENSIONS),
            *(Column(tag_column(k), "VARCHAR", f"The value of tag {k}.") for k in tag_keys),
            Column("ConsumedUnit", "VARCHAR"),
            Column("PricingUnit", "VARCHAR"),
            Column("BillingCurrency", "VARCHAR"),
            *(Column(c, MONEY) for c in COSTS),
            Column("ConsumedQuantity", QUANTITY),
            Column("PricingQuantity", QUANTITY),
            Column("x_RowCount", "BIGINT", "How many rows of `costs` this row sums."),
            *BILL_KEYS,
        ),
        partition_by=BY_BILL,
        order_by=("x_Day", "ServiceName", "SubAccountId"),
    )


_SERIES = (
    Column("series_id", "VARCHAR", "level|provider|account|service|metric|currency."),
    Column("level", "VARCHAR", "total, provider, account or service."),
    Column("ServiceProviderName", "VARCHAR", "Null at level total."),
    Column("SubAccountId", "VARCHAR", "Set at level account only."),
    Column("SubAccountName", "VARCHAR", "Set at level account only."),
    Column("ServiceName", "VARCHAR", "Set at level service only."),
    Column("metric", "VARCHAR", "BilledCost or EffectiveCost."),
    Column("BillingCurrency", "VARCHAR"),
)

COST_FEATURES = Table(
    name="cost_features",
    description="One series and day: what the models see. Days without a row in the bill are zeros.",
    columns=(
        *_SERIES,
        Column("day", "DATE"),
        Column("cost", MONEY, "The day's cost."),
        Column("is_complete", "BOOLEAN", "False for the last days of a bill that is still arriving."),
        Column("weekday", "INTEGER", "1 Monday … 7 Sunday."),
        Column("day_of_month", "INTEGER"),
        Column("days_in_month", "INTEGER"),
        Column("lag_1", MONEY, "Cost a day before."),
        Column("lag_7", MONEY, "Cost a week before."),
        Column("lag_28", MONEY, "Cost four weeks before."),
        Column("mean_28", MONEY, "Mean of the 28 days before."),
    ),
    order_by=("series_id", "day"),
)

COST_FORECASTS = Table(
    name="cost_forecasts",
    description="A ledger of all forecasts made: one series, target day, making and model.",
    columns=(
        *_SERIES,
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

COST_ANOMALIES = Table(
    name="cost_anomalies",
    description="One event: a series that left what was expected of it, from its first to its last day.",
    columns=(
        Column("anomaly_id", "VARCHAR", "Stable: made of series and first day."),
        *_SERIES,
        Column("first_day", "DATE"),
        Column("last_day", "DATE"),
        Column("kind", "VARCHAR", "spike, drop, or level_shift."),
        Column("expected", MONEY, "What the event's days would have cost."),
        Column("actual", MONEY, "What they cost."),
        Column("impact", MONEY, "actual - expected."),
        Column("score", "DOUBLE", "Combined score, 0 to 1."),
        Column("severity", "VARCHAR", "low, medium, high or critical."),
        Column("status", "VARCHAR", "open or ended."),
        Column("first_seen", "TIMESTAMPTZ", "When a run first raised it."),
    ),
    order_by=("first_day", "series_id"),
)

ANOMALY_DRIVERS = Table(
    name="anomaly_drivers",
    description="What an event is made of: for each dimension, the contributions sum exactly to its impact.",
    columns=(
        Column("anomaly_id", "VARCHAR"),
        Column("dimension", "VARCHAR", "A column of daily_costs, such as ServiceName."),
        Column("value", "VARCHAR", "The dimension's value; '(other)' for the small rest."),
        Column("expected", MONEY),
        Column("actual", MONEY),
        Column("contribution", MONEY, "actual - expected."),
        Column("rank", "INTEGER", "1 is the largest by absolute contribution."),
    ),
    order_by=("anomaly_id", "dimension", "rank"),
)

EXCHANGE_RATES = Table(
    name="exchange_rates",
    description="What one euro cost in each currency, day by day; empty where no rates are configured.",
    columns=(
        Column("rate_day", "DATE", "The day that the rate was set for; none at weekends and holidays."),
        Column("currency", "VARCHAR", "ISO 4217 code."),
        Column("rate", MONEY, "Units of the currency for one euro."),
        Column("rate_source", "VARCHAR", "Where the rate was read: an address, or a file's name."),
    ),
    order_by=("currency", "rate_day"),
)

QUALITY = Table(
    name="quality",
    description="One check's outcome for one bill.",
    columns=(
        Column("bill_id", "VARCHAR"),
        Column("check_name", "VARCHAR", "control_total or row_count."),
        Column("stage", "VARCHAR", "raw, costs or daily_costs; what is published, in published_quality."),
        Column("metric", "VARCHAR", "The cost that was added up; null for row_count."),
        Column("BillingCurrency", "VARCHAR"),
        Column("expected", MONEY, "What the bill says."),
        Column("found", MONEY, "What the stage holds."),
        Column("residual", MONEY, "found - expected."),
        Column("passed", "BOOLEAN"),
        *BILL_KEYS,
    ),
    partition_by=BY_BILL,
    order_by=("bill_id", "stage", "check_name", "metric"),
)
