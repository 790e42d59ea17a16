"""Series as the models see them: complete, gap-free daily costs of one series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
DayArray: TypeAlias = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class History:
    """Daily values from `first_day` on, without gaps: values[i] is the cost of first_day + i."""

    first_day: np.datetime64
    values: FloatArray

    def __len__(self) -> int:
        return len(self.values)

    def before(self, cut: int) -> History:
        """The first `cut` days."""
        return History(self.first_day, self.values[:cut])

    @property
    def last_day(self) -> np.datetime64:
        """The day of the last value."""
        return self.first_day + (len(self.values) - 1)

    def until(self, day: np.datetime64) -> History:
        """The days up to and with `day`."""
        return self.before(max(0, int((day - self.first_day).astype(np.int64)) + 1))

    def with_values(self, values: FloatArray) -> History:
        """The same days with other values."""
        return History(self.first_day, values)

    @property
    def is_month_start(self) -> BoolArray:
        """Which days are the first of a month."""
        return month_starts(self.first_day, len(self.values))

    def future_month_starts(self, horizon: int) -> BoolArray:
        """Which of the next `horizon` days are the first of a month."""
        return month_starts(self.first_day + len(self.values), horizon)


@dataclass(frozen=True)
class Series:
    """One series of the fleet: its row of names in the features table, and its history."""

    row: int
    level: str
    metric: str
    currency: str
    history: History

    @property
    def group(self) -> tuple[str, str, str]:
        """(level, metric, currency): what shares a champion."""
        return self.level, self.metric, self.currency


def month_starts(first_day: np.datetime64, count: int) -> BoolArray:
    """Which of `count` days from `first_day` on are the first of a month."""
    days = first_day.astype("datetime64[D]") + np.arange(count)
    return np.asarray(days == days.astype("datetime64[M]").astype("datetime64[D]"))


def read_fleet(features: pa.Table) -> tuple[pa.Table, list[Series]]:
    """The complete days of `cost_features`, sorted by series and day, and the series in them.

    Each series' `row` is the row of its last complete day in the returned table. Days that are still
    arriving are left out, and so is a series that has no complete day. Raises ValueError when a
    series has a gap or a day twice.
    """
    complete = features.filter(pc.field("is_complete")).sort_by(
        [("series_id", "ascending"), ("day", "ascending")]
    )
    ids = complete["series_id"].to_numpy()
    days = complete["day"].to_numpy().astype("datetime64[D]")
    cost, correction = (complete[c].cast(pa.float64()).to_numpy() for c in ("cost", "correction"))
    values = cost - correction
    edges = np.flatnonzero(ids[1:] != ids[:-1]) + 1
    starts, ends = [0, *edges.tolist()], [*edges.tolist(), len(ids)]
    names = {c: complete[c] for c in ("level", "metric", "BillingCurrency")}
    fleet = []
    for start, end in zip(starts, ends, strict=True):
        if start == end:
            continue
        if days[end - 1] - days[start] != np.timedelta64(end - start - 1, "D"):
            raise ValueError(
                f"series {ids[start]} is not one row a day from {days[start]} to {days[end - 1]}"
            )
        fleet.append(
            Series(
                row=end - 1,
                level=names["level"][start].as_py(),
                metric=names["metric"][start].as_py(),
                currency=names["BillingCurrency"][start].as_py() or "",
                history=History(days[start], values[start:end]),
            )
        )
    return complete, fleet
