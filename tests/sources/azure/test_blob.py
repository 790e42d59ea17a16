"""A blob container as a store, in a real server: what tests/ingestion/test_azure_export.py leaves out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from azure.storage.blob import ContainerClient, ContentSettings

from finops_assets.sources.azure.blob import BlobStore
from finops_assets.sources.base import AccessError, SourceError, TransientError
from tests.services.azurite import Azurite, running_azurite
from tests.services.faults import Fault, FaultyProxy, faulty_proxy

CONTAINER, VARIABLE = "bills", "BILLS_CONNECTION"
FOUR_MIB = 4 * 1024 * 1024


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
def store(azurite: Azurite, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch) -> BlobStore:
    monkeypatch.setenv(VARIABLE, azurite.connection_string(proxy.port))
    return BlobStore(azurite.account_url(proxy.port), CONTAINER, "/daily/", VARIABLE)


def test_blobs_are_listed_by_name_below_the_prefix_with_a_version_that_changes(
    container: ContainerClient, store: BlobStore
) -> None:
    for name in ("daily/b.csv", "daily/a/1.csv", "dailyish.csv", "daily"):
        container.upload_blob(name, name.encode())
    first = store.objects()
    assert [(o.name, o.bytes) for o in first] == [("a/1.csv", 13), ("b.csv", 11)]
    container.upload_blob("daily/b.csv", b"daily/B.csv", overwrite=True)
    again = store.objects()
    assert [a.version == b.version for a, b in zip(first, again, strict=True)] == [True, False]
    assert store.address.endswith(f"/{CONTAINER}/daily/")


def test_folders_of_a_hierarchical_account_are_no_blobs(container: ContainerClient, store: BlobStore) -> None:
    container.upload_blob("daily/run", b"", metadata={"hdi_isfolder": "true"})
    container.upload_blob("daily/run/part.csv", b"1")
    assert [o.name for o in store.objects()] == ["run/part.csv"]


def test_a_stream_comes_in_bounded_chunks_and_an_empty_blob_in_none(
    container: ContainerClient, store: BlobStore
) -> None:
    container.upload_blob("daily/big", bytes(2 * FOUR_MIB + 5))
    container.upload_blob("daily/empty", b"")
    big, empty = store.objects()
    with store.stream(big, 3) as chunks:
        sizes = [len(chunk) for chunk in chunks]
    assert sum(sizes) == 2 * FOUR_MIB + 2
    assert max(sizes) <= FOUR_MIB
    with store.stream(empty, 0) as chunks:
        assert b"".join(chunks) == b""


def test_the_md5_is_known_where_the_writer_gave_it(container: ContainerClient, store: BlobStore) -> None:
    digest = hashlib.md5(b"content", usedforsecurity=False)
    given = ContentSettings(content_md5=bytearray(digest.digest()))
    container.upload_blob("daily/known", b"content", content_settings=given)
    (known,) = store.objects()
    assert store.md5(known) == digest.hexdigest()


def test_a_container_that_is_not_there_is_told(azurite: Azurite, store: BlobStore) -> None:
    with pytest.raises(SourceError, match=r"the container does not exist; mend its name in finops\.toml"):
        store.objects()


def test_a_missing_connection_string_is_named(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    with pytest.raises(SourceError, match="NOT_SET is not set"):
        BlobStore(azurite.account_url(), CONTAINER, "", "NOT_SET").objects()


def test_a_refusal_names_the_role_and_the_container(
    container: ContainerClient, store: BlobStore, proxy: FaultyProxy
) -> None:
    refusal = {"x-ms-error-code": "AuthorizationPermissionMismatch"}
    proxy.faults = [Fault(of=r"comp=list", times=9, status=403, headers=refusal)]
    with pytest.raises(AccessError) as denied:
        store.objects()
    assert '--role "Storage Blob Data Reader"' in denied.value.grant
    assert denied.value.grant.endswith(f'/blobServices/default/containers/{CONTAINER}"')


def test_a_line_that_stays_cut_is_transient(
    container: ContainerClient, store: BlobStore, proxy: FaultyProxy
) -> None:
    container.upload_blob("daily/part.csv", bytes(100_000))
    (listed,) = store.objects()
    proxy.faults = [Fault(of=r"GET .*part\.csv", times=99, cut_after=1_000)]
    with pytest.raises(TransientError), store.stream(listed, 0) as chunks:
        list(chunks)
