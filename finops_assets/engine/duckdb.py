"""DuckDB as the engine: a private in-memory connection a call, no extension fetched at run time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import duckdb
import pyarrow as pa

from finops_assets.engine.base import DataFile, EngineMemoryError, Input, ParquetInput
from finops_assets.schema import Table, literal, quote

ROW_GROUP_ROWS = 20_480
"""Rows that a file's writer gathers before it lets go of them: with a bill's hundred columns, DuckDB's own
122,880 are a quarter of a gigabyte a thread. Reads are as fast: smaller groups prune better."""
THREAD_BYTES = 300 * 10**6
"""Memory that a thread needs to read and write a bill without thrashing; `benchmarks/big_bill.py` tells."""
SORTED_ROW_BYTES = 3_000
"""Memory to sort a row of `costs`, the widest table that has an order, with the writer's beside it."""
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def configure(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Settings every connection of ours shares: UTC, no download of extensions, metadata read once."""
    # GLOBAL: else a setting is of this connection alone, and not of its cursors.
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    connection.execute("SET autoinstall_known_extensions = false")
    # A large bill's file has a hundred megabytes of it, which one query reads several times.
    connection.execute("SET GLOBAL parquet_metadata_cache = true")
    return connection


def scan(table: Table, files: Sequence[str]) -> str:
    """SQL that reads exactly these files as `table`; typed and empty when there are none."""
    nothing = ", ".join(f"NULL::{c.type} AS {quote(c.name)}" for c in table.columns)
    empty = f"SELECT {nothing} WHERE false"
    if not files:
        return empty
    columns = ", ".join(quote(c.name) for c in table.columns)
    paths = "[" + ", ".join(literal(f) for f in files) + "]"
    types = ", ".join(f"{quote(c.name)}: {c.type}" for c in table.columns if c.name in table.partition_by)
    options = f"hive_partitioning = true, hive_types = {{{types}}}" if types else "hive_partitioning = false"
    # BY NAME, below a typed empty relation: a file older than a column reads as null in it.
    return (
        f"SELECT {columns} FROM ({empty} UNION ALL BY NAME "
        f"SELECT * FROM read_parquet({paths}, union_by_name = true, {options}))"
    )


def select_as(table: Table, relation: str) -> str:
    """SQL that casts a relation to the columns that `table` stores, in its order of rows."""
    columns = ", ".join(
        f"CAST({quote(c.name)} AS {c.type}) AS {quote(c.name)}" for c in table.stored_columns()
    )
    order = ", ".join(quote(c) for c in table.order_by if c not in table.partition_by)
    return f"SELECT {columns} FROM {relation}" + (f" ORDER BY {order}" if order else "")


@cache
def _instance(engine: DuckDBEngine) -> duckdb.DuckDBPyConnection:
    """One empty in-memory instance a process and set of limits: a cursor of it is a connection of its
    own, with temporary views of its own, in a hundredth of the time that a new instance takes."""
    return _limited(duckdb.connect(), engine)


def _limited(instance: duckdb.DuckDBPyConnection, engine: DuckDBEngine) -> duckdb.DuckDBPyConnection:
    engine.temp_directory.mkdir(parents=True, exist_ok=True)
    instance.execute(f"SET temp_directory = {literal(str(engine.temp_directory))}")
    if engine.memory_limit:
        instance.execute(f"SET memory_limit = {literal(engine.memory_limit)}")
    threads = engine.threads or min(int(_setting(instance, "threads")), _limit(instance) // THREAD_BYTES)
    instance.execute(f"SET threads = {max(threads, 1)}")
    return instance


def _setting(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    row = connection.execute("SELECT CAST(current_setting(?) AS VARCHAR)", [name]).fetchone()
    assert row is not None  # noqa: S101 - a query without FROM has one row
    return str(row[0])


def _limit(connection: duckdb.DuckDBPyConnection) -> int:
    """Bytes that the instance may take; DuckDB says '381.4 MiB'."""
    number, unit = _setting(connection, "memory_limit").split()
    return int(float(number) * _UNITS[unit])


@dataclass(frozen=True)
class DuckDBEngine:
    """Runs SQL in this process. `memory_limit` as DuckDB writes it ('4GB'); spills to `temp_directory`."""

    temp_directory: Path
    memory_limit: str = ""
    threads: int = 0

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A private connection with the engine's limits, closed at the end. Raises EngineMemoryError."""
        connection = configure(_instance(self).cursor())
        try:
            yield connection
        except duckdb.OutOfMemoryException as error:
            limit = _setting(connection, "memory_limit")
            raise EngineMemoryError(
                f"expected to get by with {limit} of memory and the disk below {self.temp_directory}; found "
                f"that it takes more ({str(error).splitlines()[0]}). Set a higher memory_limit in finops.toml"
            ) from None  # What is shown of a failed run is its first cause, and this one says what to do.
        finally:
            connection.close()

    @contextmanager
    def open(self, path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB file to write to, with the engine's limits, closed at the end."""
        connection = configure(_limited(duckdb.connect(str(path)), self))
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _bound(self, inputs: Mapping[str, Input]) -> Iterator[duckdb.DuckDBPyConnection]:
        with self.connect() as connection:
            for name, given in inputs.items():
                if isinstance(given, ParquetInput):
                    connection.execute(f"CREATE TEMP VIEW {quote(name)} AS {scan(given.table, given.files)}")
                else:
                    connection.register(name, given)
            yield connection

    def write(
        self,
        sql: str,
        inputs: Mapping[str, Input],
        table: Table,
        path: Path,
        params: Sequence[object] = (),
    ) -> DataFile:
        """See Engine.write. Raises duckdb.Error when the SQL or a cast fails; leaves no file then."""
        path.parent.mkdir(parents=True, exist_ok=True)
        query = select_as(table, f"({sql})")
        with self._bound(inputs) as connection:
            try:
                row = connection.execute(
                    f"COPY ({query}) TO {literal(str(path))} "
                    f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP_ROWS}, RETURN_STATS)",
                    list(params) or None,
                ).fetchone()
            except duckdb.Error:
                path.unlink(missing_ok=True)
                raise
        assert row is not None  # noqa: S101 - COPY of one file returns one row
        return DataFile(path=path, rows=int(row[1]), bytes=int(row[2]))

    def write_large(
        self,
        sql: str,
        inputs: Mapping[str, Input],
        table: Table,
        new_file: Callable[[], Path],
        *,
        rows: int,
    ) -> list[DataFile]:
        """See Engine.write_large. Raises what `write` raises; leaves no file then.

        Rows are first written as they come, which takes no more memory the more they are, and then sorted
        file by file: DuckDB's sort of many wide rows does not keep to a small limit.
        """
        with self.connect() as connection:
            groups = max(_limit(connection) // SORTED_ROW_BYTES // ROW_GROUP_ROWS, 1)
        if rows <= groups * ROW_GROUP_ROWS:
            return [self.write(sql, inputs, table, new_file())]
        unsorted = replace(table, order_by=())
        done: list[DataFile] = []
        with TemporaryDirectory(dir=self.temp_directory, prefix=f"{table.name}-") as folder:
            try:
                with self._bound(inputs) as connection:
                    connection.execute(
                        f"COPY ({select_as(unsorted, f'({sql})')}) TO {literal(f'{folder}/rows')} "
                        f"(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {ROW_GROUP_ROWS}, "
                        f"ROW_GROUPS_PER_FILE {groups})"
                    )
                for part in sorted(Path(folder, "rows").iterdir()):
                    one = f"SELECT * FROM read_parquet({literal(str(part))}, hive_partitioning = false)"
                    done.append(self.write(one, {}, table, new_file()))
                    part.unlink()
            except Exception:
                for file in done:
                    file.path.unlink()
                raise
        return done

    def fetch(self, sql: str, inputs: Mapping[str, Input], params: Sequence[object] = ()) -> pa.Table:
        """See Engine.fetch."""
        with self._bound(inputs) as connection:
            return cast(pa.Table, connection.sql(sql, params=list(params) or None).to_arrow_table())
