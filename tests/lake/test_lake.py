from __future__ import annotations

import multiprocessing
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.lake.lake import Lake, build_key
from finops_assets.schema import BILL_KEYS, BY_BILL, MONEY, Column, Table

TABLE = Table(
    name="amounts",
    description="A day's amount.",
    columns=(Column("day", "DATE"), Column("amount", MONEY), *BILL_KEYS),
    partition_by=BY_BILL,
    order_by=("day",),
)


def put(lake: Lake, engine: DuckDBEngine, month: str, amount: str, source: str = "aws") -> None:
    partition = {"x_Source": source, "x_BillingMonth": month}
    path = lake.new_file(TABLE, partition, build_key(month, amount))
    sql = "SELECT DATE '2026-01-02' AS day, CAST(? AS DECIMAL(38,18)) AS amount"
    lake.replace(TABLE, partition, [engine.write(sql, {}, TABLE, path, [amount])])


def amounts(lake: Lake, version: int | None = None) -> dict[str, Decimal]:
    """Read by polars, which knows nothing of our code."""
    frame = pl.read_delta(str(lake.path(TABLE)), version=version)
    return {row["x_BillingMonth"]: row["amount"] for row in frame.to_dicts()}


def test_a_month_replaces_itself_only(lake: Lake, engine: DuckDBEngine) -> None:
    put(lake, engine, "2026-01", "1.5")
    put(lake, engine, "2026-02", "2.5")
    others = lake.files(TABLE, {"x_Source": "aws", "x_BillingMonth": "2026-02"})
    put(lake, engine, "2026-01", "0.000000000000000001")
    assert amounts(lake) == {"2026-01": Decimal("0.000000000000000001"), "2026-02": Decimal("2.5")}
    assert lake.files(TABLE, {"x_Source": "aws", "x_BillingMonth": "2026-02"}) == others
    assert lake.rows(TABLE) == 2


def test_every_earlier_version_stays_readable(lake: Lake, engine: DuckDBEngine) -> None:
    put(lake, engine, "2026-01", "1")
    before = lake.version(TABLE)
    put(lake, engine, "2026-01", "2")
    assert amounts(lake, before)["2026-01"] == Decimal(1)
    assert amounts(lake)["2026-01"] == Decimal(2)


def test_a_file_nobody_committed_is_nowhere(lake: Lake, engine: DuckDBEngine) -> None:
    put(lake, engine, "2026-01", "1")
    partition = {"x_Source": "aws", "x_BillingMonth": "2026-02"}
    path = lake.new_file(TABLE, partition, "dead")
    engine.write("SELECT DATE '2026-02-01' AS day, 9 AS amount", {}, TABLE, path)
    assert set(amounts(lake)) == {"2026-01"}


def test_append_keeps_what_was_there(lake: Lake, engine: DuckDBEngine) -> None:
    partition = {"x_Source": "aws", "x_BillingMonth": "2026-01"}
    for amount in ("1", "2"):
        path = lake.new_file(TABLE, partition, "ledger")
        sql = f"SELECT DATE '2026-01-01' AS day, {amount} AS amount"
        lake.append(TABLE, partition, [engine.write(sql, {}, TABLE, path)])
    assert lake.rows(TABLE, partition) == 2


def test_a_partition_knows_what_it_was_made_from(lake: Lake, engine: DuckDBEngine) -> None:
    put(lake, engine, "2026-01", "1")
    partition = {"x_Source": "aws", "x_BillingMonth": "2026-01"}
    assert lake.is_current(TABLE, partition, build_key("2026-01", "1"))
    assert not lake.is_current(TABLE, partition, build_key("2026-01", "2"))
    assert not lake.is_current(TABLE, {**partition, "x_BillingMonth": "2026-02"}, build_key("2026-01", "1"))


def test_a_column_added_later_reads_as_null_in_older_files(lake: Lake, engine: DuckDBEngine) -> None:
    put(lake, engine, "2026-01", "1")
    wider = Table(TABLE.name, "", (*TABLE.columns, Column("note", "VARCHAR")), BY_BILL, ("day",))
    partition = {"x_Source": "aws", "x_BillingMonth": "2026-02"}
    path = lake.new_file(wider, partition, "new")
    sql = "SELECT DATE '2026-02-01' AS day, 2 AS amount, 'n' AS note"
    lake.replace(wider, partition, [engine.write(sql, {}, wider, path)])
    found = engine.fetch("SELECT x_BillingMonth, note FROM t ORDER BY 1", {"t": lake.input(wider)})
    assert found.to_pylist() == [
        {"x_BillingMonth": "2026-01", "note": None},
        {"x_BillingMonth": "2026-02", "note": "n"},
    ]


def test_a_table_that_is_replaced_whole_may_change_a_column_s_type(lake: Lake, engine: DuckDBEngine) -> None:
    for type_, value in (("INTEGER", "7"), ("VARCHAR", "'7d'")):
        table = Table("accuracy", "", (Column("horizon", type_), Column("wape", "DOUBLE")))
        path = lake.new_file(table, {}, "k")
        made = engine.write(f"SELECT {value} AS horizon, 0.5 AS wape", {}, table, path)
        lake.replace(table, {}, [made])
    expected = [{"horizon": "7d", "wape": 0.5}]
    assert pl.read_delta(str(lake.path(table))).to_dicts() == expected
    assert engine.fetch("SELECT * FROM t", {"t": lake.input(table)}).to_pylist() == expected
    assert pl.read_delta(str(lake.path(table)), version=1).to_dicts() == [{"horizon": 7, "wape": 0.5}]


def test_the_wrong_partition_is_refused(lake: Lake) -> None:
    with pytest.raises(ValueError, match="partitioned by"):
        lake.replace(TABLE, {"x_Source": "aws"}, [])


def _writer(root: Path, month: str) -> None:
    lake, engine = Lake(root / "lake"), DuckDBEngine(root / "spill" / month, threads=1)
    for round_number in range(5):
        put(lake, engine, month, str(round_number))


def test_writers_of_different_months_all_go_through(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    months = [f"2026-{m:02d}" for m in range(1, 5)]
    writers = [context.Process(target=_writer, args=(tmp_path, m)) for m in months]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [w.exitcode for w in writers] == [0] * 4
    assert amounts(Lake(tmp_path / "lake")) == dict.fromkeys(months, Decimal(4))
    assert DeltaTable(tmp_path / "lake" / "amounts").version() == 20
