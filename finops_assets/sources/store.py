"""A place that holds objects: a folder, an S3 bucket, a blob container, a GCS bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class StoredObject:
    """One object as listed. `name` is relative to the store's root; `version` changes with the content."""

    name: str
    bytes: int
    version: str
    modified: datetime


class ObjectStore(Protocol):
    """Lists objects and reads them from any offset.

    Every method raises TransientError (after the SDK's own retries), AccessError, or another SourceError
    that says what to do.
    """

    @property
    def address(self) -> str:
        """Where it is, for people: 's3://bucket/prefix/'. Ends with a slash; object names follow it."""
        ...

    def objects(self) -> list[StoredObject]:
        """All objects below the root, all pages, sorted by name."""
        ...

    def read(self, name: str) -> bytes:
        """A small object whole: a manifest. Raises DeliveryError when it is gone."""
        ...

    def stream(self, listed: StoredObject, offset: int) -> AbstractContextManager[Iterator[bytes]]:
        """The object's bytes from `offset`, in chunks of at most 4 MiB, of exactly the listed version.

        Raises DeliveryError when it is gone and ChangedWhileReadError when it is another version now.
        A connection that breaks in the middle raises TransientError out of the iterator.
        """
        ...

    def __hash__(self) -> int:
        """Stores of the same place are the same: what was read of one is known of the other."""
        ...

    def md5(self, listed: StoredObject) -> str | None:
        """The object's MD5 as hex where the store knows it of the whole object, else None."""
        ...
