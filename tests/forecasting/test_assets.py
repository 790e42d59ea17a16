"""The analysis stages in Dagster, from a small daily cube to forecasts, anomalies and drivers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import numpy as np
import pyarrow as pa
import pytest
from mlflow import MlflowClient

from finops_assets.defs.anomalies import assets as anomalies
from finops_assets.defs.forecasting import assets as forecasting
from finops_assets.defs.forecasting import record, retraining
from finops_assets.defs.resources import Platform
from finops_assets.marts.anomalies import ANOMALY_DRIVERS, COST_ANOMALIES
from finops_assets.marts.budgets import FORECAST_PATHS
from finops_assets.marts.forecasts import (
    COST_FORECASTS,
    COST_FORECASTS_MONTHLY,
    FORECAST_ACCURACY,
    FORECAST_RECORD,
)
from finops_assets.marts.series import COST_FEATURES
from finops_assets.marts.training import FORECAST_BACKTEST, FORECAST_TRAININGS
from finops_assets.schema import Table
from finops_assets.settings import current_settings
from tests.forecasting.fleets import cost_like

DAYS = 160
START = date(2025, 1, 6)
SPIKE = START + timedelta(days=150)
MADE = (
    COST_FEATURES,
    FORECAST_BACKTEST,
    FORECAST_TRAININGS,
    COST_FORECASTS,
    COST_FORECASTS_MONTHLY,
    FORECAST_ACCURACY,
    FORECAST_PATHS,
    FORECAST_RECORD,
    COST_ANOMALIES,
    ANOMALY_DRIVERS,
)


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("FINOPS_PATHS__DATA", str(tmp_path))
    current_settings.cache_clear()
    yield Platform()
    current_settings.cache_clear()


def load(platform: Platform, until: int, key: str) -> None:
    """Put the first `until` days of three services into the lake's daily cube, one month a partition."""
    table = forecasting.DAILY_COSTS
    rows = []
    for i, service in enumerate(("EC2", "S3", "RDS")):
        costs = cost_like(i, DAYS, size=100 * (i + 1))
        costs[150] += 900 if service == "S3" else 0
        for offset in range(until):
            cost = Decimal(f"{costs[offset]:.6f}")
            rows.append(
                {
                    "x_Day": START + timedelta(days=offset),
                    "ServiceProviderName": "AWS",
                    "SubAccountId": "111",
                    "SubAccountName": "prod",
                    "ServiceName": service,
                    "RegionId": "us-east-1",
                    "ChargeCategory": "Usage",
                    "BillingCurrency": "USD",
                    "BilledCost": cost,
                    "EffectiveCost": cost,
                    "x_Source": "aws",
                    "x_BillingMonth": f"{START + timedelta(days=offset):%Y-%m}",
                }
            )
    for month in sorted({str(r["x_BillingMonth"]) for r in rows}):
        mine = [r for r in rows if r["x_BillingMonth"] == month]
        given = pa.Table.from_pylist(mine, schema=table.arrow_schema())
        partition = {"x_Source": "aws", "x_BillingMonth": month}
        path = platform.lake.new_file(table, partition, key)
        file = platform.engine.write("SELECT * FROM given", {"given": given}, table, path)
        platform.lake.replace(table, partition, [file])


def run(platform: Platform) -> dict[str, dict[str, Any]]:
    """Materialize every asset; the metadata of each."""
    result = dg.materialize(
        [*retraining.assets, *forecasting.assets, *record.assets, *anomalies.assets],
        resources={"platform": platform},
        raise_on_error=True,
    )
    events = result.get_asset_materialization_events()
    return {
        str(e.asset_key.to_user_string()): {k: v.value for k, v in e.materialization.metadata.items()}
        for e in events
        if e.asset_key is not None
    }


def ask(platform: Platform, table: Table, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        files = list(platform.lake.files(table))
        connection.read_parquet(files, hive_partitioning=True).create_view("t")
        return connection.execute(sql).fetchall()


def test_from_the_cube_to_drivers_once_for_each_state_of_the_data(platform: Platform) -> None:
    load(platform, DAYS - 1, "a")
    first = run(platform)
    assert set(first) == {t.name for t in MADE}
    for table in MADE:
        assert first[table.name]["dagster/row_count"] == platform.lake.rows(table)
        # Of a first making nothing has come yet.
        assert (platform.lake.rows(table) == 0) == (table is FORECAST_RECORD)

    # One champion a series and day, beyond the last complete day.
    newest = START + timedelta(days=DAYS - 3)
    series = ask(platform, COST_FEATURES, "SELECT count(DISTINCT series_id) FROM t")[0][0]
    # Three services of one account: total, provider, account, three services, three leaves, one region,
    # no billing account, and of each tag key what has no such tag.
    keys = len(platform.settings.tag_keys)
    assert series == 2 * (1 + 1 + 1 + 3 + 3 + 1 + keys)
    found = ask(
        platform,
        COST_FORECASTS,
        "SELECT count(*), count(DISTINCT (series_id, day)), min(data_until), max(data_until), min(day) "
        "FROM t WHERE is_champion",
    )
    assert found == [(series * 90, series * 90, newest, newest, newest + timedelta(days=1))]

    # The accuracy names its MLflow run, which holds the same figures.
    run_ids = ask(platform, FORECAST_ACCURACY, "SELECT DISTINCT mlflow_run_id FROM t")
    wape = ask(
        platform,
        FORECAST_ACCURACY,
        "SELECT wape FROM t WHERE level = 'total' AND metric = 'BilledCost' AND horizon = '30d' "
        "AND model = 'SeasonalNaive'",
    )[0][0]
    database = current_settings().paths.mlflow.resolve() / "mlflow.db"
    client = MlflowClient(tracking_uri=f"sqlite:///{database}")
    logged = client.get_run(run_ids[0][0]).data.metrics
    assert logged["wape/total/BilledCost/USD/SeasonalNaive/30d"] == pytest.approx(wape)
    assert [a.path for a in client.list_artifacts(run_ids[0][0])] == ["accuracy.csv", "model"]

    # The injected spike, at every level it is seen, and its cause.
    events = ask(
        platform,
        COST_ANOMALIES,
        "SELECT level, metric, kind, first_day, status, impact FROM t ORDER BY level, metric",
    )
    assert {(e[0], e[1]) for e in events} >= {("service", "BilledCost"), ("service", "EffectiveCost")}
    assert {e[2:5] for e in events} == {("spike", SPIKE, "ended")}
    assert all(abs(e[5] - 900) < 100 for e in events)
    causes = ask(
        platform,
        ANOMALY_DRIVERS,
        "SELECT DISTINCT value FROM t WHERE dimension = 'ServiceName' AND rank = 1",
    )
    assert causes == [("S3",)]

    # Again, nothing new: nothing is written.
    before = {t.name: platform.lake.version(t) for t in MADE}
    second = run(platform)
    assert {t.name: platform.lake.version(t) for t in MADE} == before
    assert all(m["unchanged"] is True for m in second.values())

    # A day more: the ledger keeps what was said, the events keep when they were first seen.
    seen = ask(platform, COST_ANOMALIES, "SELECT anomaly_id, first_seen FROM t ORDER BY 1")
    load(platform, DAYS, "b")
    judged = platform.lake.version(FORECAST_BACKTEST)
    run(platform)
    assert ask(platform, COST_FORECASTS, "SELECT DISTINCT data_until FROM t ORDER BY 1") == [
        (newest,),
        (newest + timedelta(days=1),),
    ]
    assert ask(platform, COST_FORECASTS, "SELECT count(DISTINCT made_at) FROM t") == [(2,)]
    # No month has become whole: the backtest is the one there was.
    assert platform.lake.version(FORECAST_BACKTEST) == judged
    reasons = ask(platform, FORECAST_TRAININGS, "SELECT reason, first_month, last_month FROM t")
    assert reasons == [("no backtest has been made yet", "2025-01", "2025-05")]
    later = ask(platform, COST_ANOMALIES, "SELECT anomaly_id, first_seen FROM t ORDER BY 1")
    assert {e for e in later if e[0] in {i for i, _ in seen}} == set(seen)


def test_features_of_no_bill_are_an_empty_table_and_everything_goes_through(platform: Platform) -> None:
    made = run(platform)
    assert {m["dagster/row_count"] for name, m in made.items() if name != FORECAST_TRAININGS.name} == {0}
    assert np.all([platform.lake.rows(t) == 0 for t in MADE if t is not FORECAST_TRAININGS])
