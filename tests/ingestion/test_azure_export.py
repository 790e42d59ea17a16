"""A Cost Management export in a real blob server, from the sensor to the published costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from azure.storage.blob import ContainerClient

from finops_assets.sources.azure.blob import BlobStore
from finops_assets.sources.base import ChangedWhileReadError, DeliveryError
from tests.focus_bills import in_month, text
from tests.ingestion.connected import Connected
from tests.services.azurite import Azurite, running_azurite
from tests.services.faults import Fault, FaultyProxy, faulty_proxy

CONTAINER, VARIABLE, SENSOR = "exports", "BILLING_CONNECTION", "watch_azure_main"


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with running_azurite(tmp_path_factory.mktemp("azurite")) as server:
        yield server


@pytest.fixture
def container(azurite: Azurite) -> Iterator[ContainerClient]:
    with azurite.container(CONTAINER) as client:
        client.create_container()
        yield client
        client.delete_container()


@pytest.fixture
def proxy(azurite: Azurite) -> Iterator[FaultyProxy]:
    with faulty_proxy(azurite.port) as proxy:
        yield proxy


@pytest.fixture
def platform(tmp_path: Path, azurite: Azurite, proxy: FaultyProxy) -> Connected:
    platform = Connected(tmp_path, {VARIABLE: azurite.connection_string(proxy.port)})
    platform.configure(
        f'[sources.azure-main]\nkind = "azure_export"\naccount_url = "{azurite.account_url(proxy.port)}"\n'
        f'container = "{CONTAINER}"\nprefix = "daily"\nconnection_variable = "{VARIABLE}"\n'
    )
    return platform


def deliver(container: ContainerClient, run: str, *parts: bytes, promised: int = 0) -> None:
    """A run of January's export: partitioned files, then the manifest."""
    folder = f"daily/focus/20260101-20260131/2026020{run}0000/{run}"
    blobs = []
    for number, content in enumerate(parts):
        name = f"{folder}/part_{number}_0001.csv"
        container.upload_blob(name, content, overwrite=True)
        rows = content.count(b"\n") - 1
        blobs.append({"blobName": name, "byteCount": promised or len(content), "dataRowCount": rows})
    manifest = {
        "blobs": blobs,
        "exportConfig": {"exportName": "focus", "type": "FocusCost"},
        "runInfo": {
            "runId": run,
            "startDate": "2026-01-01T00:00:00",
            "submittedTime": f"2026-02-0{run}T00:00:00Z",
        },
    }
    text_of = json.dumps(manifest).encode("utf-8-sig")
    container.upload_blob(f"{folder}/manifest.json", text_of, overwrite=True)


def bill(*amounts: str) -> bytes:
    microsoft = {"x_BillingProfileId": "p", "x_SkuMeterId": "m"}
    lines = text(*(in_month("2026-01", amount) for amount in amounts)).splitlines()
    head, rows = lines[0], lines[1:]
    extra = ",".join(microsoft.values())
    return ("\n".join([f"{head},{','.join(microsoft)}", *(f"{row},{extra}" for row in rows)]) + "\n").encode()


def test_runs_of_an_export_are_watched_and_the_newest_is_in_force(
    platform: Connected, container: ContainerClient, proxy: FaultyProxy
) -> None:
    deliver(container, "1", bill("1"))
    deliver(container, "2", bill("2.000000000000000001", "3"), bill("-1"))
    january = ("2026-01|azure-main", "2026-01|azure-main")
    assert platform.asked_months(SENSOR) == [january]
    platform.ingest()
    assert platform.billed() == {"2026-01": Decimal("4.000000000000000001")}
    assert platform.tick(SENSOR) == []
    deliver(container, "3", bill("9"))
    assert platform.asked_months(SENSOR) == [january]
    proxy.faults = [
        Fault(of=r"GET .*comp=list", times=2, status=503),
        Fault(of=r"GET .*/3/part_0", cut_after=300),
        Fault(of=r"GET .*/3/part_0", times=1, status=500),
    ]
    platform.ingest()
    assert [fault.times for fault in proxy.faults] == [0, 0, 0], "every fault happened"
    assert platform.billed() == {"2026-01": Decimal(9)}
    deliver(container, "4", bill("10"), promised=7)
    platform.ingest()
    assert platform.billed() == {"2026-01": Decimal(9)}, "what was there stays"
    assert "expected 7 bytes, as its manifest says" in platform.bills()[-1][2]


def test_a_refused_listing_names_the_role_to_assign(
    platform: Connected, container: ContainerClient, proxy: FaultyProxy
) -> None:
    deliver(container, "1", bill("1"))
    refusal = {"x-ms-error-code": "AuthorizationPermissionMismatch"}
    proxy.faults = [Fault(of=r"comp=list", times=99, status=403, headers=refusal)]
    done = platform.finops("sources", "check")
    assert done.returncode == 1
    assert 'az role assignment create --role "Storage Blob Data Reader"' in done.stdout
    proxy.faults = [Fault(of=r"comp=list", times=99, status=401, headers={"x-ms-error-code": "x"})]
    assert "`az login`" in platform.finops("sources", "check").stdout
    proxy.faults = []
    assert platform.finops("sources", "check").returncode == 0


def test_a_blob_is_read_from_any_byte_and_only_as_listed(
    container: ContainerClient, azurite: Azurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, azurite.connection_string())
    store = BlobStore(azurite.account_url(), CONTAINER, "daily", VARIABLE)
    content = bytes(range(256)) * 40_000
    container.upload_blob("daily/big", content)
    container.upload_blob("other", b"not below the prefix")
    (listed,) = store.objects()
    assert (listed.name, listed.bytes) == ("big", len(content))
    for offset in (0, 1, 5_000_000, len(content)):
        with store.stream(listed, offset) as chunks:
            assert b"".join(chunks) == content[offset:]
    container.upload_blob("daily/big", b"new", overwrite=True)
    with pytest.raises(ChangedWhileReadError), store.stream(listed, 0) as chunks:
        list(chunks)
    container.delete_blob("daily/big")
    # Of a blob that is gone azurite says that the condition failed, Azure that there is none.
    with (
        pytest.raises((ChangedWhileReadError, DeliveryError)),
        store.stream(listed, 0) as chunks,
    ):
        list(chunks)
    with pytest.raises(DeliveryError, match="found that it is gone"):
        store.read("big")
