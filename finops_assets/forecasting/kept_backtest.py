"""A backtest as a table: run seldom, kept, and learned from by every forecast until the next one.

Weights, bands and champions follow from the errors of a backtest at little cost; what costs is to forecast
again from so many past days with every model. Amounts are kept in units of each series' scale, as the
models' errors are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

_SCALED = ("naive_error", "actual", "mean")
_NAMES = ("level", "metric", "currency", "model")


@dataclass(frozen=True)
class Judged:
    """Errors of a backtest (see `backtest.backtest`) with their coverage, `series` as positions in a fleet:
    of the series that are forecast by themselves, and of those that are sums of others. `until` is the last
    day that it looked at; None where there was nothing to judge.
    """

    base: pd.DataFrame
    sums: pd.DataFrame
    until: np.datetime64 | None


def backtest_table(judged: Judged, series_ids: Sequence[str]) -> pa.Table:
    """The rows of FORECAST_BACKTEST; `series_ids` names the fleet's series in its order."""
    parts = [f.astype(dict.fromkeys(_NAMES, str)).assign(is_sum=s) for f, s in _parts(judged) if len(f)]
    if not parts:
        return SCHEMA.empty_table()
    rows = pd.concat(parts, ignore_index=True)
    scale = rows["scale"].to_numpy(np.float64)
    names = pa.array(list(series_ids), pa.string())
    data = {
        "series_id": names.take(pa.array(rows["series"].to_numpy(np.int64))),
        "until": pa.array(np.full(len(rows), judged.until), pa.date32()),
        **{name: pa.array(rows[name].tolist(), pa.string()) for name in _NAMES},
        "is_sum": pa.array(rows["is_sum"].to_numpy(np.bool_)),
        **{name: pa.array(rows[name].to_numpy(np.int32)) for name in ("window", "length", "step")},
        "scale": pa.array(scale),
        **{name: pa.array(rows[name].to_numpy(np.float64) / scale, from_pandas=True) for name in _SCALED},
        **{name: pa.array(rows[name].to_numpy(np.float64), from_pandas=True) for name in _AS_IS},
    }
    return pa.table({c: data["currency" if c == "BillingCurrency" else c] for c in SCHEMA.names}, SCHEMA)


def read_backtest(table: pa.Table, series_ids: Sequence[str], sums: Collection[int]) -> Judged:
    """The backtest as it is of a fleet now: without the series that are gone; `sums` are its sums' positions.

    A series that has come since has no errors of its own; what its group shows counts for it.
    """
    place = {name: position for position, name in enumerate(series_ids)}
    rows = table.rename_columns({"BillingCurrency": "currency"}).to_pandas()
    series = rows["series_id"].map(place)
    rows = rows.assign(series=series)[series.notna()].reset_index(drop=True)
    rows["series"] = rows["series"].astype(np.int64)
    for name in _SCALED:
        rows[name] = rows[name] * rows["scale"]
    rows = rows.astype(dict.fromkeys(_NAMES, "category"))
    until = np.datetime64(rows["until"].iloc[0], "D") if len(rows) else None
    in_sums = rows["series"].isin(sums)
    kept = rows.drop(columns=["series_id", "until", "is_sum"])
    return Judged(
        base=_of(kept, ~rows["is_sum"].to_numpy(np.bool_) & ~in_sums.to_numpy()),
        sums=_of(kept, rows["is_sum"].to_numpy(np.bool_) & in_sums.to_numpy()),
        until=until,
    )


def _of(rows: pd.DataFrame, wanted: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> pd.DataFrame:
    part = rows[wanted].reset_index(drop=True)
    return part.assign(**{name: part[name].cat.remove_unused_categories() for name in _NAMES})


def _parts(judged: Judged) -> tuple[tuple[pd.DataFrame, bool], ...]:
    return (judged.base, False), (judged.sums, True)


_AS_IS = ("low", "high", "inside_80", "inside_95")

SCHEMA = pa.schema(
    [
        ("series_id", pa.string()),
        ("level", pa.string()),
        ("metric", pa.string()),
        ("BillingCurrency", pa.string()),
        ("is_sum", pa.bool_()),
        ("until", pa.date32()),
        ("window", pa.int32()),
        ("length", pa.int32()),
        ("model", pa.string()),
        ("step", pa.int32()),
        *((name, pa.float64()) for name in ("scale", *_SCALED, *_AS_IS)),
    ]
)
"""The columns of FORECAST_BACKTEST."""
