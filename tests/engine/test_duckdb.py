from __future__ import annotations

from decimal import Decimal
from itertools import count
from pathlib import Path
from uuid import uuid4

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from finops_assets.engine.base import EngineMemoryError, ParquetInput
from finops_assets.engine.duckdb import DuckDBEngine, configure
from finops_assets.schema import MONEY, Column, Table

TABLE = Table("t", "", (Column("n", "BIGINT"), Column("amount", MONEY)), order_by=("n",))


def test_rows_are_cast_and_ordered_as_the_table_says(engine: DuckDBEngine, tmp_path: Path) -> None:
    sql = "SELECT '2' AS n, '0.1' AS amount UNION ALL SELECT '1', '-0.000000000000000001'"
    written = engine.write(sql, {}, TABLE, tmp_path / "t.parquet")
    frame = pl.read_parquet(written.path)
    assert frame["n"].to_list() == [1, 2]
    assert frame["amount"].to_list() == [Decimal("-0.000000000000000001"), Decimal("0.1")]
    assert (written.rows, written.bytes) == (2, written.path.stat().st_size)


def test_sql_that_fails_leaves_no_file(engine: DuckDBEngine, tmp_path: Path) -> None:
    with pytest.raises(duckdb.Error, match="abc"):
        engine.write("SELECT 1 AS n, 'abc' AS amount", {}, TABLE, tmp_path / "t.parquet")
    assert not (tmp_path / "t.parquet").exists()


def test_inputs_are_files_or_arrow_and_gone_afterwards(engine: DuckDBEngine, tmp_path: Path) -> None:
    written = engine.write("SELECT 1 AS n, 2 AS amount", {}, TABLE, tmp_path / "t.parquet")
    inputs = {"t": ParquetInput(TABLE, (str(written.path),)), "u": pa.table({"n": [1]})}
    assert engine.fetch("SELECT amount FROM t JOIN u USING (n)", inputs).to_pylist() == [
        {"amount": Decimal(2)}
    ]
    with pytest.raises(duckdb.CatalogException):
        engine.fetch("SELECT * FROM t", {})


def test_a_table_without_files_is_typed_and_empty(engine: DuckDBEngine) -> None:
    found = engine.fetch("SELECT * FROM t", {"t": ParquetInput(TABLE, ())})
    assert found.num_rows == 0
    assert found.schema.field("amount").type == pa.decimal128(38, 18)


def test_the_memory_limit_is_the_instances_own(tmp_path: Path) -> None:
    small = DuckDBEngine(tmp_path / "spill", memory_limit="512MB", threads=1)
    setting = "SELECT current_setting('memory_limit') AS m, current_setting('threads') AS t"
    assert small.fetch(setting, {}).to_pylist() == [{"m": "488.2 MiB", "t": 1}]


def test_the_metadata_of_a_file_is_held_once(engine: DuckDBEngine) -> None:
    held = engine.fetch("SELECT current_setting('parquet_metadata_cache') AS held", {})
    assert held.to_pylist() == [{"held": True}]


def test_many_rows_become_files_that_are_each_sorted_in_little_memory(tmp_path: Path) -> None:
    small = DuckDBEngine(tmp_path / "spill", memory_limit="100MB")
    names = (tmp_path / f"{n}.parquet" for n in count())
    sql = "SELECT hash(range) % 1000 AS n, range AS amount FROM range(100_000)"
    written = small.write_large(sql, {}, TABLE, lambda: next(names), rows=100_000)
    assert len(written) > 2
    frames = [pl.read_parquet(file.path) for file in written]
    assert [len(frame) for frame in frames] == [file.rows for file in written]
    assert all(frame["n"].is_sorted() for frame in frames)
    assert pl.concat(frames)["amount"].sort().to_list() == [Decimal(n) for n in range(100_000)]
    assert list((tmp_path / "spill").iterdir()) == []


def test_few_rows_become_one_file(engine: DuckDBEngine, tmp_path: Path) -> None:
    (written,) = engine.write_large(
        "SELECT range AS n, 1 AS amount FROM range(9, 0, -1)",
        {},
        TABLE,
        lambda: tmp_path / "t.parquet",
        rows=9,
    )
    assert pl.read_parquet(written.path)["n"].to_list() == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_large_sql_that_fails_leaves_no_file(tmp_path: Path) -> None:
    small = DuckDBEngine(tmp_path / "spill", memory_limit="100MB")
    sql = "SELECT range AS n, if(range = 90_000, 'abc', '1') AS amount FROM range(100_000)"
    (tmp_path / "made").mkdir()
    with pytest.raises(duckdb.Error, match="abc"):
        small.write_large(sql, {}, TABLE, lambda: tmp_path / "made" / uuid4().hex, rows=100_000)
    assert list((tmp_path / "made").iterdir()) == list((tmp_path / "spill").iterdir()) == []


def test_too_little_memory_is_said(tmp_path: Path) -> None:
    small = DuckDBEngine(tmp_path / "spill", memory_limit="30MB")
    with pytest.raises(EngineMemoryError, match=r"28\.6 MiB of memory.*higher memory_limit in finops\.toml"):
        small.fetch("SELECT list(range) FROM range(10_000_000)", {})


def test_times_are_utc(engine: DuckDBEngine) -> None:
    found = engine.fetch("SELECT (TIMESTAMPTZ '2026-01-01T01:30:00+02:00')::DATE::VARCHAR AS day", {})
    assert found.to_pylist() == [{"day": "2025-12-31"}]


def test_times_are_utc_on_every_cursor_wherever_the_machine_is() -> None:
    """A cursor has its settings from the database, not from the connection that it was made by."""
    connection = duckdb.connect()
    connection.execute("SET GLOBAL TimeZone = 'America/New_York'")
    with configure(connection).cursor() as cursor:
        found = cursor.execute("SELECT DATE '2026-01-01'::TIMESTAMPTZ = TIMESTAMPTZ '2026-01-01T00:00:00Z'")
        assert found.fetchone() == (True,)
