"""The lake: one Delta table an asset, each partition replaced in one transaction.

An engine writes Parquet files into a table's folder; nothing sees them until `replace` or `append`
commits them. A file's name begins with a key of what it was made from (SQL, settings, inputs), so a
partition that is already made from the same things is recognized and left alone.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from finops_assets.engine.base import DataFile, ParquetInput
from finops_assets.schema import Table

_COMMIT_TRIES = 12

_newest: dict[Path, DeltaTable] = {}
"""Tables that this process has open."""


def build_key(*parts: str) -> str:
    """A short name for 'made from exactly these': the head of the parts' SHA-256."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Lake:
    """Delta tables under one folder."""

    root: Path

    def path(self, table: Table) -> Path:
        """Where the table lies."""
        return self.root / table.name

    def open(self, table: Table, version: int | None = None) -> DeltaTable | None:
        """The Delta table at a version (newest by default), or None before its first commit."""
        path = self.path(table)
        try:
            if version is not None:
                return DeltaTable(path, version=version)
            newest = _newest.get(path)
            if newest is None or not (path / "_delta_log").is_dir():
                newest = _newest[path] = DeltaTable(path)
            else:  # reading only what was committed since takes a seventh of the time
                newest.update_incremental()
        except TableNotFoundError:
            _newest.pop(path, None)
            return None
        return newest

    def version(self, table: Table) -> int | None:
        """The newest version's number, or None before the first commit."""
        delta = self.open(table)
        return None if delta is None else delta.version()

    def files(
        self, table: Table, partition: Mapping[str, str] | None = None, version: int | None = None
    ) -> tuple[str, ...]:
        """Paths of the files that make up the table, or those of the partitions that match, sorted."""
        delta = self.open(table, version)
        if delta is None:
            return ()
        pruning = [(k, "=", v) for k, v in (partition or {}).items()] or None
        return tuple(sorted(delta.file_uris(file_pruning_predicate=pruning)))

    def rows(self, table: Table, partition: Mapping[str, str] | None = None) -> int:
        """How many rows the table, or the partitions of it that match, hold; from the log, not the files."""
        delta = self.open(table)
        if delta is None:
            return 0
        adds = pa.table(delta.get_add_actions(flatten=True)).to_pylist()
        wanted = {f"partition.{k}": v for k, v in (partition or {}).items()}
        return sum(add["num_records"] for add in adds if all(add[k] == v for k, v in wanted.items()))

    def partitions(self, table: Table) -> list[dict[str, str]]:
        """The partitions that the table has, as partition column → value."""
        delta = self.open(table)
        return [] if delta is None else delta.partitions()

    def input(
        self, table: Table, partition: Mapping[str, str] | None = None, version: int | None = None
    ) -> ParquetInput:
        """The table, or the partitions of it that match, as an engine's input."""
        return ParquetInput(table, self.files(table, partition, version))

    def is_current(self, table: Table, partition: Mapping[str, str], key: str) -> bool:
        """Whether the partition holds exactly what `key` names, and nothing else."""
        files = self.files(table, partition)
        return bool(files) and all(Path(f).name.startswith(f"{key}-") for f in files)

    def new_file(self, table: Table, partition: Mapping[str, str], key: str) -> Path:
        """A path for one new data file of the partition, not yet visible to anyone."""
        folder = self.path(table)
        for column in table.partition_by:
            folder /= f"{column}={partition[column]}"
        return folder / f"{key}-{uuid.uuid4().hex[:12]}.parquet"

    def replace(
        self, table: Table, partition: Mapping[str, str], files: Sequence[DataFile], run_id: str = ""
    ) -> int:
        """Make `files` the whole of one partition (or of an unpartitioned table); the new version."""
        return self._commit(table, partition, files, "overwrite", run_id)

    def append(
        self, table: Table, partition: Mapping[str, str], files: Sequence[DataFile], run_id: str = ""
    ) -> int:
        """Add `files` to one partition and keep what was there; the new version."""
        return self._commit(table, partition, files, "append", run_id)

    def _commit(
        self, table: Table, partition: Mapping[str, str], files: Sequence[DataFile], mode: str, run_id: str
    ) -> int:
        if set(partition) != set(table.partition_by):
            raise ValueError(
                f"{table.name} is partitioned by {table.partition_by}, not by {tuple(partition)}"
            )
        adds: list[AddAction | RemoveAction] = [self._add(table, partition, f) for f in files]
        properties = CommitProperties(custom_metadata={"run_id": run_id} if run_id else None)
        for attempt in range(_COMMIT_TRIES):
            delta = self._open_or_create(table)
            # Where no older file stays, the columns may have changed their types.
            is_whole = mode == "overwrite" and not table.partition_by
            try:
                delta.create_write_transaction(
                    adds,
                    mode=mode,
                    schema=Schema.from_arrow(table.arrow_schema()) if is_whole else delta.schema(),
                    partition_by=list(table.partition_by) or None,
                    partition_filters=[(k, "=", v) for k, v in partition.items()] or None,
                    commit_properties=properties,
                )
            except CommitFailedError:
                # Another writer committed first. Its partition is not ours, so the same commit is
                # still right on top of it; wait a random while so that two writers do not meet again.
                if attempt == _COMMIT_TRIES - 1:
                    raise
                time.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311 - jitter, not a secret
            else:
                delta.update_incremental()
                return delta.version()
        raise AssertionError("unreachable")

    def _add(self, table: Table, partition: Mapping[str, str], file: DataFile) -> AddAction:
        return AddAction(
            path=file.path.relative_to(self.path(table)).as_posix(),
            size=file.bytes,
            partition_values=dict(partition),
            modification_time=int(time.time() * 1000),
            data_change=True,
            stats=json.dumps({"numRecords": file.rows}),
        )

    def _open_or_create(self, table: Table) -> DeltaTable:
        delta = self.open(table)
        if delta is None:
            self.path(table).mkdir(parents=True, exist_ok=True)
            return DeltaTable.create(
                self.path(table),
                schema=table.arrow_schema(),
                mode="ignore",
                partition_by=list(table.partition_by) or None,
                name=table.name,
                description=table.description,
            )
        kept = {field.name for field in delta.schema().fields}
        missing = [c for c in table.columns if c.name not in kept]
        if missing:
            schema = Schema.from_arrow(pa.schema([(c.name, c.arrow) for c in missing]))
            delta.alter.add_columns(schema.fields)
            delta.update_incremental()
        return delta
