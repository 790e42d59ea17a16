"""What a making of the fleet gives, as the columns of its tables; money becomes exact here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from finops_assets.forecasting.accuracy import Group
from finops_assets.forecasting.money import to_money
from finops_assets.series import SERIES_COLUMNS

_AMOUNTS = ("mean", "lo_80", "hi_80", "lo_95", "hi_95")


def forecast_table(complete: pa.Table, made: Sequence[pd.DataFrame]) -> pa.Table:
    """The forecasts of `made` with the names of their rows in `complete`: columns of COST_FORECASTS."""
    columns = ["row", "day", "horizon", "model", "is_champion", *_AMOUNTS]
    rows = pd.concat(made, ignore_index=True) if made else pd.DataFrame({c: [] for c in columns})
    at = pa.array(rows["row"].to_numpy().astype(np.int64))
    names = complete.select(SERIES_COLUMNS).take(at)
    data = {c: names[c] for c in SERIES_COLUMNS}
    data["day"] = pa.array(rows["day"].to_numpy().astype("datetime64[D]"), pa.date32())
    data["data_until"] = complete["day"].take(at)
    data["horizon"] = pa.array(rows["horizon"].to_numpy().astype(np.int32))
    data["model"] = pa.array(rows["model"].tolist(), pa.string())
    data["is_champion"] = pa.array(rows["is_champion"].to_numpy().astype(np.bool_))
    for amount in _AMOUNTS:
        data[amount] = to_money(rows[amount].to_numpy().astype(np.float64))
    return pa.table(data)


def accuracy_table(measured: pd.DataFrame, winners: dict[Group, str]) -> pa.Table:
    """What was measured, with each group's champion: columns of FORECAST_ACCURACY."""
    groups = list(zip(measured["level"], measured["metric"], measured["currency"], strict=True))
    won = [winners[g] == m for g, m in zip(groups, measured["model"], strict=True)]

    def numbers(column: str) -> pa.Array:
        return pa.array(measured[column].to_numpy().astype(np.float64), from_pandas=True)

    def texts(column: str) -> pa.Array:
        return pa.array(measured[column].tolist(), pa.string())

    return pa.table(
        {
            "level": texts("level"),
            "metric": texts("metric"),
            "BillingCurrency": texts("currency"),
            "model": texts("model"),
            "horizon": texts("horizon"),
            "kind": pa.array(["backtest"] * len(measured), pa.string()),
            "series": pa.array(measured["series"].to_numpy().astype(np.int32)),
            "windows": pa.array(measured["windows"].to_numpy().astype(np.int32)),
            **{c: numbers(c) for c in ("wape", "mase", "bias", "coverage_80", "coverage_95")},
            "is_champion": pa.array(won, pa.bool_()),
        }
    )
