"""Is the place of a cause found? Injected into generated cubes, and looked for by three methods.

    python -m benchmarks.cause_place [--cubes 20] [--seed 1]

A cube has five dimensions with skewed sizes, leaves that are not all there, and noise on each. One or two
places of one to three dimensions change by a ratio of their own. Found is what names exactly the injected
places and no other. Adtributor (Bhagwan et al., NSDI 2014) and a greedy drill-down, into the value that
changed most as long as it holds most of the change, are written here from their descriptions.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from finops_assets.anomalies.causes import find_causes

DIMENSIONS = ("service", "account", "region", "meter", "team")
SIZES = (8, 6, 5, 10, 4)

Place = frozenset[tuple[str, str]]
Search = Callable[[pd.DataFrame], set[Place]]


@dataclass(frozen=True)
class Case:
    """Leaves (the dimensions, expected, actual) and where they were changed."""

    leaves: pd.DataFrame
    places: set[Place]
    dimensions: int
    noise: float


def generate(random: np.random.Generator, dimensions: int, causes: int, noise: float) -> Case:
    """A cube with `causes` places of so many dimensions each; together they change it by 3% or more."""
    while True:
        leaves = _cube(random)
        places = [_place(random, leaves, dimensions) for _ in range(causes)]
        held = [_held(leaves, place) for place in places]
        expected = leaves["expected"].to_numpy()
        actual = expected * np.exp(random.normal(0, noise, len(leaves)))
        for mine in held:
            actual[mine] *= random.choice([0.0, 0.3, 1.8, 2.5, 4.0])
        changes = [abs((actual - expected)[mine].sum()) / expected.sum() for mine in held]
        own = [mine & ~np.logical_or.reduce([m for m in held if m is not mine] or [~mine]) for mine in held]
        # Two places may cross, but each has more to it than what it shares; a place of two leaves has
        # no other name than theirs.
        if min(changes) >= 0.03 and all(
            o.sum() >= max(3, m.sum() / 2) for o, m in zip(own, held, strict=True)
        ):
            return Case(leaves.assign(actual=actual), set(places), dimensions, noise)


def _cube(random: np.random.Generator) -> pd.DataFrame:
    every = np.array(np.meshgrid(*[np.arange(s) for s in SIZES], indexing="ij")).reshape(len(SIZES), -1).T
    kept = every[random.random(len(every)) < 0.15]
    share = [random.lognormal(0, 0.8, s) for s in SIZES]
    size = np.prod([share[i][kept[:, i]] for i in range(len(SIZES))], axis=0)
    leaves = pd.DataFrame({d: [f"{d[0]}{v}" for v in kept[:, i]] for i, d in enumerate(DIMENSIONS)})
    return leaves.assign(expected=size * random.lognormal(0, 0.5, len(kept)) * 10)


def _place(random: np.random.Generator, leaves: pd.DataFrame, dimensions: int) -> Place:
    chosen = random.choice(len(DIMENSIONS), size=dimensions, replace=False)
    row = leaves.iloc[int(random.choice(len(leaves), p=leaves["expected"] / leaves["expected"].sum()))]
    return frozenset((DIMENSIONS[i], str(row[DIMENSIONS[i]])) for i in chosen)


def _held(leaves: pd.DataFrame, place: Place) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    held = np.ones(len(leaves), dtype=bool)
    for dimension, value in place:
        held &= (leaves[dimension] == value).to_numpy()
    return held


def ours(leaves: pd.DataFrame) -> set[Place]:
    """The platform's search."""
    table = pa.Table.from_pandas(leaves, preserve_index=False)
    return {frozenset(cause.place.items()) for cause in find_causes(table, DIMENSIONS)}


def greedy(leaves: pd.DataFrame) -> set[Place]:
    """Into the value with the largest change, as long as it holds four fifths of what is above it."""
    place: dict[str, str] = {}
    while len(place) < len(DIMENSIONS):
        change = leaves["actual"] - leaves["expected"]
        best: tuple[float, str, str] = (0.0, "", "")
        for dimension in DIMENSIONS:
            if dimension not in place:
                by_value = change.groupby(leaves[dimension]).sum().abs()
                best = max(best, (float(by_value.max()), dimension, str(by_value.idxmax())))
        if best[0] < 0.8 * abs(float(change.sum())):
            break
        place[best[1]] = best[2]
        leaves = leaves[leaves[best[1]] == best[2]]
    return {frozenset(place.items())}


def adtributor(leaves: pd.DataFrame, least: float = 0.1, enough: float = 0.67) -> set[Place]:
    """Of the dimension with the largest surprise, the values that explain `enough` of the change.

    Each explains at least `least`; a cause has one dimension, whatever it is made of.
    """
    whole = leaves[["expected", "actual"]].sum()
    found: list[tuple[float, set[Place]]] = []
    for dimension in DIMENSIONS:
        sums = leaves.groupby(dimension)[["expected", "actual"]].sum()
        p, q = sums["expected"] / whole["expected"], sums["actual"] / whole["actual"]
        middle = (p + q) / 2
        surprise = 0.5 * (
            p * np.log(np.where(p > 0, p / middle, 1)) + q * np.log(np.where(q > 0, q / middle, 1))
        )
        explained = (sums["actual"] - sums["expected"]) / (whole["actual"] - whole["expected"])
        taken, power, total = set(), 0.0, 0.0
        for value in surprise.sort_values(ascending=False).index:
            if explained[value] > least:
                taken.add(frozenset({(dimension, str(value))}))
                power, total = power + explained[value], total + surprise[value]
                if power > enough:
                    found.append((total, taken))
                    break
    return max(found, key=lambda f: f[0])[1] if found else set()


SEARCHES: dict[str, Search] = {"ours": ours, "greedy drill-down": greedy, "Adtributor": adtributor}


def measure(cases: Sequence[Case]) -> pd.DataFrame:
    """A row a method and case: dimensions, causes, noise, found (exactly), ms of one core."""
    rows = []
    for case in cases:
        for name, search in SEARCHES.items():
            begun = time.process_time()
            found = search(case.leaves[[*DIMENSIONS, "expected", "actual"]])
            took = (time.process_time() - begun) * 1000
            rows.append(
                {
                    "method": name,
                    "dimensions": case.dimensions,
                    "causes": len(case.places),
                    "noise": case.noise,
                    "found": found == case.places,
                    "ms": took,
                }
            )
    return pd.DataFrame(rows)


def main() -> None:
    """Print the share found exactly, by method and kind of case."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cubes", type=int, default=20, help="of each kind: 3 x 2 x 3 kinds")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    random = np.random.default_rng(given.seed)
    cases = [
        generate(random, dimensions, causes, noise)
        for dimensions in (1, 2, 3)
        for causes in (1, 2)
        for noise in (0.02, 0.1, 0.25)
        for _ in range(given.cubes)
    ]
    measured = measure(cases)
    for column in ("dimensions", "causes", "noise"):
        table = measured.pivot_table(index="method", columns=column, values="found", sort=False)
        print(f"{table.map('{:.1%}'.format).to_string()}\n")
    total = measured.groupby("method", sort=False).agg(found=("found", "mean"), ms=("ms", "mean"))
    leaves = sum(len(case.leaves) for case in cases) / len(cases)
    print(f"{len(cases)} cubes of {leaves:.0f} leaves on average")
    print(total.to_string(formatters={"found": "{:.1%}".format, "ms": "{:.1f}".format}))


if __name__ == "__main__":
    main()
