"""A backtest that is kept teaches later forecasts what one made on the spot would."""

from __future__ import annotations

import math
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from finops_assets.forecasting.fleet import backtest_fleet, forecast_fleet
from finops_assets.forecasting.kept_backtest import SCHEMA, read_backtest
from finops_assets.marts.training import FORECAST_BACKTEST
from tests.forecasting.test_hierarchy import features


@pytest.fixture(scope="module")
def kept() -> pa.Table:
    return backtest_fleet(features())


def test_its_columns_are_those_of_the_table(kept: pa.Table) -> None:
    assert kept.schema.equals(FORECAST_BACKTEST.arrow_schema())
    assert SCHEMA.empty_table().schema.equals(kept.schema)


def test_forecasts_learn_from_it_what_they_would_have_learned_themselves(kept: pa.Table) -> None:
    whole, taught = forecast_fleet(features()), forecast_fleet(features(), backtest=kept)
    names = ["series_id", "day", "model", "is_champion", "data_until"]
    assert taught.forecasts.select(names).equals(whole.forecasts.select(names))
    for amount in ("mean", "lo_80", "hi_80", "lo_95", "hi_95"):
        pairs = zip(taught.forecasts[amount].to_pylist(), whole.forecasts[amount].to_pylist(), strict=True)
        assert max(abs(ours - theirs) for ours, theirs in pairs) <= Decimal("0.01")
    ours, theirs = (made.accuracy.to_pandas() for made in (taught, whole))
    keys = ["level", "metric", "BillingCurrency", "model", "horizon"]
    pd.testing.assert_frame_equal(
        ours.sort_values(keys, ignore_index=True), theirs.sort_values(keys, ignore_index=True)
    )


def test_a_day_later_it_still_teaches_and_everything_adds_up(kept: pa.Table) -> None:
    """As on the days between two backtests: one series is gone by then, one has come."""
    gone = pc.equal(kept["series_id"], kept["series_id"][0])
    made = forecast_fleet(features(), backtest=kept.filter(pc.invert(gone)))
    rows = made.forecasts.filter(pc.field("is_champion")).to_pandas()
    assert rows.groupby("series_id")["day"].count().eq(90).all()
    total = rows[rows["level"] == "total"].set_index("day")["mean"]
    tags = rows[rows["level"] == "tag"].groupby("day")["mean"].sum()
    assert total.equals(tags[total.index])


def test_amounts_come_back_and_what_is_gone_is_left_out(kept: pa.Table) -> None:
    ids = sorted(set(kept["series_id"].to_pylist()))
    known = read_backtest(kept, ids[1:], sums=[])
    assert set(known.base["series"]) <= set(range(len(ids) - 1))
    assert known.sums.empty
    row = known.base.iloc[0]
    stored = kept.filter(pc.equal(kept["series_id"], ids[1 + int(row["series"])])).to_pylist()
    same = [
        r
        for r in stored
        if (r["window"], r["model"], r["step"]) == (row["window"], row["model"], row["step"])
    ]
    assert math.isclose(row["actual"], same[0]["actual"] * same[0]["scale"])
    assert read_backtest(SCHEMA.empty_table(), ids, sums=[]).until is None
