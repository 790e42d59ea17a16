"""Where an event comes from: the few cuboids whose proportional change explains the leaves' changes best.

A cuboid fixes some dimensions and takes any value of the rest: (ServiceName=S3, RegionId=eu-west-1). The
ripple effect says that a cause there changes all its leaves by one ratio, and leaves the others as expected:
Sun et al., "HotSpot: Anomaly Localization for Additive KPIs with Multi-Dimensional Attributes", IEEE Access
2018; generalized in Li et al., "Generic and Robust Localization of Multi-Dimensional Root Causes" (Squeeze),
ISSRE 2019. Their potential score is how much of the deviation from the expected a set of cuboids takes away.
Here it is weighed against what it costs to name the set, as a description length: with Laplace residuals the
N leaves cost N log(residual), and a cuboid the logarithms of how many it was chosen from. Hence neither a
parent that blurs its child, nor a child that leaves some of its parent's change out, nor one cause more than
the data bear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, log
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

MOST_DIMENSIONS = 6
"""Dimensions that are looked at; the first ones given of those that have more than one value."""
MOST_CAUSES = 3
LEAST_SHARE = 0.02
"""A cause takes away at least this share of the whole deviation."""
LEAST_AMOUNT = 0.03
"""A cause is left out below this share of the largest one's amount: true or not, it is no news beside it."""
_FLOOR = 1e-3  # of the whole deviation: what is left below it is not worth a name
_CANDIDATES, _OF_ONE_CUBOID, _BEAM, _CROSSING = 64, 8, 6, 48

_Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Cause:
    """A place, as dimension → value, and what its leaves were expected to cost and did.

    No dimension at all is everywhere. Leaves of a cause before it in the list are not in its sums.
    """

    place: dict[str, str]
    expected: float
    actual: float


@dataclass(frozen=True)
class _Leaves:
    expected: _Floats
    actual: _Floats
    weight: _Floats
    """Amounts vary as the root of their size, about; so is a residual weighed."""

    def deviation(self) -> _Floats:
        found: _Floats = np.abs(self.actual - self.expected) * self.weight
        return found


@dataclass(frozen=True)
class _Candidate:
    place: dict[str, str]
    leaves: NDArray[np.bool_]
    gain: float
    price: float


@dataclass(frozen=True)
class _Set:
    """Candidates by their numbers, and what they come to together."""

    members: tuple[int, ...]
    gain: float
    price: float
    length: float


def find_causes(leaves: pa.Table, dimensions: Sequence[str], most: int = MOST_CAUSES) -> list[Cause]:
    """The causes of a change, the one that takes most of the deviation away first; none if nothing does.

    `leaves` has a string column a dimension, and `expected` and `actual` (float64, one currency); a row is
    one combination of values. Raises KeyError for a dimension that it does not have.
    """
    expected = leaves["expected"].to_numpy().astype(np.float64)
    actual = leaves["actual"].to_numpy().astype(np.float64)
    size = np.maximum(np.abs(expected), np.abs(actual))
    if not len(size) or not size.any():
        return []
    weight = 1 / np.sqrt(np.maximum(size, size.mean() * _FLOOR))
    data = _Leaves(expected, actual, weight)
    whole = float(data.deviation().sum())
    if whole <= 0:
        return []
    candidates = _candidates(data, leaves, dimensions, whole)
    chosen = _best_set(data, candidates, whole, most)
    amounts = [abs(float((actual - expected)[c.leaves].sum())) for c in chosen]
    chosen = [c for c, a in zip(chosen, amounts, strict=True) if a >= LEAST_AMOUNT * max(amounts)]
    found, left = [], np.ones(len(size), dtype=bool)
    for candidate in chosen:
        mine = candidate.leaves & left
        found.append(Cause(candidate.place, float(expected[mine].sum()), float(actual[mine].sum())))
        left &= ~candidate.leaves
    return found


def _candidates(data: _Leaves, leaves: pa.Table, dimensions: Sequence[str], whole: float) -> list[_Candidate]:
    """The most promising elements of every cuboid."""
    coded = [(d, leaves[d].combine_chunks().dictionary_encode()) for d in dimensions]
    varied = [
        (d, column.dictionary.to_pylist(), column.indices.to_numpy().astype(np.intp))
        for d, column in coded
        if len(column.dictionary) > 1
    ][:MOST_DIMENSIONS]
    count, deviation = len(data.expected), data.deviation()
    rated: list[tuple[float, float, float, tuple[int, ...], NDArray[np.intp], int]] = []
    for depth in range(len(varied) + 1):
        for columns in combinations(range(len(varied)), depth):
            groups = np.zeros(count, dtype=np.intp)
            for c in columns:
                groups = groups * len(varied[c][1]) + varied[c][2]
            elements, groups = np.unique(groups, return_inverse=True)
            gains = np.bincount(groups, deviation) - np.bincount(groups, _residual(data, groups))
            price = log(comb(len(varied), depth)) + log(len(elements)) + depth + log(count) / 2
            for element in np.argsort(-gains)[:_OF_ONE_CUBOID]:
                gain = float(gains[element])
                if gain >= LEAST_SHARE * whole:
                    rated.append(
                        (_length(gain, price, whole, count), gain, price, columns, groups, int(element))
                    )
    rated.sort(key=lambda r: r[0])
    found = []
    for _, gain, price, columns, groups, element in rated[:_CANDIDATES]:
        held = groups == element
        first = int(np.argmax(held))
        place = {varied[c][0]: str(varied[c][1][varied[c][2][first]]) for c in columns}
        found.append(_Candidate(place, held, gain, price))
    return found


def _residual(data: _Leaves, groups: NDArray[np.intp]) -> _Floats:
    """What is left of each leaf's deviation when its group changes by one ratio."""
    before, after = np.bincount(groups, data.expected), np.bincount(groups, data.actual)
    ratio = np.divide(after, before, out=np.ones_like(before), where=before != 0)
    left: _Floats = np.abs(data.actual - data.expected * ratio[groups]) * data.weight
    # A group of which nothing was there before is new, all of it.
    is_new = np.bincount(groups, np.abs(data.expected)) == 0
    left[is_new[groups]] = 0
    return left


def _length(gain: float, price: float, whole: float, count: int) -> float:
    """How long the data's description becomes, against the one that names no cause; less is better."""
    return count * log(max(1 - gain / whole, _FLOOR)) + price


def _best_set(data: _Leaves, candidates: list[_Candidate], whole: float, most: int) -> list[_Candidate]:
    """The candidates that together make the shortest description, the largest gain first.

    They may share less than half of their leaves: a part of a cause is no other cause.
    """
    count = len(data.expected)
    held = np.array([c.leaves for c in candidates], dtype=np.float32).reshape(len(candidates), count)
    shared, sizes = held @ held.T, held.sum(axis=1)
    apart: NDArray[np.bool_] = np.less(shared, np.minimum(sizes[:, None], sizes[None, :]) / 2)
    beam = [_Set((), 0.0, 0.0, 0.0)]
    best = beam[0]
    for step in range(most):
        grown: dict[frozenset[int], _Set] = {}
        crossing: dict[frozenset[int], _Set] = {}
        for known in beam:
            members = list(known.members)
            crosses: list[bool] = np.any(shared[members] > 0, axis=0).tolist()
            # A pair is looked at once.
            first = members[0] + 1 if step == 1 else 0
            for i in (np.flatnonzero(np.all(apart[members, first:], axis=0)) + first).tolist():
                # As if they shared nothing; those that do are looked at again.
                gain, price = known.gain + candidates[i].gain, known.price + candidates[i].price
                kind = crossing if crosses[i] else grown
                kind[frozenset((*members, i))] = _Set(
                    (*members, i), gain, price, _length(gain, price, whole, count)
                )
        for members_, guess in sorted(crossing.items(), key=lambda c: c[1].length)[:_CROSSING]:
            gain = _gain(data, [candidates[i].leaves for i in guess.members])
            if gain - max(k.gain for k in beam if members_ > set(k.members)) >= LEAST_SHARE * whole:
                grown[members_] = _Set(
                    guess.members, gain, guess.price, _length(gain, guess.price, whole, count)
                )
        # The first step keeps all: two brothers may beat the parent that beats each of them.
        beam = sorted(grown.values(), key=lambda k: k.length)[: _CANDIDATES if step == 0 else _BEAM]
        if beam and beam[0].length < best.length:
            best = beam[0]
    return sorted((candidates[i] for i in best.members), key=lambda c: -c.gain)


def _gain(data: _Leaves, held: Sequence[NDArray[np.bool_]]) -> float:
    """What causes that cross take away: where they do, both ratios meet in one of its own."""
    groups = np.sum([mine.astype(np.intp) << n for n, mine in enumerate(held)], axis=0)
    mine = groups > 0
    part = _Leaves(data.expected[mine], data.actual[mine], data.weight[mine])
    return float(part.deviation().sum() - _residual(part, groups[mine]).sum())
