"""A local folder as a store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from finops_assets.sources.base import ChangedWhileReadError, DeliveryError, SourceError
from finops_assets.sources.store import StoredObject

_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True)
class FolderStore:
    """Files below `root`."""

    root: Path

    @property
    def address(self) -> str:
        """The folder's path."""
        return f"{self.root}/"

    def objects(self) -> list[StoredObject]:
        """All files. Raises SourceError when the folder is not there."""
        if not self.root.is_dir():
            raise SourceError(f"the folder {self.root} does not exist")
        return [self._listed(path) for path in sorted(self.root.rglob("*")) if path.is_file()]

    def read(self, name: str) -> bytes:
        """One file whole."""
        try:
            return (self.root / name).read_bytes()
        except FileNotFoundError:
            raise _gone(name) from None

    @contextmanager
    def stream(self, listed: StoredObject, offset: int) -> Iterator[Iterator[bytes]]:
        """The file's bytes; at their end the file must be as it was listed."""
        try:
            with (self.root / listed.name).open("rb") as file:
                file.seek(offset)
                yield self._chunks(file.fileno(), listed)
        except FileNotFoundError:
            raise _gone(listed.name) from None

    def md5(self, _: StoredObject) -> str | None:
        """A folder keeps none."""
        return None

    def _chunks(self, descriptor: int, listed: StoredObject) -> Iterator[bytes]:
        while chunk := os.read(descriptor, _CHUNK):
            yield chunk
        now = (self.root / listed.name).stat()
        if _version(now) != listed.version or now.st_ino != os.fstat(descriptor).st_ino:
            raise ChangedWhileReadError(
                f"{listed.name}: expected a file at rest, found that it changed while read ({listed.bytes} "
                f"bytes when listed, {now.st_size} after); the next refresh reads it again"
            )

    def _listed(self, path: Path) -> StoredObject:
        stamp = path.stat()
        return StoredObject(
            name=path.relative_to(self.root).as_posix(),
            bytes=stamp.st_size,
            version=_version(stamp),
            modified=datetime.fromtimestamp(stamp.st_mtime, UTC),
        )


def _version(stamp: os.stat_result) -> str:
    return f"{stamp.st_size}-{stamp.st_mtime_ns}"


def _gone(name: str) -> DeliveryError:
    return DeliveryError(f"{name}: expected the delivered file, found that it is gone")
