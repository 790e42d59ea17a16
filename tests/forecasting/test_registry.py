"""The registered model is loaded back through MLflow and held against the table it was made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pyarrow as pa
import pytest
from mlflow import MlflowClient

from finops_assets.defs.forecasting.registry import NAME, deciding_errors, is_no_worse
from finops_assets.defs.forecasting.tracking import record_making
from finops_assets.marts.forecasts import COST_FORECASTS, FORECAST_ACCURACY

START = date(2026, 3, 1)


def making(series: int, amount: int, horizon: int = 10) -> pa.Table:
    """A champion and a runner-up for each of so many series."""
    rows = []
    for n in range(series):
        for model, is_champion in (("AutoETS", True), ("SeasonalNaive", False)):
            for step in range(1, horizon + 1):
                mean = Decimal(amount + 100 * n + step) + (Decimal(0) if is_champion else Decimal("0.01"))
                bounds = {"lo_80": mean - 1, "hi_80": mean + 1, "lo_95": mean - 2, "hi_95": mean + 2}
                of = {"series_id": f"service|AWS||s{n}|BilledCost|USD", "model": model, "horizon": step}
                day = START + timedelta(days=step)
                rows.append({**of, "day": day, "is_champion": is_champion, "mean": mean, **bounds})
    names = [c for c in COST_FORECASTS.columns if c.name not in {"made_at", "made_on_month"}]
    return pa.Table.from_pylist(rows, schema=pa.schema([(c.name, c.arrow) for c in names]))


def accuracy(**wape: float) -> pa.Table:
    """One champion a level, with this WAPE at 30 days; at 7 days, and for the runner-up, it is another."""
    rows: list[dict[str, Any]] = []
    for level, value in wape.items():
        group = {"level": level, "metric": "BilledCost", "BillingCurrency": "USD"}
        for horizon, model, error in (
            ("30d", "AutoETS", value),
            ("7d", "AutoETS", 0.5),
            ("30d", "Naive", 0.9),
        ):
            of = {"model": model, "horizon": horizon, "is_champion": model == "AutoETS"}
            rows.append({**group, **of, "kind": "backtest", "wape": error})
    names = [c for c in FORECAST_ACCURACY.columns if c.name != "mlflow_run_id"]
    return pa.Table.from_pylist(rows, schema=pa.schema([(c.name, c.arrow) for c in names]))


@contextmanager
def tracking(folder: Path) -> Iterator[MlflowClient]:
    """MLflow, pointed at a folder as a person would, and back again."""
    before, uri = mlflow.get_tracking_uri(), f"sqlite:///{folder.resolve() / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    try:
        yield MlflowClient()
    finally:
        mlflow.set_tracking_uri(before)


def loaded(alias: str = "champion") -> Any:
    return mlflow.pyfunc.load_model(f"models:/{NAME}@{alias}")


def test_the_champion_says_what_the_table_says(tmp_path: Path) -> None:
    table = making(3, amount=10)
    record_making(tmp_path, table, accuracy(total=0.1), {}, "run")
    wanted = ["service|AWS||s2|BilledCost|USD", "service|AWS||s0|BilledCost|USD"]
    with tracking(tmp_path):
        model = loaded()
        all_days = model.predict(pd.DataFrame({"series_id": wanted}))
        some = model.predict(pd.DataFrame({"series_id": wanted, "horizon": [2, 3]}))
        with pytest.raises(ValueError, match="no forecast of series 'nothing'"):
            model.predict(pd.DataFrame({"series_id": ["nothing"]}))
    by_series = {
        name: [r for r in table.to_pylist() if r["series_id"] == name and r["is_champion"]] for name in wanted
    }
    expected = [row for name in wanted for row in by_series[name]]
    assert all_days.to_dict("records") == [{c: row[c] for c in all_days.columns} for row in expected]
    assert set(all_days.columns) >= {"series_id", "day", "mean", "lo_80", "hi_80", "lo_95", "hi_95"}
    assert list(zip(some["series_id"], some["horizon"], strict=True)) == [
        (wanted[0], 1), (wanted[0], 2), (wanted[1], 1), (wanted[1], 2), (wanted[1], 3),
    ]  # fmt: skip


def test_the_alias_moves_only_to_what_is_not_worse(tmp_path: Path) -> None:
    def champion_after(amount: int, **wape: float) -> tuple[str, dict[str, str], Decimal]:
        """The champion's version, the newest version's tags, and what the champion says."""
        record_making(tmp_path, making(1, amount), accuracy(**wape), {}, "run")
        with tracking(tmp_path) as client:
            newest = max(client.search_model_versions(f"name = '{NAME}'"), key=lambda v: int(v.version))
            said = loaded().predict(pd.DataFrame({"series_id": ["service|AWS||s0|BilledCost|USD"]}))
            champion = client.get_model_version_by_alias(NAME, "champion")
            return str(champion.version), dict(newest.tags), said["mean"][0]

    assert champion_after(10, total=0.10, service=0.20) == ("1", {}, Decimal(11))
    # Better in the services, but worse in the total, which weighs four times as much.
    assert champion_after(20, total=0.12, service=0.15) == ("1", {"challenger": "true"}, Decimal(11))
    assert champion_after(30, total=0.10, service=0.20) == ("3", {}, Decimal(31))
    assert champion_after(40, total=0.09, service=0.23) == ("4", {}, Decimal(41))
    # Held against version 4's own record now, not against the first.
    assert champion_after(50, total=0.095, service=0.22) == ("4", {"challenger": "true"}, Decimal(41))


def test_a_making_without_series_registers_nothing(tmp_path: Path) -> None:
    record_making(tmp_path, making(0, 0), accuracy(), {}, "run")
    with tracking(tmp_path) as client:
        assert not client.search_registered_models()


def test_what_decides_is_the_model_in_force_at_thirty_days() -> None:
    assert deciding_errors(accuracy(total=0.1, account=0.3)) == {
        "total/BilledCost/USD": 0.1,
        "account/BilledCost/USD": 0.3,
    }


@pytest.mark.parametrize(
    ("new", "champion", "expected"),
    [
        ({"total/m/USD": 0.1}, {"total/m/USD": 0.1}, True),
        ({"total/m/USD": 0.11}, {"total/m/USD": 0.1}, False),
        # 4 × .10 + 2 × .20 = .80 against 4 × .09 + 2 × .23 = .82, and against .79.
        ({"total/m/USD": 0.10, "provider/m/USD": 0.20}, {"total/m/USD": 0.09, "provider/m/USD": 0.23}, True),
        ({"total/m/USD": 0.10, "provider/m/USD": 0.2}, {"total/m/USD": 0.09, "provider/m/USD": 0.215}, False),
        # A new currency neither helps nor hurts.
        ({"total/m/USD": 0.1, "total/m/EUR": 0.9}, {"total/m/USD": 0.1}, True),
        ({"total/m/EUR": 0.0}, {"total/m/USD": 0.1}, False),
        ({}, {}, True),
        ({}, {"total/m/USD": 0.1}, False),
    ],
)
def test_the_rule(new: dict[str, float], champion: dict[str, float], expected: bool) -> None:
    assert is_no_worse(new, champion) is expected
