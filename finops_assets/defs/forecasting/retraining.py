"""When the backtest is to be made anew, and the assets that make it: apart from the daily forecasts."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pyarrow as pa

from finops_assets.defs.forecasting.known import facts_of
from finops_assets.defs.metadata import column_schema, materialized, unchanged
from finops_assets.defs.recipe import recipe
from finops_assets.defs.resources import Platform
from finops_assets.lake.lake import build_key
from finops_assets.marts.forecasts import FORECAST_ACCURACY, FORECAST_RECORD
from finops_assets.marts.plans import PLANNED_CHANGES
from finops_assets.marts.series import COST_FEATURES
from finops_assets.marts.sql import load_sql
from finops_assets.marts.training import FORECAST_BACKTEST, FORECAST_TRAININGS, MONTHS_SQL

LIBRARIES = ("statsforecast", "prophet", "xgboost-cpu", "holidays")
REASON_TAG = "finops/retraining"
"""A run's tag that says why it retrains."""

TABLES = (FORECAST_BACKTEST, FORECAST_TRAININGS)


def newest_training(platform: Platform) -> dict[str, Any] | None:
    """The newest row of forecast_trainings; None before the first."""
    given = {"t": platform.lake.input(FORECAST_TRAININGS)}
    rows = platform.engine.fetch("SELECT * FROM t ORDER BY trained_at DESC LIMIT 1", given).to_pylist()
    return rows[0] if rows else None


def retraining_reason(platform: Platform) -> str | None:
    """Why the backtest is to be made anew; None while it is as good as new.

    It is made when there is none, when months have become whole or earlier ones came, when the code or its
    settings are others, and when forecasts since turned out worse than it promised (`forecast_drift.sql`).
    """
    last = newest_training(platform)
    if last is None or not platform.lake.files(FORECAST_BACKTEST):
        return "no backtest has been made yet"
    if last["code"] != _code(platform):
        return "the models' code, libraries or settings changed"
    first_month, last_month = _months(platform)
    if (first_month, last_month) != (last["first_month"], last["last_month"]):
        before = f"{last['first_month']} to {last['last_month']}"
        return f"other months are whole: {first_month} to {last_month}, before {before}"
    return _drift(platform, last["trained_at"].date())


def _months(platform: Platform) -> tuple[str | None, str | None]:
    found = platform.engine.fetch(MONTHS_SQL, {"cost_features": platform.lake.input(COST_FEATURES)})
    (row,) = found.to_pylist()
    return row["first_month"], row["last_month"]


def _code(platform: Platform) -> str:
    return build_key(recipe("finops_assets.forecasting", *LIBRARIES), platform.settings.forecast.holidays)


def _drift(platform: Platform, since: date) -> str | None:
    inputs = {t.name: platform.lake.input(t) for t in (FORECAST_RECORD, FORECAST_ACCURACY)}
    drifted = platform.engine.fetch(load_sql("forecast_drift"), inputs, [since]).to_pylist()
    if not drifted:
        return None
    row = drifted[0]
    series = f"{row['level']} {row['metric']} {row['BillingCurrency']}"
    return (
        f"accuracy drifts: {series} at {row['horizon']} is off by {row['wape']:.1%} in {row['makings']} "
        f"forecasts since {since}; {row['promised']:.1%} was promised"
    )


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            table.name,
            deps=[COST_FEATURES.name, PLANNED_CHANGES.name],
            group_name="forecasting",
            owners=["team:finops"],
            kinds={"python", "deltalake"},
            description=table.description,
            metadata={"dagster/column_schema": column_schema(table)},
        )
        for table in TABLES
    ],
    name="backtests",
)
def backtests(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[dg.MaterializeResult[Any]]:
    """Judge all models on all series where there is a reason to; the forecasts that follow learn from it."""
    reason = retraining_reason(platform)
    if reason is None:
        for table in TABLES:
            yield unchanged(table, platform.lake)
        return
    from finops_assets.forecasting.fleet import backtest_fleet

    lake, engine, trained_at = platform.lake, platform.engine, datetime.now(UTC)
    first_month, last_month = _months(platform)
    features = engine.fetch("SELECT * FROM f", {"f": lake.input(COST_FEATURES)})
    made = backtest_fleet(features, facts=facts_of(platform))
    key = build_key(_code(platform), str(first_month), str(last_month), trained_at.isoformat())
    path = lake.new_file(FORECAST_BACKTEST, {}, key)
    file = engine.write("SELECT * FROM made", {"made": made}, FORECAST_BACKTEST, path)
    lake.replace(FORECAST_BACKTEST, {}, [file], context.run.run_id)
    row = {
        "trained_at": trained_at,
        "first_month": first_month,
        "last_month": last_month,
        "code": _code(platform),
        "reason": reason,
        "rows": made.num_rows,
    }
    training = pa.Table.from_pylist([row], schema=FORECAST_TRAININGS.arrow_schema())
    path = lake.new_file(FORECAST_TRAININGS, {}, key)
    ledger = engine.write("SELECT * FROM made", {"made": training}, FORECAST_TRAININGS, path)
    lake.append(FORECAST_TRAININGS, {}, [ledger], context.run.run_id)
    yield materialized(FORECAST_BACKTEST, file.rows, reason=reason)
    yield materialized(FORECAST_TRAININGS, lake.rows(FORECAST_TRAININGS), reason=reason)


@dg.sensor(
    target=[backtests],
    minimum_interval_seconds=3600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Retrains when months land or accuracy drifts; the run's tag says why. Forecasts follow.",
)
def retraining(context: dg.SensorEvaluationContext, platform: Platform) -> dg.RunRequest | dg.SkipReason:
    """One run for each reason, once."""
    if not platform.lake.files(COST_FEATURES):
        return dg.SkipReason("There are no costs to learn from yet.")
    reason = retraining_reason(platform)
    if reason is None:
        return dg.SkipReason(
            "The backtest is of the newest months, and forecasts are as good as it promised."
        )
    last = newest_training(platform)
    since = "never" if last is None else last["trained_at"].isoformat()
    return dg.RunRequest(run_key=f"{since}: {reason}", tags={REASON_TAG: reason})


assets: list[dg.AssetsDefinition] = [backtests]
sensors: list[dg.SensorDefinition] = [retraining]
