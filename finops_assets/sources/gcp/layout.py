"""How a billing export table is laid out in BigQuery, and the two queries that follow from it.

Source: Google Cloud documentation, "Structure of Standard data export", "Structure of Detailed data
export", "Structure of FOCUS data export"; BigQuery, "Query partitioned tables" (`_PARTITIONTIME`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

from google.cloud import bigquery
from google.cloud.bigquery import ScalarQueryParameter

from finops_assets.sources.base import SourceError

Partition: TypeAlias = date | datetime
"""The day, hour, month or year that a partition begins with."""

Query: TypeAlias = tuple[str, list[ScalarQueryParameter]]

_EARLY = timedelta(days=3)
"""How long before an invoice month (of some zone) its first row may be exported."""


@dataclass(frozen=True)
class Month:
    """What a table holds of one invoice month ('2026-01'), and in which of its partitions."""

    month: str
    rows: int
    exported_at: datetime
    first_partition: Partition | None = None
    last_partition: Partition | None = None


@dataclass(frozen=True)
class Layout:
    """The SQL of a row's invoice month ('202601'), of its time of export, and of its partition.

    `partition_type` is DATE, DATETIME or TIMESTAMP. `is_by_export` says that the partition follows the
    time of export, and not, say, the time of usage.
    """

    table: str
    format: str
    month: str
    exported: str
    partition: str | None = None
    partition_type: str = "TIMESTAMP"
    is_by_export: bool = False

    def months_query(self, first_month: str, until: datetime) -> Query:
        """A row for each invoice month from `first_month` on: Month's fields, of what came before `until`."""
        partition = self.partition or "CAST(NULL AS TIMESTAMP)"
        values = [
            ScalarQueryParameter("first_month", "STRING", first_month.replace("-", "")),
            ScalarQueryParameter("until", "TIMESTAMP", until),
        ]
        where = f"{self.month} >= @first_month AND {self.exported} < @until"
        if self.is_by_export:
            first = datetime.fromisoformat(f"{first_month}-01").replace(tzinfo=UTC) - _EARLY
            where += f" AND {self.partition} >= @since"
            values.append(self._bound("since", first))
        sql = (
            f"SELECT {self.month} AS month, COUNT(*) AS row_count, MAX({self.exported}) AS exported_at, "
            f"MIN({partition}) AS first_partition, MAX({partition}) AS last_partition "
            f"FROM `{self.table}` WHERE {where} GROUP BY 1 ORDER BY 1"
        )
        return sql, values

    def rows_query(self, month: Month, exported_at: datetime) -> Query:
        """The rows of `month` that were exported up to `exported_at`, from its partitions only."""
        values = [
            ScalarQueryParameter("month", "STRING", month.month.replace("-", "")),
            ScalarQueryParameter("exported_at", "TIMESTAMP", exported_at),
        ]
        where = f"{self.month} = @month AND {self.exported} <= @exported_at"
        if month.first_partition is not None and month.last_partition is not None:
            where += f" AND {self.partition} >= @first AND {self.partition} < @after"
            after = month.last_partition + timedelta(days=1)  # the pseudo-column may lie within its day
            values += [self._bound("first", month.first_partition), self._bound("after", after)]
        return f"SELECT * FROM `{self.table}` WHERE {where}", values

    def _bound(self, name: str, value: Partition) -> ScalarQueryParameter:
        if self.partition_type == "DATE" and isinstance(value, datetime):
            value = value.date()
        return ScalarQueryParameter(name, self.partition_type, value)


def layout_of(name: str, table: bigquery.Table) -> Layout:
    """The layout of the table that is called `name`. Raises SourceError when it is no billing export."""
    types = {field.name: field.field_type for field in table.schema}
    if {"invoice", "export_time"} <= types.keys():
        form = "gcp_detailed" if "resource" in types else "gcp_standard"
        month, exported = "invoice.month", "export_time"
    elif {"BillingPeriodStart", "x_ExportTime"} <= types.keys():
        form, exported = "gcp_focus", "x_ExportTime"
        month = "FORMAT_TIMESTAMP('%Y%m', CAST(BillingPeriodStart AS TIMESTAMP))"
    else:
        raise SourceError(
            f"{name}: expected a billing export (with the columns invoice and export_time) or its FOCUS view "
            f"(with BillingPeriodStart and x_ExportTime), found the columns {', '.join(types)}"
        )
    parts = table.time_partitioning
    if parts is None:
        return Layout(name, form, month, exported)
    if parts.field is None:
        return Layout(name, form, month, exported, "_PARTITIONTIME", is_by_export=True)
    kind = types[parts.field]
    return Layout(name, form, month, exported, parts.field, kind, is_by_export=parts.field == exported)
