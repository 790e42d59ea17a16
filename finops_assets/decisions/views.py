"""Saved views: pages with their filters, under the names that people gave them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from finops_assets.decisions.store import decisions

_GONE = "null"


@dataclass(frozen=True)
class View:
    """A page, by its path, and the address parameters that make the view: name → values."""

    name: str
    page: str
    address: dict[str, list[str]]


def saved_views(path: Path) -> list[View]:
    """The views in force, by name; none where there is no store yet."""
    if not path.exists():
        return []
    with decisions(path) as store:
        rows = store.execute(
            "SELECT view, definition FROM views WHERE rowid IN (SELECT max(rowid) FROM views GROUP BY view) "
            "AND definition <> ? ORDER BY lower(view), view",
            (_GONE,),
        ).fetchall()
    return [View(name, **json.loads(definition)) for name, definition in rows]


def save_view(path: Path, view: View, *, author: str, said_at: datetime) -> None:
    """Keep a view, in the place of the one that has its name. Raises ValueError for a name that is blank."""
    if not view.name.strip():
        raise ValueError("a view needs a name, found a blank one")
    definition = json.dumps({"page": view.page, "address": view.address}, sort_keys=True)
    _append(path, view.name.strip(), definition, author, said_at)


def remove_view(path: Path, name: str, *, author: str, said_at: datetime) -> bool:
    """Remove a view; whether there was one."""
    found = any(v.name == name for v in saved_views(path))
    if found:
        _append(path, name, _GONE, author, said_at)
    return found


def _append(path: Path, name: str, definition: str, author: str, said_at: datetime) -> None:
    with decisions(path) as store:
        store.execute(
            "INSERT INTO views (view, definition, author, said_at) VALUES (?, ?, ?, ?)",
            (name, definition, author, said_at.isoformat()),
        )
