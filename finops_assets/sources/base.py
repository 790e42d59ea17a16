"""What a bill origin must offer: which deliveries it holds, and the files of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


class SourceError(Exception):
    """A source cannot be listed or a delivery cannot be fetched; the text says what to do."""


class TransientError(SourceError):
    """It may pass by itself (throttling, 5xx, a broken connection): try the run again later."""


class AccessError(SourceError):
    """The source refuses us. `grant` is the exact policy statement (or command) that would let us in."""

    def __init__(self, message: str, grant: str) -> None:
        super().__init__(message)
        self.grant = grant


class DeliveryError(SourceError):
    """This delivery is not what it says it is (a file is missing or not as promised): quarantine it."""


class ChangedWhileReadError(SourceError):
    """A delivered file was not the same at the end of the copy as at its start."""


@dataclass(frozen=True)
class Promise:
    """What a manifest says of one file; None where it does not say."""

    name: str
    bytes: int | None = None
    rows: int | None = None


@dataclass(frozen=True)
class Delivery:
    """One bill, or part of one, as the provider laid it down.

    `month` is None where only the rows can tell. `fingerprint` changes whenever the content does, and
    is cheap to take. `files` are relative to the source. `format` is a hint (a manifest's, the user's).
    `export` is the provider's own name of the export: deliveries of one export and month replace each
    other. `bytes` is the size of all files, where the source knows. `promises` are held against what
    was fetched and read.
    """

    delivery_id: str
    month: str | None
    files: tuple[str, ...]
    fingerprint: str
    exported_at: datetime
    format: str | None = None
    export: str | None = None
    bytes: int | None = None
    promises: tuple[Promise, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class FetchedFile:
    """One delivered file on local disk: its name at the source, where it lies here, what it holds."""

    name: str
    path: Path
    sha256: str
    bytes: int


class Listener(Protocol):
    """Who is told how far a fetch is, and what it cost."""

    def advance(self, what: str, done: int, total: int | None) -> None:
        """`done` of `total` bytes of the file or query `what`; None where the total is not known."""
        ...

    def note(self, text: str) -> None:
        """A fact worth keeping with the run: calls made, bytes billed, a resumed connection."""
        ...


class Silence:
    """A listener for when nobody listens."""

    def advance(self, what: str, done: int, total: int | None) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""


class BillSource(Protocol):
    """A configured bill origin."""

    @property
    def name(self) -> str:
        """The source's name in finops.toml."""
        ...

    def deliveries(self) -> list[Delivery]:
        """All deliveries that are there now, oldest first. Raises SourceError."""
        ...

    def fetch(self, delivery: Delivery, into: Path, listener: Listener) -> list[FetchedFile]:
        """Bring the delivery's files to `into`, in bounded memory, over what an earlier try left there.

        Raises DeliveryError when they are not as promised, ChangedWhileReadError when one moved,
        TransientError when retries did not help, AccessError, or another SourceError.
        """
        ...

    def probe(self, delivery: Delivery | None) -> list[str]:
        """Try what a fetch of that delivery needs, without fetching it; facts for `finops sources check`.

        Raises like `fetch`.
        """
        ...
