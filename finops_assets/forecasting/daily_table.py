"""Backtest and forecast of anyone's daily series: a table of unique_id, ds and y."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from finops_assets.forecasting.fleet import SILENT_DAYS, forecast_series
from finops_assets.forecasting.history import FloatArray, History, Series

COLUMNS = {"unique_id": "which series", "ds": "the day", "y": "the value"}
LONGEST_HORIZON = 366
_FORECASTS = ("mean", "lo_80", "hi_80", "lo_95", "hi_95")


class BadTableError(ValueError):
    """The table is not one of daily series; the text says what was expected and what was found."""


@dataclass(frozen=True)
class TableBacktest:
    """`metrics`: a row a model and horizon (series, windows, wape, mase, bias, coverage_80, coverage_95,
    is_champion). `forecasts`: unique_id, ds, model and mean, lo_80, hi_80, lo_95, hi_95 of the champion.
    `left_out`: why a series has no forecast. `filled`: how many missing days each series had.
    """

    metrics: pa.Table
    forecasts: pa.Table
    left_out: dict[str, str]
    filled: dict[str, int]


def backtest_table(table: pa.Table, *, horizon: int = 90) -> TableBacktest:
    """Backtest all models on the series of a table, and forecast `horizon` days with the champion.

    `unique_id` names a series, `ds` is its day (a date, a timestamp or ISO text), `y` a number. Errors
    are of 7, 30 and 90 days ahead as far as the horizon reaches, and of the horizon itself. A missing
    day, or one whose y is null, gets the value of the day a week before it (in the first week, of the
    day before), and is counted in `filled`. A series without values, or one that ended 45 days before
    the newest, gets no forecast but a reason.
    Raises BadTableError for a missing column, a column of another type, and a day given twice.
    """
    if not 1 <= horizon <= LONGEST_HORIZON:
        raise BadTableError(f"expected a horizon of 1 to {LONGEST_HORIZON} days, found {horizon}")
    rows = _rows(table)
    left_out: dict[str, str] = {}
    filled: dict[str, int] = {}
    newest = rows["ds"].max()
    names: list[str] = []
    fleet: list[Series] = []
    for name, group in rows.groupby("unique_id", sort=True):
        days, known = group["ds"].to_numpy().astype("datetime64[D]"), group["y"].to_numpy()
        days, known = days[np.isfinite(known)], known[np.isfinite(known)]
        if len(days) == 0:
            left_out[str(name)] = "it has no values"
            continue
        silent = int((newest.to_datetime64().astype("datetime64[D]") - days[-1]).astype(np.int64))
        if silent > SILENT_DAYS:
            left_out[str(name)] = f"it ended on {days[-1]}, {silent} days before the newest series"
            continue
        values, missing = _without_gaps(days, known)
        if missing:
            filled[str(name)] = missing
        names.append(str(name))
        fleet.append(Series(len(fleet), "series", "y", "", History(days[0], values)))
    run = forecast_series(
        fleet, horizon=horizon, horizons=sorted({*(h for h in (7, 30, 90) if h < horizon), horizon})
    )
    return TableBacktest(
        metrics=_metrics(run.measured, run.winners.get(("series", "y", ""), "")),
        forecasts=_forecasts(run.made, names),
        left_out=left_out,
        filled=filled,
    )


def _rows(table: pa.Table) -> pd.DataFrame:
    """The three columns, typed, sorted by series and day."""
    missing = [c for c in COLUMNS if c not in table.column_names]
    if missing:
        wanted = ", ".join(f"{c} ({what})" for c, what in COLUMNS.items())
        raise BadTableError(
            f"no column {', '.join(missing)}: expected {wanted}; found {', '.join(table.column_names)}"
        )
    typed = {
        "unique_id": _cast(table, "unique_id", pa.string(), "text"),
        "ds": _cast(table, "ds", pa.date32(), "a day such as 2025-01-31"),
        "y": _cast(table, "y", pa.float64(), "a number"),
    }
    for column in ("unique_id", "ds"):
        if typed[column].null_count:
            raise BadTableError(f"column {column}: expected a value in every row, found null")
    rows: pd.DataFrame = pa.table(typed).to_pandas()
    rows["ds"] = pd.to_datetime(rows["ds"])
    rows = rows.sort_values(["unique_id", "ds"], ignore_index=True)
    twice = rows[rows.duplicated(["unique_id", "ds"])]
    if len(twice):
        first = twice.iloc[0]
        raise BadTableError(
            f"expected one row a series and day, found {first['unique_id']} on {first['ds']:%Y-%m-%d} twice"
            f" (and {len(twice) - 1} more)"
        )
    return rows


def _cast(table: pa.Table, column: str, wanted: pa.DataType, words: str) -> pa.ChunkedArray:
    values = table[column]
    try:
        if wanted == pa.date32() and pa.types.is_timestamp(values.type):
            values = pc.floor_temporal(values, unit="day")
        return values.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadTableError(f"column {column}: expected {words}, found {values.type}: {error}") from error


def _without_gaps(
    days: np.ndarray[tuple[int], np.dtype[np.datetime64]], known: FloatArray
) -> tuple[FloatArray, int]:
    """Values of every day from the first to the last, and how many of them were missing."""
    at = (days - days[0]).astype(np.int64)
    values = np.full(int(at[-1]) + 1, np.nan)
    values[at] = known
    missing = np.flatnonzero(np.isnan(values))
    for i in missing:
        values[i] = values[i - 7] if i >= 7 else values[i - 1]
    return values, len(missing)


def _metrics(measured: pd.DataFrame, champion: str) -> pa.Table:
    kept = ["model", "horizon", "series", "windows", "wape", "mase", "bias", "coverage_80", "coverage_95"]
    rows = measured[kept].assign(model=measured["model"].astype(str))
    rows["is_champion"] = rows["model"] == champion
    return pa.Table.from_pandas(rows, preserve_index=False)


def _forecasts(made: list[pd.DataFrame], names: list[str]) -> pa.Table:
    schema = pa.schema(
        [
            ("unique_id", pa.string()),
            ("ds", pa.date32()),
            ("model", pa.string()),
            *((c, pa.float64()) for c in _FORECASTS),
        ]
    )
    if not made:
        return schema.empty_table()
    rows = pd.concat(made, ignore_index=True)
    rows = rows[rows["is_champion"]]
    data = {
        "unique_id": [names[row] for row in rows["row"]],
        "ds": rows["day"].to_numpy().astype("datetime64[D]"),
        "model": rows["model"].to_numpy(),
        **{c: rows[c].to_numpy() for c in _FORECASTS},
    }
    return pa.table(data, schema=schema)
