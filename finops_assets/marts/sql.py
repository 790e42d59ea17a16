"""The SQL of the marts, one file a table, beside this module."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def load_sql(name: str) -> str:
    """The text of `<name>.sql`. Raises FileNotFoundError for a mart that does not exist."""
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
