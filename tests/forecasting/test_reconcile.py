"""Sums to the cent, as properties of any forecasts."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_assets.forecasting.reconcile import bottom_up, scale_to, to_cents

AMOUNTS = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.lists(st.lists(AMOUNTS, min_size=3, max_size=3), min_size=1, max_size=8), st.data())
def test_parents_are_the_exact_sums_of_rounded_leaves(rows: list[list[float]], data: st.DataObject) -> None:
    leaves = {f"leaf {i}": np.array(row) for i, row in enumerate(rows)}
    some = data.draw(st.lists(st.sampled_from(sorted(leaves)), min_size=1, unique=True))
    cents, parents = bottom_up(leaves, {"some": some, "all": list(leaves)})
    for day in range(3):
        assert parents["some"][day] == sum(cents[name][day] for name in some)
        rest = set(leaves) - set(some)
        assert parents["all"][day] - parents["some"][day] == sum(cents[n][day] for n in rest)
        for name, values in leaves.items():
            assert abs(Decimal(cents[name][day]) / 100 - Decimal(float(values[day]))) <= Decimal("0.0050001")


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=20), st.integers(0, 10**12))
def test_children_sum_to_the_parent_and_are_within_a_cent_of_their_share(
    children: list[float], parent: int
) -> None:
    scaled = scale_to(children, parent)
    assert sum(scaled) == parent
    exact = [round(c * 10**6) for c in children]
    if sum(exact) > 0:
        for child, cents in zip(exact, scaled, strict=True):
            assert abs(Fraction(child * parent, sum(exact)) - cents) < 1
            assert cents >= 0


@given(st.lists(AMOUNTS, min_size=1, max_size=20), st.integers(-(10**12), 10**12))
def test_children_of_any_sign_sum_to_the_parent(children: list[float], parent: int) -> None:
    assert sum(scale_to(children, parent)) == parent


def test_the_largest_remainder_by_hand() -> None:
    # 100 cents in three equal parts, then 7 cents in the proportion 1 : 2 : 1 (1.75, 3.5, 1.75).
    assert scale_to([1.0, 1.0, 1.0], 100) == [34, 33, 33]
    assert scale_to([1.0, 2.0, 1.0], 7) == [2, 3, 2]
    assert scale_to([5.0, -5.0], 10) == [505, -495]
    assert scale_to([0.0, 0.0], 3) == [2, 1]


def test_what_cannot_be_added_up_is_said() -> None:
    two = {"a": np.ones(2), "b": np.ones(2)}
    with pytest.raises(ValueError, match="x has leaves without a forecast: c"):
        bottom_up(two, {"x": ["a", "c"]})
    with pytest.raises(ValueError, match="twice"):
        bottom_up(two, {"x": ["a", "a"]})
    with pytest.raises(ValueError, match="lengths"):
        bottom_up({"a": np.ones(2), "b": np.ones(3)}, {})
    with pytest.raises(ValueError, match="not a number"):
        to_cents(np.array([np.nan]))
    with pytest.raises(ValueError, match="no children"):
        scale_to([], 5)
