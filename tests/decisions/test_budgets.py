from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from finops_assets.budget_settings import Budget
from finops_assets.decisions.budgets import (
    ConfiguredBudgetError,
    known_budgets,
    remove_budget,
    set_budget,
    stored_budgets,
)

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)


def budget(name: str, amount: str) -> Budget:
    return Budget.model_validate({"name": name, "amount": amount, "currency": "USD", "period": "month"})


def test_the_newest_definition_counts_and_all_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "data" / "decisions.db"
    assert stored_budgets(path) == []
    assert set_budget(path, budget("b", "10.000000000000000001"), (), author="ann", said_at=NOON)
    assert not set_budget(path, budget("b", "20"), (), author="bob", said_at=NOON)
    assert set_budget(path, budget("a", "1"), (), author="ann", said_at=NOON)
    assert [(b.name, b.amount) for b in stored_budgets(path)] == [("a", Decimal(1)), ("b", Decimal(20))]
    assert remove_budget(path, "b", (), author="ann", said_at=NOON)
    assert not remove_budget(path, "b", (), author="ann", said_at=NOON)
    assert [b.name for b in stored_budgets(path)] == ["a"]
    assert set_budget(path, budget("b", "30"), (), author="ann", said_at=NOON)
    with sqlite3.connect(path) as store:
        said = store.execute("SELECT budget, author, definition = 'null' FROM budgets").fetchall()
    assert said == [("b", "ann", 0), ("b", "bob", 0), ("a", "ann", 0), ("b", "ann", 1), ("b", "ann", 0)]


def test_the_file_counts_before_the_store(tmp_path: Path) -> None:
    path = tmp_path / "decisions.db"
    set_budget(path, budget("a", "1"), (), author="", said_at=NOON)
    configured = (budget("z", "3"), budget("a", "2"))
    found = known_budgets(configured, path)
    assert [(k.budget.name, k.budget.amount, k.origin) for k in found] == [
        ("z", Decimal(3), "finops.toml"),
        ("a", Decimal(2), "finops.toml"),
    ]
    with pytest.raises(ConfiguredBudgetError, match=r"'a' is set in finops\.toml"):
        set_budget(path, budget("a", "5"), configured, author="", said_at=NOON)
    with pytest.raises(ConfiguredBudgetError):
        remove_budget(path, "z", configured, author="", said_at=NOON)
