from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from finops_assets.engine.base import ParquetInput
from finops_assets.engine.duckdb import DuckDBEngine
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


def test_times_are_utc(engine: DuckDBEngine) -> None:
    found = engine.fetch("SELECT (TIMESTAMPTZ '2026-01-01T01:30:00+02:00')::DATE::VARCHAR AS day", {})
    assert found.to_pylist() == [{"day": "2025-12-31"}]
