"""Months that are delivered twice: what changed, by hand; what a closed month may not do; what is none."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_assets.defs.costs.assets import TABLE as COSTS
from finops_assets.defs.partitions import partition_values
from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.intake.tables import BILLS
from finops_assets.marts.restatements import CLOSED_AFTER_DAYS, DELIVERED_COSTS, RESTATEMENTS
from finops_assets.marts.sql import load_sql
from tests.deliveries import (
    CHANGES,
    CORRECTED,
    FIRST,
    MONTH,
    RESTATED,
    SOURCE,
    Deliveries,
    correction,
    deliveries,
    row,
)

OPEN, CLOSED = datetime(2026, 2, 10, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC)
PARTITION = partition_values(MONTH, SOURCE)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Deliveries]:
    with deliveries(tmp_path) as shop:
        shop.deliver(FIRST, datetime(2026, 2, 3, tzinfo=UTC))
        yield shop


def restatements(shop: Deliveries) -> list[dict[str, Any]]:
    given = {RESTATEMENTS.name: shop.platform.lake.input(RESTATEMENTS, PARTITION)}
    return list(shop.platform.engine.fetch("FROM restatements ORDER BY state", given).to_pylist())


def amounts(rows: list[dict[str, Any]]) -> set[tuple[str, str, Decimal, Decimal, Decimal]]:
    for of in rows:  # all four costs of a line are one amount
        for what in ("before", "after", "change"):
            assert of[f"billed_{what}"] == of[f"effective_{what}"]
    return {
        (r["ServiceName"], r["SubAccountId"], r["billed_before"], r["billed_after"], r["billed_change"])
        for r in rows
    }


BY_HAND = {(s, a, Decimal(before), Decimal(after), Decimal(by)) for s, a, before, after, by in CHANGES}


def test_a_first_delivery_restates_nothing(shop: Deliveries) -> None:
    assert restatements(shop) == []


def test_an_open_month_changes_freely(shop: Deliveries) -> None:
    shop.deliver(RESTATED, OPEN)
    found = restatements(shop)
    assert amounts(found) == BY_HAND
    assert {r["BillingCurrency"] for r in found} == {"USD"}, "nothing changed in the other currency"
    assert not any(r["was_closed"] or r["uncorrected"] for r in found)
    machines = next(r for r in found if (r["ServiceName"], r["SubAccountId"]) == ("Machines", "7"))
    assert (machines["rows_before"], machines["rows_after"]) == (1, 2)
    assert (machines["exported_before"], machines["exported_after"]) == (
        datetime(2026, 2, 3, tzinfo=UTC),
        OPEN,
    )
    (before,), (after,) = (json.loads(machines[f"bills_{side}"]) for side in ("before", "after"))
    assert before != after
    assert before.startswith("shop/2026-01/focus/")


def test_a_closed_month_that_changes_without_a_correction_is_marked(shop: Deliveries) -> None:
    shop.deliver(RESTATED, CLOSED)
    found = restatements(shop)
    assert amounts(found) == BY_HAND
    assert all(r["was_closed"] and r["uncorrected"] and r["correction_billed"] == 0 for r in found)


def test_a_closed_month_with_corrections_that_add_up_is_not(shop: Deliveries) -> None:
    shop.deliver(CORRECTED, CLOSED)
    found = restatements(shop)
    assert {(s, a, by) for s, a, _, _, by in amounts(found)} == {(s, a, by) for s, a, _, _, by in BY_HAND}
    assert all(r["was_closed"] and not r["uncorrected"] for r in found)
    assert all(r["correction_billed"] == r["billed_change"] for r in found)


def test_corrections_that_leave_a_dime_are_marked_with_it(shop: Deliveries) -> None:
    rows = [r for r in FIRST if r["ServiceName"] != "Storage"]
    shop.deliver((*rows, row("Storage", "7", "10.00"), correction("Storage", "7", "-10.00")), CLOSED)
    (found,) = restatements(shop)
    assert (found["billed_change"], found["correction_billed"]) == (Decimal("-10.10"), Decimal(-10))
    assert found["uncorrected"]


def test_lines_that_are_redrawn_to_the_same_cost_are_no_defect(shop: Deliveries) -> None:
    """The corrections go again and the lines they corrected are as they should have been: nothing to pay."""
    shop.deliver(CORRECTED, CLOSED)
    shop.deliver(RESTATED, datetime(2026, 3, 9, tzinfo=UTC))
    found = [r for r in restatements(shop) if r["state"] == 3]
    assert {(r["ServiceName"], r["billed_change"], r["uncorrected"]) for r in found} == {
        ("Storage", Decimal(0), False)
    }, "two lines of Storage, which add up to nothing, became none; Machines has as many lines as before"


def test_the_days_until_a_month_is_closed_are_counted_from_its_end(shop: Deliveries) -> None:
    shop.deliver(RESTATED, datetime(2026, 2, 16, tzinfo=UTC))
    assert not any(r["was_closed"] for r in restatements(shop))
    shop.deliver(FIRST, datetime(2026, 2, 16, 0, 0, 1, tzinfo=UTC))
    assert [r["was_closed"] for r in restatements(shop) if r["state"] == 3] == [True] * 3


def test_earlier_restatements_stay_and_going_back_is_one(shop: Deliveries) -> None:
    shop.deliver(RESTATED, OPEN)
    first = restatements(shop)
    shop.deliver(FIRST, CLOSED)
    both = restatements(shop)
    assert both[: len(first)] == first
    back = both[len(first) :]
    assert {(s, a, -by) for s, a, _, _, by in amounts(back)} == {(s, a, by) for s, a, _, _, by in BY_HAND}


def test_the_same_figures_in_other_bytes_change_nothing(shop: Deliveries) -> None:
    shop.deliver(FIRST[::-1], CLOSED)
    assert restatements(shop) == []


def test_other_sql_of_our_own_is_no_restatement(shop: Deliveries) -> None:
    shop.deliver(RESTATED, OPEN)
    before = restatements(shop)
    lake, engine = shop.platform.lake, shop.platform.engine
    for _ in range(3):  # the bill as other SQL would make it: every row a dollar dearer
        dearer = (
            "SELECT * REPLACE (BilledCost + 1 AS BilledCost, EffectiveCost + 1 AS EffectiveCost) FROM costs"
        )
        given = {"costs": lake.input(COSTS, PARTITION)}
        written = engine.write(dearer, given, COSTS, lake.new_file(COSTS, PARTITION, "other"))
        lake.replace(COSTS, PARTITION, [written])
        shop.follow()
    assert restatements(shop) == before
    # The next delivery is compared with what its forerunner was last made into: six rows, three dollars each.
    shop.deliver(RESTATED[:-1], CLOSED)
    (gone,) = [r for r in restatements(shop) if r["state"] == 4 and r["billed_after"] == 0]
    assert (gone["BillingCurrency"], gone["billed_before"]) == ("EUR", Decimal(6))
    states = {s["state"] for s in ledger(shop)}
    assert states == {1, 2, 3, 4}, "of the second delivery the first and the last state"


def ledger(shop: Deliveries) -> list[dict[str, Any]]:
    given = {DELIVERED_COSTS.name: shop.platform.lake.input(DELIVERED_COSTS, PARTITION)}
    return list(shop.platform.engine.fetch("FROM delivered_costs", given).to_pylist())


def test_again_changes_nothing(shop: Deliveries) -> None:
    shop.deliver(RESTATED, OPEN)
    versions = [shop.platform.lake.version(t) for t in (DELIVERED_COSTS, RESTATEMENTS)]
    shop.follow()
    assert [shop.platform.lake.version(t) for t in (DELIVERED_COSTS, RESTATEMENTS)] == versions


LINES = st.lists(
    st.tuples(
        st.sampled_from(["Machines", "Storage", None]),
        st.sampled_from(["7", "8", None]),
        st.sampled_from(["USD", "EUR"]),
        st.decimals(-1000, 1000, allow_nan=False, places=18),
        st.booleans(),
    ),
    max_size=8,
)


@settings(max_examples=25)
@given(deliveries=st.lists(LINES, min_size=2, max_size=4))
def test_the_changes_are_the_differences(
    deliveries: list[list[tuple[str | None, str | None, str, Decimal, bool]]], tmp_path_factory: Any
) -> None:
    """Against dictionaries of Decimals: bills of any lines, none included, one replacing the other."""
    engine = DuckDBEngine(tmp_path_factory.getbasetemp() / "spill")
    known = DELIVERED_COSTS.arrow_schema().empty_table()
    expected: dict[tuple[Any, ...], Decimal] = {}
    corrected: dict[tuple[Any, ...], Decimal] = {}
    sums: dict[tuple[Any, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 2)
    for number, lines in enumerate(deliveries, 1):
        now: dict[tuple[Any, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 2)
        for service, account, currency, amount, is_correction in lines:
            whole, of_it = now[service, account, currency]
            now[service, account, currency] = [whole + amount, of_it + amount * is_correction]
        for key in {*now, *sums} if number > 1 else ():
            expected[number, *key] = now[key][0] - sums[key][0]
            corrected[number, *key] = now[key][1] - sums[key][1]
        sums = now
        known = engine.fetch(
            f"SELECT * REPLACE ('{MONTH}' AS x_BillingMonth) FROM ({load_sql('delivered_costs')})",
            {**relations(number, lines), "delivered_costs": known},
        )
    found = engine.fetch(
        load_sql("restatements"), {"delivered_costs": known}, [CLOSED_AFTER_DAYS]
    ).to_pylist()
    keys = [(r["state"], r["ServiceName"], r["SubAccountId"], r["BillingCurrency"]) for r in found]
    assert len(keys) == len(set(keys))
    told = dict(zip(keys, found, strict=True))
    for key, change in expected.items():
        assert (told[key]["billed_change"] if key in told else Decimal(0)) == change
        if key in told:
            assert told[key]["correction_billed"] == corrected[key]
            assert told[key]["uncorrected"] == (change not in (0, corrected[key]))
    assert not set(told) - set(expected)


def relations(number: int, lines: list[Any]) -> dict[str, pa.Table]:
    """`costs` and `bills` of a delivery, long after its month was closed."""
    bill = {
        "bill_id": f"b{number}",
        "status": "accepted",
        "rows": len(lines),
        "exported_at": datetime(2026, 6, number, tzinfo=UTC),
        "ingested_at": datetime(2026, 6, number, tzinfo=UTC),
        "x_Source": SOURCE,
        "x_BillingMonth": MONTH,
    }
    costs = [
        {
            "ServiceName": service,
            "SubAccountId": account,
            "BillingCurrency": currency,
            "BilledCost": amount,
            "EffectiveCost": amount,
            "ChargeClass": "Correction" if is_correction else None,
            "x_BillId": f"b{number}",
            "x_Source": SOURCE,
            "x_BillingMonth": MONTH,
        }
        for service, account, currency, amount, is_correction in lines
    ]
    return {
        "bills": pa.Table.from_pylist([bill], schema=BILLS.arrow_schema()),
        "costs": pa.Table.from_pylist(costs, schema=COSTS.arrow_schema()),
    }


@pytest.mark.parametrize(
    ("before", "after", "is_one"),
    [
        (["a"], ["a", "b"], False),
        (["a", "b"], ["a", "c"], True),
        (["a", "b"], ["b"], True),
        ([], ["a"], False),
    ],
)
def test_a_bill_beside_those_in_force_replaces_none(
    before: list[str], after: list[str], is_one: bool, engine: DuckDBEngine
) -> None:
    """Amortized costs come after the actual ones of the same month."""
    rows = [
        {"state": n, "bill_ids": json.dumps(bills), "BillingCurrency": "USD", "BilledCost": Decimal(n),
         "EffectiveCost": Decimal(n), "x_RowCount": 1, "x_BillingMonth": MONTH}
        for n, bills in enumerate((before, after), 1)
    ]  # fmt: skip
    given = {"delivered_costs": pa.Table.from_pylist(rows, schema=DELIVERED_COSTS.arrow_schema())}
    found = engine.fetch(load_sql("restatements"), given, [CLOSED_AFTER_DAYS])
    assert bool(found.num_rows) == is_one
