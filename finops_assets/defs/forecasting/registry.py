"""The registered model: one making's forecasts of all series, as an MLflow pyfunc that looks them up.

A statistical forecast is refitted on every new day, so what there is to serve is not a fit but what it said.
One version holds all series in one Parquet file: a run a series would take minutes.

Loading: `mlflow.pyfunc.load_model("models:/finops-forecasts@champion")` gives a model whose `predict` takes
a DataFrame with series_id (as in `cost_forecasts`) and, if wanted, horizon (days), and returns the rows of
these series up to that horizon, by all days where none is given.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

NAME = "finops-forecasts"
CHAMPION, CHALLENGER = "champion", "challenger"
DECIDING_HORIZON = "30d"
LEVEL_WEIGHTS = {"total": 4.0, "provider": 2.0}
"""What an error weighs in the decision: the total is what people plan by, then each provider; every other
level weighs 1."""

METRIC_PREFIX = f"champion_wape_{DECIDING_HORIZON}/"
_COLUMNS = ("series_id", "day", "horizon", "model", "mean", "lo_80", "hi_80", "lo_95", "hi_95")


class Forecasts:
    """All series of one making. MLflow calls `predict`."""

    def __init__(self, rows: pa.Table) -> None:
        self._rows = rows
        self._horizon = rows["horizon"].to_numpy()
        ids = rows["series_id"].combine_chunks().dictionary_encode()
        codes = ids.indices.to_numpy()
        order = np.argsort(codes, kind="stable")
        edges = np.searchsorted(codes[order], np.arange(1, len(ids.dictionary)))
        self._places = dict(zip(ids.dictionary.to_pylist(), np.split(order, edges), strict=True))

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """The forecast rows of each asked series, in the order asked; money as Decimal.

        `model_input`: series_id, and optionally horizon (days ahead, null: all). Raises ValueError for a
        series that the making does not hold. `params` is MLflow's and has no meaning here.
        """
        asked = model_input["series_id"].tolist()
        unknown = [name for name in asked if name not in self._places]
        if unknown:
            raise ValueError(f"no forecast of series {unknown[0]!r}; this making has {len(self._places)}")
        horizons = model_input["horizon"].tolist() if "horizon" in model_input else [None] * len(asked)
        taken: list[int] = []
        for name, horizon in zip(asked, horizons, strict=True):
            places = self._places[name]
            if not pd.isna(horizon):
                places = places[self._horizon[places] <= horizon]
            taken.extend(places.tolist())
        found: pd.DataFrame = self._rows.take(pa.array(taken, pa.int64())).to_pandas()
        return found


def _load_pyfunc(path: str) -> Forecasts:
    """What MLflow calls to load the model: `path` is the Parquet file."""
    return Forecasts(pyarrow.parquet.read_table(path))


def deciding_errors(accuracy: pa.Table) -> dict[str, float]:
    """level/metric/currency → the backtest's WAPE at 30 days of the model in force there.

    `accuracy` has the columns of FORECAST_ACCURACY but mlflow_run_id. A group that did not reach 30 days,
    or spent nothing, is left out.
    """
    rows = accuracy.filter((pc.field("horizon") == DECIDING_HORIZON) & pc.field("is_champion")).to_pylist()
    return {
        f"{row['level']}/{row['metric']}/{row['BillingCurrency']}": row["wape"]
        for row in rows
        if row["wape"] is not None
    }


def is_no_worse(new: Mapping[str, float], champion: Mapping[str, float]) -> bool:
    """Whether a making with these deciding errors may take the place of the champion with those.

    Compared is the weighted mean of the errors (LEVEL_WEIGHTS) over the groups that both have: a currency
    or level that is new is no merit and no fault. A champion without any error measured proves nothing and
    gives way; a newcomer that shares no group with the champion proves nothing and does not take over.
    """
    if not champion:
        return True
    shared = sorted(new.keys() & champion.keys())
    if not shared:
        return False
    # The same weights on both sides: their sum does not matter to the order.
    return _weighed(new, shared) <= _weighed(champion, shared)


def _weighed(errors: Mapping[str, float], groups: list[str]) -> float:
    return sum(LEVEL_WEIGHTS.get(group.partition("/")[0], 1.0) * errors[group] for group in groups)


def register(client: MlflowClient, run: Run, forecasts: pa.Table, accuracy: pa.Table) -> str:
    """Log the making's forecasts in force as a model of `run` and register it; the new version's number.

    `forecasts` has the columns of COST_FORECASTS but made_at and made_on_month. The alias `champion` moves
    to the new version if `is_no_worse` says so; else it stays, and the version is tagged `challenger`. The
    run's metrics keep the deciding errors, so that a later making is compared with what was recorded.
    """
    errors = deciding_errors(accuracy)
    for group, wape in errors.items():
        client.log_metric(run.info.run_id, f"{METRIC_PREFIX}{group}", wape)
    with tempfile.TemporaryDirectory() as scratch:
        _save(forecasts, Path(scratch))
        client.log_artifacts(run.info.run_id, str(Path(scratch) / "model"), "model")
    if not client.search_registered_models(f"name = '{NAME}'"):
        client.create_registered_model(NAME, description="One making's forecasts of all series a version.")
    before = _champion_errors(client)
    made = client.create_model_version(NAME, f"{run.info.artifact_uri}/model", run.info.run_id)
    if before is None or is_no_worse(errors, before):
        client.set_registered_model_alias(NAME, CHAMPION, made.version)
    else:
        client.set_model_version_tag(NAME, made.version, CHALLENGER, "true")
    return str(made.version)


def _champion_errors(client: MlflowClient) -> dict[str, float] | None:
    """The deciding errors that the champion's own run recorded; None where there are none."""
    champion = client.get_registered_model(NAME).aliases.get(CHAMPION)
    if champion is None:
        return None
    run_id = client.get_model_version(NAME, champion).run_id
    if run_id is None:  # a person's own model, registered by hand
        return None
    recorded = client.get_run(run_id).data.metrics
    return {k.removeprefix(METRIC_PREFIX): v for k, v in recorded.items() if k.startswith(METRIC_PREFIX)}


def _save(forecasts: pa.Table, folder: Path) -> None:
    with warnings.catch_warnings():
        # MLflow 3.17 warns of its own types while it is imported; not ours to change.
        warnings.filterwarnings("ignore", message=".*Any type hint is inferred as AnyType")
        from mlflow.models import ModelSignature
        from mlflow.pyfunc import save_model
        from mlflow.types import ColSpec, DataType, Schema

    data = folder / "forecasts.parquet"
    in_force = forecasts.filter(pc.field("is_champion")).select(list(_COLUMNS))
    pyarrow.parquet.write_table(in_force, data, compression="zstd")
    inputs = Schema(
        [ColSpec(DataType.string, "series_id"), ColSpec(DataType.long, "horizon", required=False)]
    )
    with warnings.catch_warnings():
        # With an example of the input MLflow loads the whole model again to try it; the signature is ours.
        warnings.filterwarnings("ignore", message=".*An input example was not provided")
        save_model(
            folder / "model",
            loader_module=__name__,
            data_path=str(data),
            signature=ModelSignature(inputs=inputs),
            # Named, so that MLflow does not import the model in another process to find them.
            pip_requirements=[f"{name}=={version(name)}" for name in ("mlflow", "pandas", "pyarrow")],
        )
