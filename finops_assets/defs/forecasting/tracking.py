"""Makings in MLflow: one run each, in a SQLite database beside its artifacts."""

from __future__ import annotations

import logging
import os
import tempfile
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "forecasts"
MEASURES = ("wape", "mase", "bias", "coverage_80", "coverage_95")
_BATCH = 1000


def record_making(
    folder: Path, forecasts: pa.Table, accuracy: pa.Table, params: Mapping[str, object], run_id: str
) -> str:
    """Record one making's backtest and register its forecasts as a model; the MLflow run's id.

    `folder` gets mlflow.db and artifacts/. Metrics are named measure/level/metric/currency/model/horizon,
    champions are tags, and the whole table is the artifact accuracy.csv. `run_id` is the Dagster run's.
    A making without a series registers nothing; see registry.py for the rest.
    """
    # MLflow reports its use to its makers unless told not to; a bill's platform calls nobody.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.entities import Metric, Param, RunTag

    from finops_assets.defs.forecasting.registry import register

    folder.mkdir(parents=True, exist_ok=True)
    client = _open(f"sqlite:///{folder.resolve() / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    experiment_id = (
        experiment.experiment_id
        if experiment is not None
        else client.create_experiment(EXPERIMENT, artifact_location=(folder.resolve() / "artifacts").as_uri())
    )
    run = client.create_run(experiment_id, run_name="backtest", tags={"dagster_run_id": run_id})
    now = int(time.time() * 1000)
    metrics = [Metric(name, value, now, 0) for name, value in _metrics(accuracy).items()]
    tags = [RunTag(f"champion/{name}", model) for name, model in _champions(accuracy).items()]
    client.log_batch(run.info.run_id, params=[Param(k, str(v)) for k, v in params.items()], tags=tags[:100])
    for start in range(0, len(metrics), _BATCH):
        client.log_batch(run.info.run_id, metrics=metrics[start : start + _BATCH])
    with tempfile.TemporaryDirectory() as scratch:
        table = Path(scratch) / "accuracy.csv"
        pyarrow.csv.write_csv(accuracy, table)
        client.log_artifact(run.info.run_id, str(table))
    if forecasts.num_rows:
        register(client, run, forecasts, accuracy)
    client.set_terminated(run.info.run_id)
    return str(run.info.run_id)


def _open(uri: str) -> MlflowClient:
    from mlflow import MlflowClient
    from sqlalchemy.exc import SADeprecationWarning

    # A new database is migrated through dozens of versions, each told at level INFO.
    for name in ("alembic", "mlflow.store.db"):
        logging.getLogger(name).setLevel(logging.WARNING)
    with warnings.catch_warnings():
        # MLflow 3.17 maps its tables in a way that SQLAlchemy 2.1 will drop; not ours to change.
        warnings.filterwarnings("ignore", message="The ``noload`` loader", category=SADeprecationWarning)
        return MlflowClient(tracking_uri=uri)


def _metrics(accuracy: pa.Table) -> dict[str, float]:
    return {
        f"{measure}/{_group(row)}/{row['model']}/{row['horizon']}": row[measure]
        for row in accuracy.to_pylist()
        for measure in MEASURES
        if row[measure] is not None
    }


def _champions(accuracy: pa.Table) -> dict[str, str]:
    return {_group(row): str(row["model"]) for row in accuracy.to_pylist() if row["is_champion"]}


def _group(row: Mapping[str, object]) -> str:
    return f"{row['level']}/{row['metric']}/{row['BillingCurrency']}"
