"""Forecasts by month as a table: the names of the series, what came of a month so far, money to the cent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from finops_assets.forecasting.history import Series
from finops_assets.forecasting.money import MONEY_TYPE, to_money
from finops_assets.forecasting.month_history import first_days
from finops_assets.series import SERIES_COLUMNS

_ADDENDS = pa.decimal128(37, 18)
"""One digit less than stored money: the sum of two of them is of its type."""


def month_table(complete: pa.Table, fleet: Sequence[Series], rows: pd.DataFrame) -> pa.Table:
    """The columns of COST_FORECASTS_MONTHLY but made_at and made_on_month.

    `complete` are the features that the fleet was read from, `rows` those of `months.forecast_months`. The
    month of a series' last complete day holds what its days came to, as exactly as the bill has them.
    """
    position = pa.array(rows["series"].to_numpy().astype(np.int64))
    at = pa.array([s.row for s in fleet], pa.int64()).take(position)
    so_far = _so_far(complete, fleet).take(position)
    first = pa.array(first_days(rows["month"].to_numpy().astype(np.int64)), pa.date32())
    under_way = pa.array(rows["horizon"].to_numpy() == 0)
    actual = pc.if_else(under_way, so_far, pa.scalar(0).cast(_ADDENDS))
    table = complete.select(SERIES_COLUMNS).take(at)
    data = {c: table[c] for c in SERIES_COLUMNS}
    data["month"] = first
    data["data_until"] = complete["day"].take(at)
    data["horizon"] = pa.array(rows["horizon"].to_numpy().astype(np.int32))
    data["model"] = pa.array(rows["model"].tolist(), pa.string())
    data["from_days"] = pa.array(rows["from_days"].to_numpy().astype(np.bool_))
    data["actual"] = actual.cast(MONEY_TYPE)
    ahead = {"mean": rows["cents"] / 100, **{c: rows[c] for c in ("lo_80", "hi_80", "lo_95", "hi_95")}}
    for name, values in ahead.items():
        money = to_money(values.to_numpy().astype(np.float64)).cast(_ADDENDS)
        data[name] = pc.add(actual, money)
    return pa.table(data)


def _so_far(complete: pa.Table, fleet: Sequence[Series]) -> pa.Array:
    """What the month of each series' last complete day cost up to that day."""
    cost = complete["cost"].combine_chunks()
    sums = []
    for series in fleet:
        days = min(len(series.history), int(str(series.history.last_day)[-2:]))
        sums.append(pc.sum(cost.slice(series.row + 1 - days, days)))
    return pa.array([s.as_py() for s in sums], _ADDENDS)
