"""What a bill origin must offer: which deliveries it holds, and the files of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


class SourceError(Exception):
    """A source cannot be listed or a delivery cannot be fetched; the text says what to do."""


class ChangedWhileReadError(SourceError):
    """A delivered file was not the same at the end of the copy as at its start."""


@dataclass(frozen=True)
class Delivery:
    """One bill, or part of one, as the provider laid it down.

    `month` is None where only the rows can tell. `fingerprint` changes whenever a file does, and is
    cheap to take. `files` are relative to the source. `format` is a hint (a manifest's, the user's).
    """

    delivery_id: str
    month: str | None
    files: tuple[str, ...]
    fingerprint: str
    exported_at: datetime
    format: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class FetchedFile:
    """One delivered file on local disk: its name at the source, where it lies here, what it holds."""

    name: str
    path: Path
    sha256: str
    bytes: int


class BillSource(Protocol):
    """A configured bill origin."""

    @property
    def name(self) -> str:
        """The source's name in finops.toml."""
        ...

    def deliveries(self) -> list[Delivery]:
        """All deliveries that are there now, oldest first. Raises SourceError."""
        ...

    def fetch(self, delivery: Delivery, into: Path) -> list[FetchedFile]:
        """Copy the delivery's files to `into`. Raises SourceError; ChangedWhileReadError when one moved."""
        ...
