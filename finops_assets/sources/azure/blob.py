"""A container of Azure Blob storage as a store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import ContainerClient

from finops_assets.sources.azure.access import error_code, explained
from finops_assets.sources.base import ChangedWhileReadError, DeliveryError, SourceError
from finops_assets.sources.store import StoredObject

_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True)
class BlobStore:
    """Blobs below `prefix` in `container`; an empty prefix is the whole container. Versions are ETags.

    `connection_variable` names the environment variable that holds a connection string; without it
    DefaultAzureCredential finds who we are (workload identity, managed identity, `az login`).
    """

    account_url: str
    container: str
    prefix: str = ""
    connection_variable: str | None = None

    def __post_init__(self) -> None:
        bare = self.prefix.strip("/")
        object.__setattr__(self, "prefix", f"{bare}/" if bare else "")

    @property
    def address(self) -> str:
        """The container's URL and the prefix."""
        return f"{self.account_url.rstrip('/')}/{self.container}/{self.prefix}"

    @property
    def grant(self) -> str:
        """The role assignment that lets us list and read this container, and nothing else."""
        account = self.account_url.split("//", 1)[1].split(".", 1)[0].split("/", 1)[0]
        return (
            'az role assignment create --role "Storage Blob Data Reader" \\\n'
            '  --assignee-object-id "$PRINCIPAL_ID" \\\n'
            f'  --scope "$(az storage account show --name {account} --query id --output tsv)'
            f'/blobServices/default/containers/{self.container}"'
        )

    def objects(self) -> list[StoredObject]:
        """All blobs."""
        with explained(f"list {self.address}", self.grant):
            found = [
                StoredObject(
                    name=blob.name.removeprefix(self.prefix),
                    bytes=blob.size,
                    version=blob.etag.strip('"'),
                    modified=blob.last_modified,
                )
                for blob in self._client().list_blobs(name_starts_with=self.prefix, include=["metadata"])
                # Accounts with a hierarchical namespace list their folders as empty blobs.
                if (blob.metadata or {}).get("hdi_isfolder") != "true"
            ]
        return sorted(found, key=lambda o: o.name)

    def read(self, name: str) -> bytes:
        """A small blob whole."""
        with self._reading(name):
            return bytes(self._client().download_blob(self.prefix + name).readall())

    @contextmanager
    def stream(self, listed: StoredObject, offset: int) -> Iterator[Iterator[bytes]]:
        """The blob's bytes from `offset`, on the condition that its ETag is still the listed one."""
        if offset and offset >= listed.bytes:
            yield iter(())
            return
        yield self._chunks(listed, offset)

    def md5(self, listed: StoredObject) -> str | None:
        """The MD5 that its writer gave the blob, if any."""
        with self._reading(listed.name):
            properties = self._client().get_blob_client(self.prefix + listed.name).get_blob_properties()
        given = properties.content_settings.content_md5
        return bytes(given).hex() if given else None

    def _chunks(self, listed: StoredObject, offset: int) -> Iterator[bytes]:
        with self._reading(listed.name):
            download = self._client().download_blob(
                self.prefix + listed.name,
                offset=offset or None,
                etag=f'"{listed.version}"',
                match_condition=MatchConditions.IfNotModified,
                max_concurrency=1,
            )
            yield from download.chunks()

    def _client(self) -> Any:
        return _container(self.account_url, self.container, self.connection_variable)

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        """What goes wrong with one blob; everything else is explained as for the container."""
        address = f"{self.address}{name}"
        with explained(f"read {address}", self.grant):
            try:
                yield
            except ResourceNotFoundError as error:
                if error_code(error) == "ContainerNotFound":
                    raise
                raise DeliveryError(
                    f"{address}: expected the delivered file, found that it is gone"
                ) from error
            except HttpResponseError as error:
                if error.status_code != 412:
                    raise
                raise ChangedWhileReadError(
                    f"{address}: expected the blob as listed, found that another version took its place; "
                    "the next refresh reads it again"
                ) from error


@lru_cache(maxsize=16)
def _container(account_url: str, container: str, connection_variable: str | None) -> ContainerClient:
    sizes: dict[str, Any] = {
        "max_single_get_size": _CHUNK,
        "max_chunk_get_size": _CHUNK,
        "retry_total": 5,
    }
    if connection_variable is None:
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - slow, and only where it is used

        return ContainerClient(account_url, container, DefaultAzureCredential(), **sizes)
    if not os.environ.get(connection_variable):
        raise SourceError(
            f"the environment variable {connection_variable} is not set: expected a connection string of "
            f"{account_url}"
        )
    return ContainerClient.from_connection_string(os.environ[connection_variable], container, **sizes)
