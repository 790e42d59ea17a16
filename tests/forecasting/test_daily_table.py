"""Anyone's daily series: the table, the command, and what either says of bad input."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from finops_assets.forecasting.daily_table import BadTableError, backtest_table
from finops_assets.running.backtest import run_backtest
from tests.forecasting.fleets import FIRST_DAY, Floats, cost_like

DAYS = 150


def table_of(series: dict[str, Floats], start: dict[str, int] | None = None) -> pa.Table:
    first = {name: np.datetime64(FIRST_DAY) + (start or {}).get(name, 0) for name in series}
    return pa.table(
        {
            "unique_id": [name for name, values in series.items() for _ in values],
            "ds": np.concatenate([first[name] + np.arange(len(v)) for name, v in series.items()]),
            "y": np.concatenate(list(series.values())),
        }
    )


BAD: dict[str, Floats] = {
    "zeros": np.zeros(DAYS),
    "constant": np.full(DAYS, 7.0),
    "negative": -cost_like(4, DAYS),
    "one refund": np.where(np.arange(DAYS) == 140, -1e6, 20.0),
    "sound": cost_like(5, DAYS),
}


def test_each_bad_series_gets_an_honest_answer() -> None:
    series = {**BAD, "five days": np.arange(1.0, 6.0), "ended": np.ones(40), "no values": np.full(9, np.nan)}
    table = table_of(series, start={"five days": DAYS - 5})
    holes = np.isin(np.arange(table.num_rows), [len(BAD["zeros"]) + 50, len(BAD["zeros"]) + 51])
    made = backtest_table(table.filter(pa.array(~holes)), horizon=56)
    assert made.filled == {"constant": 2}
    assert made.left_out["ended"] == "it ended on 2025-02-14, 110 days before the newest series"
    assert made.left_out["no values"] == "it has no values"
    rows = made.forecasts.to_pandas().groupby("unique_id")
    assert set(rows.groups) == {*BAD, "five days"}
    by_name = {name: group.reset_index(drop=True) for name, group in rows}
    for group in by_name.values():
        assert len(group) == 56
        assert (group["lo_95"] <= group["lo_80"]).all()
        assert (group["lo_80"] <= group["mean"]).all()
        assert (group["mean"] <= group["hi_80"]).all()
        assert (group["hi_80"] <= group["hi_95"]).all()
    assert (by_name["zeros"]["mean"] == 0).all()
    np.testing.assert_allclose(by_name["constant"]["mean"], 7.0)
    np.testing.assert_allclose(by_name["one refund"]["mean"], 20.0)
    assert (by_name["negative"]["hi_95"] <= 0).all()
    assert set(by_name["five days"]["model"]) == {"SeasonalNaive"}
    short = by_name["five days"]
    assert (short["hi_95"] - short["lo_95"] > 1.5).all()
    assert set(made.metrics["horizon"].to_pylist()) == {7, 30, 56}


ONE_ROW: dict[str, list[object]] = {"unique_id": ["a"], "ds": ["2025-01-01"], "y": [1]}


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"id": ["a"], "ds": ["2025-01-01"], "y": [1]}, "no column unique_id: expected .*found id, ds, y"),
        ({**ONE_ROW, "ds": ["1 May"]}, "column ds: expected a day .* found string"),
        ({**ONE_ROW, "y": ["x"]}, "column y: expected a number"),
        ({c: v * 2 for c, v in ONE_ROW.items()}, "one row a series and day, found a on 2025-01-01 twice"),
        ({**ONE_ROW, "unique_id": pa.nulls(1, pa.string())}, "column unique_id: .* found null"),
    ],
    ids=["no column", "no day", "no number", "twice", "no name"],
)
def test_a_bad_table_is_named_with_what_was_expected(columns: dict[str, object], says: str) -> None:
    with pytest.raises(BadTableError, match=says):
        backtest_table(pa.table(columns))


def test_the_command_prints_the_metrics_and_writes_the_forecasts(tmp_path: Path) -> None:
    file, output = tmp_path / "costs.csv", tmp_path / "forecasts.parquet"
    pyarrow.csv.write_csv(table_of({"007": cost_like(1, DAYS), "b": cost_like(2, DAYS)}), file)
    printed = StringIO()
    run_backtest(file, Console(file=printed, width=200), 20, output)
    assert "SeasonalNaive" in printed.getvalue()
    assert "40 forecasts written" in printed.getvalue()
    made = pq.read_table(output)
    assert made.column_names == ["unique_id", "ds", "model", "mean", "lo_80", "hi_80", "lo_95", "hi_95"]
    assert set(made["unique_id"].to_pylist()) == {"007", "b"}


def test_the_command_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    file = tmp_path / "bad.parquet"
    file.write_text("no Parquet")
    with pytest.raises(BadTableError, match=r"bad.parquet: expected a Parquet or CSV file"):
        run_backtest(file, Console(file=StringIO()), 20, None)
