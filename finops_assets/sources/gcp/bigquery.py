"""Google Cloud's billing export in BigQuery: standard, detailed, and the FOCUS export or view.

Source: Google Cloud documentation, "Export Cloud Billing data to BigQuery" (rows are only ever added, and
their time of export says when); BigQuery, "Estimate and control costs" (dry runs, maximum bytes billed).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from google.cloud import bigquery

from finops_assets.sources.base import (
    ChangedWhileReadError,
    Delivery,
    FetchedFile,
    Listener,
    Promise,
    SourceError,
)
from finops_assets.sources.gcp.access import credentials, explained
from finops_assets.sources.gcp.layout import Layout, Month, Query, layout_of

PAGE_ROWS = 20_000
"""Rows in memory at a time."""


@dataclass(frozen=True)
class ExportTable:
    """The table or view `name` ('project.dataset.table'), queried by jobs of `job_project`.

    No query may bill more than `maximum_bytes_billed`. `endpoint` is another address than Google's own.
    """

    name: str
    job_project: str
    maximum_bytes_billed: int
    endpoint: str | None = None

    @property
    def grant(self) -> str:
        """The two bindings that let us read this table and run queries, and nothing else."""
        project, dataset, table = self.name.rsplit(".", 2)
        return (
            f"bq add-iam-policy-binding --table=true \\\n"
            f'  --member="$MEMBER" --role=roles/bigquery.dataViewer {project}:{dataset}.{table}\n'
            f"gcloud projects add-iam-policy-binding {self.job_project} \\\n"
            '  --member="$MEMBER" --role=roles/bigquery.jobUser'
        )

    def described(self) -> bigquery.Table:
        """Its metadata, which is free."""
        with explained(f"look at the table {self.name}", self.grant):
            return _client(self.job_project, self.endpoint).get_table(self.name)

    @contextmanager
    def asking(self, purpose: str) -> Iterator[Asking]:
        """Queries for one purpose ('read 2026-01')."""
        what = f"{purpose} of {self.name}"
        with explained(what, self.grant):
            yield Asking(_client(self.job_project, self.endpoint), what, self.maximum_bytes_billed)


class Asking:
    """The queries of one purpose; `bill` says what they read."""

    def __init__(self, client: bigquery.Client, what: str, maximum: int) -> None:
        self._client, self._what, self._maximum = client, what, maximum
        self._planned = self._billed = 0

    @property
    def bill(self) -> str:
        """The bytes foreseen and billed so far."""
        return f"to {self._what}: {self._planned:,} bytes by dry run, {self._billed:,} bytes billed"

    def plan(self, query: Query) -> int:
        """The bytes that the query would read. Raises SourceError when they are more than it may."""
        sql, values = query
        config = bigquery.QueryJobConfig(query_parameters=values, dry_run=True, use_query_cache=False)
        planned = int(self._client.query(sql, job_config=config).total_bytes_processed or 0)
        if planned > self._maximum:
            raise SourceError(
                f"cannot {self._what}: expected to read at most {self._maximum:,} bytes, found by a dry run "
                f"that the query reads {planned:,}; raise maximum_bytes_billed in finops.toml to allow it"
            )
        self._planned += planned
        return planned

    def rows(self, query: Query) -> Any:
        """The query's answer, a RowIterator. Raises SourceError when it would read more than it may."""
        self.plan(query)
        sql, values = query
        config = bigquery.QueryJobConfig(query_parameters=values, maximum_bytes_billed=self._maximum)
        job = self._client.query(sql, job_config=config)
        rows = job.result(page_size=PAGE_ROWS)
        self._billed += job.total_bytes_billed or 0
        return rows


@dataclass(frozen=True)
class BigQuerySource:
    """A delivery for each invoice month of `table`, from `first_month` ('2025-01') on.

    Rows exported after the last full `every_hours` of the day are left for the next look, so a month that
    grows all day is not read all day. `now` is the time of this look.
    """

    name: str
    table: ExportTable
    first_month: str
    every_hours: int
    now: datetime

    def deliveries(self) -> list[Delivery]:
        """One for each month, oldest first: by one small query, and none while the table stays as it is."""
        layout, months = self._look()
        return [_delivery(layout, month) for month in months]

    def fetch(self, delivery: Delivery, into: Path, listener: Listener) -> list[FetchedFile]:
        """Query the month's rows as of the delivery into one Parquet file, page by page.

        Raises ChangedWhileReadError when the table no longer has the rows that were counted.
        """
        (promise,) = delivery.promises
        into.mkdir(parents=True, exist_ok=True)
        path = into / PurePosixPath(promise.name).name
        query = self._rows_query(delivery)
        with self.table.asking(f"read {delivery.month}") as asking:
            try:
                pages = asking.rows(query).to_arrow_iterable()
                rows = _write(pages, path, lambda size: listener.advance(promise.name, size, None))
            finally:
                listener.note(asking.bill)
        if rows != promise.rows:
            raise _changed(delivery, f"{promise.rows:,} rows, as they were counted", f"{rows:,}")
        # Rows come in any order, so no two copies have the same bytes. What was exported up to a moment
        # never changes, and is what the fingerprint stands for.
        identity = hashlib.sha256(delivery.fingerprint.encode()).hexdigest()
        return [FetchedFile(name=promise.name, path=path, sha256=identity, bytes=path.stat().st_size)]

    def probe(self, delivery: Delivery | None) -> list[str]:
        """What reading that delivery would cost, by a dry run."""
        if delivery is None:
            return [f"nothing to read in {self.table.name} yet"]
        with self.table.asking(f"read {delivery.month}") as asking:
            planned = asking.plan(self._rows_query(delivery))
        return [
            f"reads {planned:,} bytes for {delivery.month} (dry run), of at most "
            f"{self.table.maximum_bytes_billed:,}"
        ]

    def _look(self) -> tuple[Layout, tuple[Month, ...]]:
        described = self.table.described()
        layout = layout_of(self.table.name, described)
        # A view's metadata does not say that its tables changed; the next full hours do.
        state = described.etag, described.modified, described.num_rows, described.num_bytes
        return layout, _months(self.table, layout, self.first_month, self._until(), state)

    def _until(self) -> datetime:
        hour = self.now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return hour.replace(hour=hour.hour - hour.hour % self.every_hours)

    def _rows_query(self, delivery: Delivery) -> Query:
        layout, months = self._look()
        month = next((m for m in months if m.month == delivery.month), None)
        if month is None:
            raise _changed(delivery, "the listed rows", "none")
        return layout.rows_query(month, delivery.exported_at)


def _delivery(layout: Layout, month: Month) -> Delivery:
    at = f"{month.exported_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    name = f"{layout.table}/{month.month}.parquet"
    counted = f"{name}\0{month.rows}\0{at}"
    return Delivery(
        delivery_id=f"{month.month} up to {at}",
        month=month.month,
        files=(name,),
        fingerprint=hashlib.sha256(counted.encode()).hexdigest()[:16],
        exported_at=month.exported_at,
        format=layout.format,
        export=layout.table,
        promises=(Promise(name, rows=month.rows),),
    )


def _changed(delivery: Delivery, expected: str, found: str) -> ChangedWhileReadError:
    return ChangedWhileReadError(
        f"{delivery.files[0]}: expected {expected} up to {delivery.exported_at}, found {found}; the next "
        "refresh reads the month again"
    )


def _write(pages: Iterator[pa.RecordBatch], path: Path, written: Callable[[int], None]) -> int:
    """One Parquet file of all pages; the number of its rows."""
    rows = 0
    first = next(pages, None)
    if first is None:
        return rows
    with pq.ParquetWriter(path, first.schema) as file:
        for page in chain([first], pages):
            file.write_batch(page)
            rows += page.num_rows
            written(path.stat().st_size)
    return rows


@lru_cache(maxsize=16)
def _months(
    table: ExportTable, layout: Layout, first_month: str, until: datetime, _state: tuple[Any, ...]
) -> tuple[Month, ...]:
    """What the table holds, asked once for each state of it."""
    with table.asking("list the months") as asking:
        found = asking.rows(layout.months_query(first_month, until))
        return tuple(
            Month(
                month=f"{row['month'][:4]}-{row['month'][4:]}",
                rows=row["row_count"],
                exported_at=row["exported_at"],
                first_partition=row["first_partition"],
                last_partition=row["last_partition"],
            )
            for row in found
        )


@lru_cache(maxsize=16)
def _client(project: str, endpoint: str | None) -> bigquery.Client:
    options = {**credentials(endpoint), "project": project}
    if endpoint:
        options["client_options"] = {"api_endpoint": endpoint}
    return bigquery.Client(**options)
