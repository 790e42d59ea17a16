"""Any table of daily series (unique_id, ds, y) as the detector reads one."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from finops_assets.anomalies.events import detect_events
from finops_assets.series import SERIES_COLUMNS

LEVEL = "series"
"""The level of series that are parts of no bill: each is judged by its own size alone."""

_MONEY = pa.decimal128(38, 18)


class SeriesTableError(ValueError):
    """The table is not one of daily series: names column, row, expected and found."""


def detect_table(table: pa.Table, *, last_days: int = 400) -> pa.Table:
    """The events of daily series: unique_id (text), ds (a day), y (a number), in any order.

    Days may be missing; a null y is a missing day. Gives the columns of `events.EVENTS`, with unique_id
    as series_id and no other name. Raises SeriesTableError for a table that is none.
    """
    return detect_events(features_of_table(table), last_days=last_days)


def features_of_table(table: pa.Table) -> pa.Table:
    """The table in the columns of `cost_features` that the detector reads. Raises SeriesTableError."""
    missing = [c for c in ("unique_id", "ds", "y") if c not in table.column_names]
    if missing:
        raise SeriesTableError(
            f"column {missing[0]}: expected columns unique_id, ds, y, found {', '.join(table.column_names)}"
        )
    ids = _cast(table, "unique_id", pa.string(), "a name")
    days = _cast(table, "ds", pa.date32(), "a day such as 2026-01-31")
    values = _cast(table, "y", pa.float64(), "a number")
    for name, column in (("unique_id", ids), ("ds", days)):
        if column.null_count:
            row = pc.index(pc.is_null(column), True).as_py()
            raise SeriesTableError(f"row {row + 1}, column {name}: expected a value, found none")
    wild = pc.fill_null(pc.greater_equal(pc.abs(values), 1e18), False)
    odd = pc.or_(wild, pc.fill_null(pc.invert(pc.is_finite(values)), False))
    if pc.any(odd).as_py():
        row = pc.index(odd, True).as_py()
        raise SeriesTableError(f"row {row + 1}, column y: expected a number, found {values[row].as_py()}")
    _refuse_twice(ids, days)
    count = table.num_rows
    nothing = {c: pa.nulls(count, pa.string()) for c in SERIES_COLUMNS}
    named = {**nothing, "series_id": ids, "level": pa.array([LEVEL] * count, pa.string())}
    exact = pc.round(values, 6).cast(pa.decimal128(38, 6), safe=False).cast(_MONEY)
    made = pa.table(
        {**named, "metric": pa.array(["y"] * count, pa.string()), "day": days, "cost": exact}
    ).append_column("is_complete", pa.array([True] * count, pa.bool_()))
    return made.filter(pc.is_valid(made["cost"]))


def _cast(table: pa.Table, name: str, wanted: pa.DataType, what: str) -> pa.ChunkedArray:
    column = table[name]
    try:
        return _cast_column(column, wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        for row, value in enumerate(column.to_pylist()):
            try:
                _cast_column(pa.chunked_array([pa.array([value], column.type)]), wanted)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                raise SeriesTableError(
                    f"row {row + 1}, column {name}: expected {what}, found {value!r}"
                ) from None
        raise


def _cast_column(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_date32(wanted) and pa.types.is_timestamp(column.type):
        # A time of day is left out; the days of a zone are the zone's own.
        return pc.floor_temporal(column, unit="day").cast(pa.date32(), safe=False)
    return column.cast(wanted)


def _refuse_twice(ids: pa.ChunkedArray, days: pa.ChunkedArray) -> None:
    counted = (
        pa.table({"unique_id": ids, "ds": days}).group_by(["unique_id", "ds"]).aggregate([([], "count_all")])
    )
    twice = counted.filter(pc.greater(counted["count_all"], 1)).sort_by("ds")
    if twice.num_rows:
        first = twice.slice(0, 1).to_pylist()[0]
        raise SeriesTableError(
            f"series {first['unique_id']}, day {first['ds']}: expected one row, found {first['count_all']}"
        )
