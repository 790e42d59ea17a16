"""Where the published file is: the CURRENT pointer, and the names of versions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

POINTER = "CURRENT"


class NotPublishedError(Exception):
    """No warehouse has been published yet."""


@dataclass(frozen=True)
class Published:
    """One published version: its number and its file."""

    version: int
    path: Path


def file_name(version: int) -> str:
    """The name of a version's file: never reused, so a reader of the old one is never surprised."""
    return f"warehouse-{version:08d}.duckdb"


def files(root: Path) -> list[Path]:
    """Every version's file, oldest first."""
    return sorted(root.glob("warehouse-*.duckdb"))


def version_of(path: Path) -> int:
    """The version that a file holds, by its name."""
    return int(path.name.removeprefix("warehouse-").removesuffix(".duckdb"))


def current(root: Path) -> Published:
    """The version in force. Raises NotPublishedError before the first publication."""
    try:
        name = (root / POINTER).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise NotPublishedError(
            f"Nothing is published in {root} yet: run `finops run`, or materialize `warehouse` in Dagster."
        ) from None
    return Published(version_of(root / name), root / name)


def point_to(root: Path, version: int) -> None:
    """Flip the pointer in one atomic rename, after the file it names is safely on disk."""
    _sync(root / file_name(version))
    fresh = root / f"{POINTER}.{os.getpid()}"
    fresh.write_text(file_name(version) + "\n", encoding="utf-8")
    _sync(fresh)
    fresh.replace(root / POINTER)
    _sync(root)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
