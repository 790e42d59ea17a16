"""Planned changes that people mark by the API or the page; those of finops.toml stand beside them.

A change is never edited: it is withdrawn, and another one is marked. What was said is kept.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from finops_assets.decisions.budgets import Origin
from finops_assets.decisions.store import decisions
from finops_assets.marts.plans import PLANNED_CHANGES
from finops_assets.plan_settings import SCOPE_COLUMNS, PlannedChange

_WITHDRAWN = "null"


@dataclass(frozen=True)
class KnownPlan:
    """A planned change in force, and who marked it where and when; nobody and never where the file did."""

    plan_id: str
    plan: PlannedChange
    origin: Origin
    author: str = ""
    said_at: datetime | None = None


class ConfiguredPlanError(ValueError):
    """The change is finops.toml's: only that file withdraws it."""


def known_plans(configured: Sequence[PlannedChange], path: Path) -> list[KnownPlan]:
    """Every planned change in force: finops.toml's in their order, then the store's as they were marked."""
    of_file = [KnownPlan(_file_id(place), plan, "finops.toml") for place, plan in enumerate(configured, 1)]
    return [*of_file, *stored_plans(path)]


def stored_plans(path: Path) -> list[KnownPlan]:
    """The changes that were marked and not withdrawn; none where there is no store yet."""
    if not path.exists():
        return []
    with decisions(path) as store:
        rows = store.execute(
            "SELECT plan_id, definition, author, said_at FROM planned_changes "
            "WHERE plan_id NOT IN (SELECT plan_id FROM planned_changes WHERE definition = ?) ORDER BY rowid",
            (_WITHDRAWN,),
        ).fetchall()
    return [
        KnownPlan(
            plan_id, PlannedChange.model_validate_json(definition), "api", author, datetime.fromisoformat(at)
        )
        for plan_id, definition, author, at in rows
    ]


def mark(path: Path, plan: PlannedChange, *, author: str, said_at: datetime) -> KnownPlan:
    """Append a planned change. Raises sqlite3.OperationalError when the store is held."""
    known = KnownPlan(uuid.uuid4().hex[:12], plan, "api", author.strip(), said_at)
    _append(path, known.plan_id, plan.model_dump_json(by_alias=True), known.author, said_at)
    return known


def withdraw(
    path: Path, plan_id: str, configured: Sequence[PlannedChange], *, author: str, said_at: datetime
) -> bool:
    """Withdraw a planned change, which stays in the record; whether there was one.

    Raises ConfiguredPlanError.
    """
    if plan_id in {_file_id(place) for place in range(1, len(configured) + 1)}:
        raise ConfiguredPlanError(f"the planned change {plan_id!r} is set in finops.toml: change it there")
    found = any(known.plan_id == plan_id for known in stored_plans(path))
    if found:
        _append(path, plan_id, _WITHDRAWN, author, said_at)
    return found


def plans_table(known: Sequence[KnownPlan]) -> pa.Table:
    """The changes as rows of `planned_changes`."""
    return pa.Table.from_pylist([_row(k) for k in known], schema=PLANNED_CHANGES.arrow_schema())


def _row(known: KnownPlan) -> dict[str, Any]:
    plan = known.plan
    return {
        "plan_id": known.plan_id,
        "kind": plan.kind,
        "first_day": plan.first_day,
        "last_day": plan.end,
        **{column: plan.scope.get(key) for key, column in SCOPE_COLUMNS.items()},
        "metric": plan.metric,
        "amount": plan.signed_amount,
        "percent": plan.signed_percent,
        "BillingCurrency": plan.currency,
        "note": plan.note,
        "origin": known.origin,
        "author": known.author,
        "said_at": known.said_at,
    }


def _file_id(place: int) -> str:
    return f"finops-toml-{place}"


def _append(path: Path, plan_id: str, definition: str, author: str, said_at: datetime) -> None:
    with decisions(path) as store:
        store.execute(
            "INSERT INTO planned_changes (plan_id, definition, author, said_at) VALUES (?, ?, ?, ?)",
            (plan_id, definition, author, said_at.astimezone(UTC).isoformat()),
        )
