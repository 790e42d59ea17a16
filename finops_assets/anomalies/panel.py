"""The fleet as matrices: one row a day, one column a series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from finops_assets.series import SERIES_COLUMNS

FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Panel:
    """Complete days only. `costs` is days × series, NaN where a series has no day.

    `names` has one row a series, in the order of the columns; `table` the rows behind it, sorted by
    series and day, with `table_row[d, s]` (-1 for none) leading from a cell to its exact amount.
    """

    costs: pd.DataFrame
    names: pd.DataFrame
    table: pa.Table
    table_row: npt.NDArray[np.int64]

    @property
    def days(self) -> npt.NDArray[np.datetime64]:
        """The days of the rows, without gaps."""
        return self.costs.index.to_numpy().astype("datetime64[D]")

    @property
    def calendar(self) -> pd.DatetimeIndex:
        """The same days as pandas knows them."""
        return pd.DatetimeIndex(self.costs.index)

    @property
    def is_month_start(self) -> BoolArray:
        """Which rows are the first of a month."""
        return np.asarray(self.calendar.day == 1)

    @property
    def is_month_end(self) -> BoolArray:
        """Which rows are the last of a month."""
        return np.asarray(self.calendar.is_month_end)


def read_panel(features: pa.Table, last_days: int) -> Panel:
    """The panel of `cost_features`: its newest `last_days` days, those still arriving left out."""
    complete = features.filter(pc.field("is_complete")).sort_by(
        [("series_id", "ascending"), ("day", "ascending")]
    )
    if complete.num_rows == 0:
        empty = pd.DataFrame(index=pd.DatetimeIndex([]), dtype=np.float64)
        return Panel(empty, pd.DataFrame(columns=list(SERIES_COLUMNS)), complete, np.empty((0, 0), np.int64))
    days = complete["day"].to_numpy().astype("datetime64[D]")
    newest = days.max()
    first = max(days.min(), newest - (last_days - 1))
    row, column_names = pd.factorize(complete["series_id"].to_pandas(), sort=True)
    at = (days - first).astype(np.int64)
    kept = at >= 0
    shape = (int((newest - first).astype(np.int64)) + 1, len(column_names))
    costs = np.full(shape, np.nan)
    table_row = np.full(shape, -1, np.int64)
    costs[at[kept], row[kept]] = complete["cost"].cast(pa.float64()).to_numpy()[kept]
    table_row[at[kept], row[kept]] = np.flatnonzero(kept)
    last_rows = np.flatnonzero(np.r_[row[1:] != row[:-1], True])
    names = complete.select(SERIES_COLUMNS).take(pa.array(last_rows)).to_pandas()
    index = pd.date_range(first.astype("datetime64[ns]"), periods=shape[0], freq="D")
    return Panel(pd.DataFrame(costs, index=index), names, complete, table_row)
