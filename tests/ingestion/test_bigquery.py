"""A billing export in a BigQuery server, from the sensor to the published costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from google.cloud import bigquery

from finops_assets.sources.base import (
    AccessError,
    ChangedWhileReadError,
    Silence,
    SourceError,
    TransientError,
)
from finops_assets.sources.gcp import bigquery as source_module
from finops_assets.sources.gcp.bigquery import BigQuerySource, ExportTable
from tests.ingestion.connected import Connected
from tests.normalize.gcp_bills import FEE, MACHINE, ROWS, SCHEMA, TOTAL
from tests.services.bqemulator import PROJECT, BigQuery, running_bqemulator
from tests.services.faults import Fault, FaultyProxy, faulty_proxy

SENSOR = "watch_google"


@pytest.fixture(scope="module")
def server() -> Iterator[BigQuery]:
    with running_bqemulator() as server:
        yield server


@pytest.fixture
def proxy(server: BigQuery) -> Iterator[FaultyProxy]:
    with faulty_proxy(int(server.url.rsplit(":", 1)[1])) as proxy:
        yield proxy


def fields(schema: pa.Schema | pa.StructType) -> list[bigquery.SchemaField]:
    """An Arrow schema as BigQuery's own."""
    found = []
    for field in schema:
        repeated = pa.types.is_list(field.type)
        kind = field.type.value_type if repeated else field.type
        nested = fields(kind) if pa.types.is_struct(kind) else ()
        found.append(
            bigquery.SchemaField(
                field.name, _NAMES[kind.id], mode="REPEATED" if repeated else "NULLABLE", fields=nested
            )
        )
    return found


_NAMES = {
    pa.string().id: "STRING",
    pa.float64().id: "FLOAT",
    pa.decimal128(38, 9).id: "NUMERIC",
    pa.bool_().id: "BOOLEAN",
    pa.timestamp("us").id: "TIMESTAMP",
    pa.struct([]).id: "RECORD",
}


def as_json(value: Any) -> Any:
    """A row as BigQuery takes it."""
    match value:
        case dict():
            return {k: as_json(v) for k, v in value.items()}
        case list():
            return [as_json(v) for v in value]
        case datetime():
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            return value


def rows_of(rows: Sequence[dict[str, Any]], month: str = "202601", **more: Any) -> list[dict[str, Any]]:
    """Rows of the detailed export, of an invoice month."""
    invoice = {"month": month, "publisher_type": "GOOGLE"}
    return [as_json({**row, "invoice": invoice, **more}) for row in rows]


def test_an_export_is_watched_and_late_rows_restate_their_month(
    tmp_path: Path, server: BigQuery, proxy: FaultyProxy
) -> None:
    table = server.table("watched.export", fields(SCHEMA), bigquery.TimePartitioning())
    server.insert(table, rows_of(ROWS))
    server.insert(table, rows_of([MACHINE], "202602", export_time="2026-02-03T00:00:00Z"))
    server.insert(table, rows_of([MACHINE], "202412", export_time="2024-12-30T00:00:00Z"))
    platform = Connected(tmp_path)
    platform.configure(
        f'first_month = "2025-01"\n[sources.google]\nkind = "gcp_bigquery"\ntable = "{table}"\n'
        f'endpoint = "{proxy.url}"\n'
    )
    assert platform.asked_months(SENSOR) == [("2026-01|google", "2026-02|google")]
    proxy.faults = [
        Fault(of=r"GET .*/tables/export", times=2),
        Fault(of=r"POST .*/(jobs|queries)", times=2, body='{"error": {"code": 503}}'),
        Fault(of=r"GET .*/queries/.*maxResults", cut_after=50),
    ]
    platform.ingest()
    assert [fault.times for fault in proxy.faults] == [0, 0, 0], "every fault happened"
    assert platform.billed() == {"2026-01": TOTAL, "2026-02": Decimal("10.5")}
    assert platform.tick(SENSOR) == [], "nothing new means no run"
    assert platform.ingest().count("bytes billed") == 0

    late = MACHINE | {"export_time": "2026-02-20T12:00:00Z", "cost": -0.000001, "cost_at_list": None}
    server.insert(table, rows_of([late]))
    assert platform.asked_months(SENSOR) == [("2026-01|google", "2026-01|google")]
    platform.ingest()
    assert platform.billed() == {"2026-01": TOTAL - Decimal("0.000001"), "2026-02": Decimal("10.5")}
    assert [(month, status) for month, status, _ in platform.bills()] == [
        ("2026-01", "superseded"),
        ("2026-01", "accepted"),
        ("2026-02", "accepted"),
    ]
    (provenance,) = platform.query(
        "SELECT count(DISTINCT x_RowNumber), any_value(x_File) FROM costs WHERE x_BillingMonth = '2026-01'"
    )
    assert provenance == (len(ROWS) + 1, f"{table}/2026-01.parquet")
    checked = platform.finops("sources", "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "for 2026-02 (dry run), of at most 107,374,182,400" in checked.stdout


def test_a_standard_export_partitioned_by_its_own_column(tmp_path: Path, server: BigQuery) -> None:
    standard = pa.schema([field for field in SCHEMA if field.name != "resource"])
    by_usage = bigquery.TimePartitioning(field="usage_start_time")
    table = server.table("standard.export", fields(standard), by_usage)
    without = [{k: v for k, v in row.items() if k != "resource"} for row in ROWS]
    server.insert(table, rows_of(without))
    server.insert(table, rows_of([without[0]], usage_start_time="2025-12-31T23:00:00Z"))
    platform = Connected(tmp_path)
    platform.configure(
        f'[sources.google]\nkind = "gcp_bigquery"\ntable = "{table}"\nendpoint = "{server.url}"\n'
    )
    platform.ingest()
    assert platform.billed() == {"2026-01": TOTAL + Decimal("10.5")}, "last year's usage, this year's bill"
    assert platform.query("SELECT DISTINCT format FROM bills") == [("gcp_standard",)]


FOCUS_VIEW = """
SELECT billing_account_id AS BillingAccountId, currency AS BillingCurrency, export_time AS x_ExportTime,
    TIMESTAMP '2026-01-01 08:00:00+00' AS BillingPeriodStart,
    TIMESTAMP '2026-02-01 08:00:00+00' AS BillingPeriodEnd,
    usage_start_time AS ChargePeriodStart, usage_end_time AS ChargePeriodEnd, 'usage' AS ChargeCategory,
    CAST(cost AS NUMERIC) AS BilledCost, CAST(cost AS NUMERIC) AS EffectiveCost,
    CAST(cost AS NUMERIC) AS ListCost, CAST(cost AS NUMERIC) AS ContractedCost,
    service.description AS ServiceName, 'Google Cloud' AS ProviderName, labels AS Tags
FROM `{table}`
"""


def test_a_focus_view(tmp_path: Path, server: BigQuery) -> None:
    table = server.table("viewed.export", fields(SCHEMA), bigquery.TimePartitioning())
    server.insert(table, rows_of([MACHINE, FEE]))
    view = f"{PROJECT}.viewed.focus"
    server.owner().query(f"CREATE VIEW `{view}` AS {FOCUS_VIEW.format(table=table)}").result()
    platform = Connected(tmp_path)
    platform.configure(
        f'[sources.google]\nkind = "gcp_bigquery"\ntable = "{view}"\nendpoint = "{server.url}"\n'
    )
    platform.ingest()
    assert platform.billed() == {"2026-01": Decimal("15.5")}
    assert platform.query("SELECT DISTINCT format, focus_version FROM bills WHERE status = 'accepted'")
    assert platform.query("SELECT DISTINCT Tags FROM costs ORDER BY Tags") == [('{"team":"web"}',), (None,)]


def source(table: str, url: str, *, at: str = "2026-03-01T00:00:00Z", maximum: int = 10**9) -> BigQuerySource:
    """A source that looks at that moment."""
    export = ExportTable(table, PROJECT, maximum, url)
    return BigQuerySource("google", export, "2025-01", 6, datetime.fromisoformat(at))


def test_a_month_is_read_page_by_page_as_of_its_delivery(
    tmp_path: Path, server: BigQuery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_module, "PAGE_ROWS", 10)
    table = server.table("paged.export", fields(SCHEMA), bigquery.TimePartitioning(field="export_time"))
    server.insert(table, rows_of([MACHINE] * 45))
    given = source(table, server.url)
    (delivery,) = given.deliveries()
    server.insert(table, rows_of([MACHINE] * 3, export_time="2026-02-01T00:00:00Z"))
    (file,) = given.fetch(delivery, tmp_path, Silence())
    landed = pa.parquet.read_table(file.path)
    assert landed.num_rows == 45, "rows of after the delivery are of the next one"
    assert landed.schema.names == SCHEMA.names
    (again,) = given.fetch(delivery, tmp_path, Silence())
    assert again.sha256 == file.sha256
    (grown,) = given.deliveries()
    assert grown.fingerprint != delivery.fingerprint
    # More rows of the same moment than were counted: the delivery is not what it was.
    server.insert(table, rows_of([MACHINE]))
    with pytest.raises(ChangedWhileReadError, match=r"expected 45 rows, as they were counted up to .* 46"):
        given.fetch(delivery, tmp_path, Silence())


def test_what_was_exported_in_the_last_hours_waits(server: BigQuery) -> None:
    table = server.table("fresh.export", fields(SCHEMA), bigquery.TimePartitioning())
    for hour in ("05:59:59", "06:00:00", "11:30:00"):
        server.insert(table, rows_of([MACHINE], export_time=f"2026-01-20T{hour}Z"))
    counted = [
        sum(
            p.rows or 0
            for d in source(table, server.url, at=f"2026-01-20T{at}Z").deliveries()
            for p in d.promises
        )
        for at in ("05:00:00", "06:00:00", "11:59:00", "12:00:00")
    ]
    assert counted == [0, 1, 1, 3]


def refused(status: int, reason: str, message: str) -> str:
    """Google's error, as the reference "Error messages" of BigQuery shows it."""
    return (
        f'{{"error": {{"code": {status}, "message": "{message}", '
        f'"errors": [{{"reason": "{reason}", "message": "{message}"}}]}}}}'
    )


def test_what_is_refused_says_what_to_do(server: BigQuery, proxy: FaultyProxy) -> None:
    table = server.table("refused.export", fields(SCHEMA), bigquery.TimePartitioning())
    server.insert(table, rows_of([MACHINE]))
    given = source(table, proxy.url)
    (delivery,) = given.deliveries()
    json = {"Content-Type": "application/json"}

    proxy.faults = [
        Fault(r"GET .*/tables/", 1, None, 403, json, refused(403, "accessDenied", "Access Denied"))
    ]
    with pytest.raises(AccessError, match="not allowed to look at the table") as denied:
        given.deliveries()
    assert f"--role=roles/bigquery.dataViewer {PROJECT}:refused.export" in denied.value.grant
    assert f"add-iam-policy-binding {PROJECT} " in denied.value.grant

    large = '{"jobReference": {"projectId": "p", "jobId": "j"}, "status": {"state": "DONE"}, ' + (
        '"statistics": {"totalBytesProcessed": "5000000000", '
        '"query": {"totalBytesProcessed": "5000000000"}}, '
        '"configuration": {"dryRun": true, "query": {"query": "SELECT 1"}}}'
    )
    proxy.faults = [Fault(r"POST .*/jobs", 1, None, 200, json, large)]
    with pytest.raises(
        SourceError, match=r"at most 1,000,000,000 bytes, found by a dry run .* 5,000,000,000"
    ):
        given.probe(delivery)

    proxy.faults = [
        Fault(r"POST .*/jobs", 99, None, 403, json, refused(403, "quotaExceeded", "Quota exceeded"))
    ]
    with pytest.raises(TransientError, match="Quota exceeded"):
        given.probe(delivery)

    proxy.faults = [Fault(r"GET .*/tables/", 1, None, 401, json, refused(401, "authError", "Invalid"))]
    with pytest.raises(SourceError, match="gcloud auth application-default login"):
        given.deliveries()
    with pytest.raises(SourceError, match=r"does not exist; mend its name in finops\.toml"):
        source(f"{PROJECT}.refused.nothing", proxy.url).deliveries()
    other = server.table("refused.other", [bigquery.SchemaField("a", "STRING")])
    with pytest.raises(SourceError, match=r"expected a billing export .* found the columns a"):
        source(other, proxy.url).deliveries()
    empty = server.table("refused.empty", fields(SCHEMA), bigquery.TimePartitioning())
    assert source(empty, proxy.url).deliveries() == []
    assert source(empty, proxy.url).probe(None) == [f"nothing to read in {empty} yet"]


def test_an_unchanged_table_is_not_queried_again(server: BigQuery, proxy: FaultyProxy) -> None:
    table = server.table("still.export", fields(SCHEMA), bigquery.TimePartitioning())
    server.insert(table, rows_of([MACHINE]))
    for _ in range(3):
        source(table, proxy.url).deliveries()
    queries = [request for request in proxy.seen if request.startswith("POST")]
    assert len(queries) == 2, "a dry run and the query"
    server.insert(table, rows_of([MACHINE]))
    (delivery,) = source(table, proxy.url).deliveries()
    assert delivery.promises[0].rows == 2
    assert delivery.exported_at == datetime(2026, 1, 6, tzinfo=UTC)
