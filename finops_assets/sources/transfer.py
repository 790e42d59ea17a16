"""Bring one object to local disk: streamed, resumed where it broke, held to what was listed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from finops_assets.sources.base import DeliveryError, FetchedFile, Listener, TransientError
from finops_assets.sources.store import ObjectStore, StoredObject

ATTEMPTS = 6
WAIT_SECONDS = 20.0


def download(
    store: ObjectStore, listed: StoredObject, to: Path, listener: Listener, *, wait: float = WAIT_SECONDS
) -> FetchedFile:
    """Copy `listed` to `to`. A broken connection goes on at the byte where it broke.

    `wait` caps the seconds between two attempts, which grow with jitter. Raises TransientError after six
    attempts in a row that brought nothing new, DeliveryError for a file that is not as listed, and what
    the store raises.
    """
    with to.open("wb") as target:
        copy = _Copy(store, listed, target, listener)
        Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=copy.is_stuck,
            wait=wait_random_exponential(multiplier=0.5, max=wait),
            reraise=True,
        )(copy.go_on)
    address = f"{store.address}{listed.name}"
    if copy.done != listed.bytes:
        raise DeliveryError(f"{address}: expected {listed.bytes:,} bytes as listed, found {copy.done:,}")
    expected, found = store.md5(listed), copy.md5.hexdigest()
    if expected is not None and expected != found:
        raise DeliveryError(f"{address}: expected the MD5 {expected} that the store keeps, found {found}")
    return FetchedFile(name=listed.name, path=to, sha256=copy.sha256.hexdigest(), bytes=copy.done)


class _Copy:
    """How far one copy is; each attempt goes on where the one before stopped."""

    def __init__(
        self, store: ObjectStore, listed: StoredObject, target: BinaryIO, listener: Listener
    ) -> None:
        self.store, self.listed, self.target, self.listener = store, listed, target, listener
        self.sha256, self.md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        self.done = 0
        self.fruitless = 0

    def go_on(self) -> None:
        begun_at = self.done
        if begun_at or self.fruitless:
            self.listener.note(f"{self.listed.name}: the connection broke; going on at byte {begun_at:,}")
        try:
            self._read_on()
        except TransientError:
            self.fruitless = 0 if self.done > begun_at else self.fruitless + 1
            raise

    def _read_on(self) -> None:
        with self.store.stream(self.listed, self.done) as chunks:
            for chunk in chunks:
                self._take(chunk)
        if self.done < self.listed.bytes:
            raise TransientError(
                f"{self.store.address}{self.listed.name}: the connection ended at byte {self.done:,} "
                f"of {self.listed.bytes:,}"
            )

    def is_stuck(self, _: RetryCallState) -> bool:
        return self.fruitless >= ATTEMPTS

    def _take(self, chunk: bytes) -> None:
        self.sha256.update(chunk)
        self.md5.update(chunk)
        self.target.write(chunk)
        self.done += len(chunk)
        self.listener.advance(self.listed.name, self.done, self.listed.bytes)
