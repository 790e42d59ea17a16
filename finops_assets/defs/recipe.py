"""The code that makes a table, as part of the key of what it made: new code, new result."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files

from finops_assets.lake.lake import build_key


def recipe(package: str, *libraries: str) -> str:
    """A fingerprint of every module of `package` and of the versions of the libraries it fits with."""
    return build_key(*_sources(package), *(f"{name} {version(name)}" for name in libraries))


def _sources(package: str) -> Iterator[str]:
    for file in sorted(files(package).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".py"):
            yield f"{file.name}\n{file.read_text(encoding='utf-8')}"
