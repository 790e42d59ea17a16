"""A bucket of Cloud Storage as a store."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from google.api_core.exceptions import NotFound, PreconditionFailed, RequestRangeNotSatisfiable
from google.cloud import storage

from finops_assets.sources.base import ChangedWhileReadError, DeliveryError
from finops_assets.sources.gcp.access import credentials, explained
from finops_assets.sources.store import StoredObject

_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True)
class GcsStore:
    """Objects below `prefix` in `bucket`; an empty prefix is the whole bucket. Versions are generations.

    `endpoint` is another address than Google's own.
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None

    def __post_init__(self) -> None:
        bare = self.prefix.strip("/")
        object.__setattr__(self, "prefix", f"{bare}/" if bare else "")

    @property
    def address(self) -> str:
        """The bucket and prefix as the gcloud command line writes them."""
        return f"gs://{self.bucket}/{self.prefix}"

    @property
    def grant(self) -> str:
        """The binding that lets us list and read this bucket, and nothing else."""
        return (
            f"gcloud storage buckets add-iam-policy-binding gs://{self.bucket} \\\n"
            '  --member="$MEMBER" --role=roles/storage.objectViewer'
        )

    def objects(self) -> list[StoredObject]:
        """All objects but the empty ones that stand for folders."""
        with explained(f"list {self.address}", self.grant):
            found = [
                StoredObject(
                    name=blob.name.removeprefix(self.prefix),
                    bytes=blob.size,
                    version=str(blob.generation),
                    modified=blob.updated,
                )
                for blob in _client(self.endpoint).list_blobs(self.bucket, prefix=self.prefix)
                if not blob.name.endswith("/")
            ]
        return sorted(found, key=lambda o: o.name)

    def read(self, name: str) -> bytes:
        """A small object whole."""
        with self._reading(name):
            return bytes(self._blob(name).download_as_bytes())

    @contextmanager
    def stream(self, listed: StoredObject, offset: int) -> Iterator[Iterator[bytes]]:
        """The object's bytes from `offset`, of exactly the listed generation."""
        yield self._chunks(listed, offset)

    def md5(self, listed: StoredObject) -> str | None:
        """The MD5 that Google keeps; composite objects have none."""
        with self._reading(listed.name):
            blob = self._blob(listed.name)
            blob.reload(if_generation_match=int(listed.version))
        return base64.b64decode(blob.md5_hash).hex() if blob.md5_hash else None

    def _chunks(self, listed: StoredObject, offset: int) -> Iterator[bytes]:
        blob = self._blob(listed.name)
        while offset < listed.bytes:
            with self._reading(listed.name):
                chunk = blob.download_as_bytes(
                    start=offset,
                    end=min(offset + _CHUNK, listed.bytes) - 1,
                    if_generation_match=int(listed.version),
                    raw_download=True,
                )
                if str(blob.generation) != listed.version:  # as the answer's header says
                    raise _changed(f"{self.address}{listed.name}")
            offset += len(chunk)
            yield chunk

    def _blob(self, name: str) -> Any:
        return _client(self.endpoint).bucket(self.bucket).blob(self.prefix + name)

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        """What goes wrong with one object; everything else is explained as for the bucket."""
        address = f"{self.address}{name}"
        with explained(f"read {address}", self.grant):
            try:
                yield
            except NotFound as error:
                raise DeliveryError(
                    f"{address}: expected the delivered file, found that it is gone"
                ) from error
            except (PreconditionFailed, RequestRangeNotSatisfiable) as error:
                raise _changed(address) from error


def _changed(address: str) -> ChangedWhileReadError:
    return ChangedWhileReadError(
        f"{address}: expected the object as listed, found that another version took its place; the next "
        "refresh reads it again"
    )


@lru_cache(maxsize=16)
def _client(endpoint: str | None) -> storage.Client:
    options = {"client_options": {"api_endpoint": endpoint}} if endpoint else {}
    return storage.Client(**credentials(endpoint), **options)
