"""How long all forecasts of a made-up bill take beside one pass of AutoETS over its series."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table

from benchmarks.generated_fleets import FIRST_DAY, generated_fleet
from finops_assets.defs.forecasting.tracking import record_making
from finops_assets.forecasting.fleet import forecast_fleet
from finops_assets.series import SERIES_COLUMNS

AHEAD = 90
_TIMED = 100
"""So many series are fitted with AutoETS; it takes as long for one as for another."""

_SERVICES = 20
_LEVELS = {
    "account_service": ("ServiceProviderName", "SubAccountId", "ServiceName"),
    "service": ("ServiceProviderName", "ServiceName"),
    "account": ("ServiceProviderName", "SubAccountId"),
    "provider": ("ServiceProviderName",),
    "total": (),
}


def print_speed(count: int, days: int, seed: int, console: Console) -> None:
    """Print processor times of the making of all levels of `count` leaves, of its logging, and of AutoETS."""
    from statsforecast.models import AutoETS

    features, histories = _features(count, days, seed)
    fit = AutoETS(season_length=7)
    fit.forecast(y=histories[0], h=AHEAD)
    sample = histories[:: max(1, count // _TIMED)]
    began = process_time()
    for values in sample:
        fit.forecast(y=values, h=AHEAD)
    one_pass = (process_time() - began) / len(sample) * count
    began = process_time()
    made = forecast_fleet(features, horizon=AHEAD)
    making = process_time() - began
    began = process_time()
    with tempfile.TemporaryDirectory() as folder:
        record_making(Path(folder), made.forecasts, made.accuracy, {"horizon": AHEAD}, "benchmark")
    logging = process_time() - began
    every = len(pd.unique(made.forecasts["series_id"].to_numpy()))
    console.print(
        f"{count} leaves of {days} days, {every} series of all levels: backtest, champions, intervals and"
        f" forecasts took {making:.0f} s of one core, logging them {logging:.0f} s. One pass of AutoETS"
        f" (statsforecast, its defaults) over the leaves takes {one_pass:.0f} s, measured on {len(sample)}:"
        f" {(making + logging) / one_pass:.2f} x"
    )
    table = Table(title="Backtest of the champions by level, 30 days ahead")
    for heading in ("Level", "Model", "Series", "WAPE", "in the 80% interval", "in the 95% interval"):
        table.add_column(heading)
    for row in made.accuracy.filter((pc.field("horizon") == 30) & pc.field("is_champion")).to_pylist():
        inside = (f"{row[c]:.1%}" for c in ("coverage_80", "coverage_95"))
        table.add_row(row["level"], row["model"], str(row["series"]), f"{row['wape']:.3f}", *inside)
    console.print(table)


def _features(count: int, days: int, seed: int) -> tuple[pa.Table, list[np.ndarray]]:
    """Daily costs of all levels as `cost_features` has them, and the leaves' values."""
    made = generated_fleet(count, days, seed)
    leaves = pd.concat(
        pd.DataFrame(
            {
                "ServiceProviderName": provider,
                "SubAccountId": f"account {i // _SERVICES}",
                "ServiceName": f"service {i % _SERVICES}",
                "day": FIRST_DAY + days - len(values) + np.arange(len(values)),
                "cost": values,
            }
        )
        for i, (provider, values) in enumerate(made.values())
    )
    return (
        pa.concat_tables(_level(leaves, level, list(keys)) for level, keys in _LEVELS.items()),
        [values for _, values in made.values()],
    )


def _level(leaves: pd.DataFrame, level: str, keys: list[str]) -> pa.Table:
    rows = leaves.groupby([*keys, "day"], as_index=False)["cost"].sum()
    names = {
        c: rows[c] if c in keys else pd.Series([None] * len(rows), dtype="object") for c in SERIES_COLUMNS
    }
    names["level"] = pd.Series([level] * len(rows))
    names["metric"] = pd.Series(["EffectiveCost"] * len(rows))
    names["BillingCurrency"] = pd.Series(["USD"] * len(rows))
    if "SubAccountId" in keys:
        names["BillingAccountId"] = pd.Series(["payer"] * len(rows))
    names["series_id"] = pd.Series([level] * len(rows)).str.cat([rows[k] for k in keys], sep="|")
    money = pa.decimal128(38, 18)
    return pa.table(
        {
            **{c: pa.array(names[c], pa.string()) for c in SERIES_COLUMNS},
            "day": pa.array(rows["day"].to_numpy().astype("datetime64[D]"), pa.date32()),
            "cost": pa.array(rows["cost"].round(2).to_numpy())
            .cast(pa.decimal128(18, 2), safe=False)
            .cast(money),
            "correction": pa.array(np.zeros(len(rows), dtype=np.int64)).cast(money),
            "is_complete": pa.array(np.ones(len(rows), dtype=np.bool_)),
        }
    )
