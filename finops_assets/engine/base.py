"""What a stage needs of an engine: run SQL over inputs into Parquet files, or into memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import pyarrow as pa

from finops_assets.schema import Table


@dataclass(frozen=True)
class ParquetInput:
    """A table of the lake as exact files: what one version holds, or nothing yet."""

    table: Table
    files: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The files' own names, which say what they are wherever the lake lies."""
        return tuple(Path(file).name for file in self.files)


Input: TypeAlias = ParquetInput | pa.Table


@dataclass(frozen=True)
class DataFile:
    """One Parquet file that an engine wrote and nobody has committed yet."""

    path: Path
    rows: int
    bytes: int


class EngineMemoryError(Exception):
    """A stage needs more memory than the engine may take; the text says what to set."""


class Engine(Protocol):
    """Runs a stage's SQL. Names in `inputs` are the relations the SQL may read."""

    def write(
        self,
        sql: str,
        inputs: Mapping[str, Input],
        table: Table,
        path: Path,
        params: Sequence[object] = (),
    ) -> DataFile:
        """Write the rows of `sql`, cast to `table`'s columns and in its order, to one Parquet file."""
        ...

    def write_large(
        self,
        sql: str,
        inputs: Mapping[str, Input],
        table: Table,
        new_file: Callable[[], Path],
        *,
        rows: int,
    ) -> list[DataFile]:
        """The same to as many files as keep each one's sort in memory; `rows` is about how many come."""
        ...

    def fetch(self, sql: str, inputs: Mapping[str, Input], params: Sequence[object] = ()) -> pa.Table:
        """The rows of `sql` as Arrow; for small results."""
        ...
