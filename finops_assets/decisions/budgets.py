"""Budgets that people set by the API or the page; those of finops.toml stand beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from finops_assets.budget_settings import Budget
from finops_assets.decisions.store import decisions

Origin: TypeAlias = Literal["finops.toml", "api"]

_GONE = "null"


@dataclass(frozen=True)
class KnownBudget:
    """A budget in force, and where it was set."""

    budget: Budget
    origin: Origin


class ConfiguredBudgetError(ValueError):
    """The budget is finops.toml's: only that file changes it."""


def known_budgets(configured: Sequence[Budget], path: Path) -> list[KnownBudget]:
    """Every budget in force: finops.toml's in their order, then the store's by name.

    Where both have a name, the file counts, as it is under version control.
    """
    names = {b.name for b in configured}
    return [
        *(KnownBudget(b, "finops.toml") for b in configured),
        *(KnownBudget(b, "api") for b in stored_budgets(path) if b.name not in names),
    ]


def stored_budgets(path: Path) -> list[Budget]:
    """The newest definition of each budget in the store, by name; none where there is no store yet."""
    if not path.exists():
        return []
    with decisions(path) as store:
        rows = store.execute(
            "SELECT definition FROM budgets WHERE rowid IN (SELECT max(rowid) FROM budgets GROUP BY budget) "
            "AND definition <> ? ORDER BY budget",
            (_GONE,),
        ).fetchall()
    return [Budget.model_validate_json(definition) for (definition,) in rows]


def set_budget(
    path: Path, budget: Budget, configured: Sequence[Budget], *, author: str, said_at: datetime
) -> bool:
    """Add a budget, or change the one of its name; whether it is new. Raises ConfiguredBudgetError."""
    _check(budget.name, configured)
    is_new = all(b.name != budget.name for b in stored_budgets(path))
    _append(path, budget.name, budget.model_dump_json(by_alias=True), author, said_at)
    return is_new


def remove_budget(
    path: Path, name: str, configured: Sequence[Budget], *, author: str, said_at: datetime
) -> bool:
    """Remove a budget, whose past is kept; whether there was one. Raises ConfiguredBudgetError."""
    _check(name, configured)
    found = any(b.name == name for b in stored_budgets(path))
    if found:
        _append(path, name, _GONE, author, said_at)
    return found


def _check(name: str, configured: Sequence[Budget]) -> None:
    if any(b.name == name for b in configured):
        raise ConfiguredBudgetError(f"the budget {name!r} is set in finops.toml: change it there")


def _append(path: Path, name: str, definition: str, author: str, said_at: datetime) -> None:
    with decisions(path) as store:
        store.execute(
            "INSERT INTO budgets (budget, definition, author, said_at) VALUES (?, ?, ?, ?)",
            (name, definition, author, said_at.isoformat()),
        )
