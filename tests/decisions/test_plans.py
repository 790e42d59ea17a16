from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finops_assets.decisions.plans import (
    ConfiguredPlanError,
    known_plans,
    mark,
    plans_table,
    stored_plans,
    withdraw,
)
from finops_assets.plan_settings import PlannedChange

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)


def plan(**given: Any) -> PlannedChange:
    start = {"kind": "launch", "from": date(2026, 4, 1), "amount": "10.000000000000000001", "currency": "USD"}
    return PlannedChange.model_validate({**start, **given})


def test_what_is_withdrawn_is_kept_and_counts_no_more(tmp_path: Path) -> None:
    path = tmp_path / "data" / "decisions.db"
    assert stored_plans(path) == []
    first = mark(path, plan(provider="AWS"), author=" ann ", said_at=NOON)
    second = mark(path, plan(note="Brazil"), author="bob", said_at=NOON)
    assert stored_plans(path) == [first, second]
    assert (first.plan.amount, first.author) == (Decimal("10.000000000000000001"), "ann")
    assert withdraw(path, first.plan_id, (), author="bob", said_at=NOON)
    assert not withdraw(path, first.plan_id, (), author="bob", said_at=NOON)
    assert stored_plans(path) == [second]
    with sqlite3.connect(path) as store:
        said = store.execute("SELECT author, definition = 'null' FROM planned_changes").fetchall()
    assert said == [("ann", 0), ("bob", 0), ("bob", 1)]


def test_the_file_s_own_stand_beside_them_and_only_the_file_withdraws_them(tmp_path: Path) -> None:
    path, of_file = tmp_path / "decisions.db", plan(kind="end", amount=None, currency=None, provider="AWS")
    marked = mark(path, plan(), author="", said_at=NOON)
    known = known_plans([of_file], path)
    assert [(k.plan_id, k.origin) for k in known] == [
        ("finops-toml-1", "finops.toml"),
        (marked.plan_id, "api"),
    ]
    with pytest.raises(ConfiguredPlanError, match=r"set in finops\.toml"):
        withdraw(path, "finops-toml-1", [of_file], author="", said_at=NOON)


@pytest.mark.parametrize(
    ("given", "signed"),
    [
        ({"kind": "end", "amount": "5"}, (-5, None)),
        ({"kind": "end", "amount": None, "currency": None}, (None, -100)),
        ({"kind": "end", "amount": None, "percent": "30"}, (None, -30)),
        ({"kind": "change", "amount": None, "percent": "-12.5"}, (None, Decimal("-12.5"))),
        ({"kind": "change", "amount": "-7"}, (-7, None)),
        ({"kind": "credit_end", "amount": "7"}, (7, None)),
    ],
)
def test_sizes_have_the_sign_by_which_costs_move(given: dict[str, Any], signed: tuple[Any, Any]) -> None:
    made = known_plans([plan(**given)], Path("nowhere"))
    (row,) = plans_table(made).to_pylist()
    assert (row["amount"], row["percent"]) == signed


def test_a_one_off_without_a_last_day_is_of_one_day() -> None:
    made = known_plans(
        [plan(kind="one_off"), plan(kind="one_off", until=date(2026, 4, 3)), plan()], Path("no")
    )
    assert [r["last_day"] for r in plans_table(made).to_pylist()] == [
        date(2026, 4, 1),
        date(2026, 4, 3),
        None,
    ]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"kind": "sale"}, "'launch', 'change', 'end', 'one_off' or 'credit_end'"),
        ({"amount": None, "currency": None}, "a percent, found neither"),
        ({"percent": "5"}, "found amount and percent"),
        ({"currency": None}, "the currency of the amount"),
        ({"amount": "-5"}, "above zero for launch"),
        ({"amount": "0"}, "other than zero"),
        ({"amount": 5.1}, "in quotes"),
        ({"kind": "change", "amount": None, "percent": "-101"}, "at most all there is"),
        ({"kind": "one_off", "amount": None, "percent": "5"}, "the amount of a one_off"),
        ({"service": "S3"}, "the provider of the service"),
        ({"until": date(2026, 3, 31)}, "from 2026-04-01 on, found 2026-03-31"),
    ],
)
def test_what_is_no_change_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        plan(**given)
