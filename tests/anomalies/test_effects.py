"""The effects of an event, against bills worked out by hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.anomalies.test_drivers import START, drivers, event, row

LAST = START + timedelta(days=28)
"""The event's day; the same weekday of four weeks before it is what it is compared with."""


def used(
    sku: str, quantity: str, price: str, paid: str = "1", status: str | None = None, **more: object
) -> dict[str, Any]:
    """A day's usage of a SKU: `paid` is the share of the list cost that it really cost."""
    listed = Decimal(quantity) * Decimal(price)
    return {
        "cost": listed * Decimal(paid),
        "SkuId": sku,
        "SkuMeter": "hours",
        "PricingUnit": "Hours",
        "PricingQuantity": Decimal(quantity),
        "ListUnitPrice": Decimal(price),
        "ListCost": listed,
        "CommitmentDiscountStatus": status,
        "CommitmentDiscountId": "plan-1" if status else None,
        **more,
    }


def effects(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> dict[str, Decimal]:
    """The effects of an event whose expectation is exactly what the days before cost."""
    rows = [row(START + timedelta(days=7 * week), **b) for week in range(4) for b in before]
    rows += [row(LAST, **a) for a in after]
    costs = [sum((r["cost"] for r in side), Decimal(0)) for side in (before, after)]
    found = drivers([event("total", LAST, LAST, *costs)], rows)
    mine = found[found["dimension"] == "effect"]
    assert sum(mine["contribution"], Decimal(0)) == costs[1] - costs[0]
    return dict(zip(mine["value"], mine["contribution"], strict=True))


def test_twice_the_quantity() -> None:
    assert effects([used("a", "100", "2", "0.9")], [used("a", "200", "2", "0.9")]) == {"quantity": 180}


def test_a_dearer_list_price() -> None:
    assert effects([used("a", "100", "2")], [used("a", "100", "2.5")]) == {"list price": 50}


def test_a_lost_discount() -> None:
    assert effects([used("a", "100", "2", "0.7")], [used("a", "100", "2")]) == {"discount": 60}


def test_an_expired_commitment() -> None:
    """60 of 100 hours were covered at 40% of their price; then none is."""
    before = [used("a", "60", "2", "0.4", "Used"), used("a", "40", "2")]
    assert effects(before, [used("a", "100", "2")]) == {"commitment": 72}


def test_what_a_commitment_costs_unused_stands_with_it() -> None:
    before = [used("a", "100", "2", "0.5", "Used")]
    unused = row(LAST, Decimal(30)) | {"CommitmentDiscountStatus": "Unused"}
    del unused["BilledCost"], unused["EffectiveCost"], unused["ChargePeriodStart"]
    assert effects(before, [*before, {"cost": Decimal(30), **unused}]) == {"commitment": 30}


def test_a_new_sku_and_one_that_vanished() -> None:
    assert effects([used("a", "100", "2")], [used("b", "50", "3")]) == {"vanished": -200, "new": 150}


def test_the_same_hours_on_a_dearer_sku_are_mix() -> None:
    """100 hours in all: 20 move from a price of 1 to a price of 5."""
    before = [used("a", "80", "1"), used("b", "20", "5")]
    assert effects(before, [used("a", "60", "1"), used("b", "40", "5")]) == {"mix": 80}


def test_two_at_once_share_what_they_made_together() -> None:
    """10 × 2 becomes 20 × 3: 20 for the quantity, 10 for the price, and half of the other 10 each."""
    assert effects([used("a", "10", "2")], [used("a", "20", "3")]) == {"quantity": 25, "list price": 15}


def test_three_at_once_as_shapley_says() -> None:
    """The average over the six orders in which quantity, price and discount may have changed."""
    q, p, r = (Decimal(10), Decimal(30)), (Decimal(4), Decimal(7)), (Decimal(1), Decimal("0.5"))
    found = effects([used("a", "10", "4")], [used("a", "30", "7", "0.5")])
    third, sixth = Decimal(1) / 3, Decimal(1) / 6

    def share(x: tuple[Decimal, Decimal], a: tuple[Decimal, Decimal], b: tuple[Decimal, Decimal]) -> Decimal:
        return (x[1] - x[0]) * (third * (a[0] * b[0] + a[1] * b[1]) + sixth * (a[0] * b[1] + a[1] * b[0]))

    assert found.pop("(unexplained)", Decimal(0)) == pytest.approx(Decimal(0), abs=Decimal("0.02"))
    assert found == {
        "quantity": share(q, p, r).quantize(Decimal("0.01")),
        "list price": share(p, q, r).quantize(Decimal("0.01")),
        "discount": share(r, q, p).quantize(Decimal("0.01")),
    }


def test_what_has_no_quantity_is_not_explained() -> None:
    plain = {"SkuMeter": "support"}
    quiet = [used("a", "10", "1")]
    found = effects(
        [{"cost": Decimal(100), **plain}, *quiet],
        [{"cost": Decimal(130), **plain}, used("a", "15", "1")],
    )
    assert found == {"quantity": 5, "(unexplained)": 30}
