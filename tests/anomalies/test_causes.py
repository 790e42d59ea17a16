"""The place of a cause: found exactly on cubes whose cause is known."""

from __future__ import annotations

from itertools import product

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.cause_place import generate, ours
from finops_assets.anomalies.causes import Cause, find_causes

DIMENSIONS = ("service", "account", "region")


def cube(**changed: float) -> pa.Table:
    """24 leaves of 100 each; 'S3/*/eu' = 3.0 triples those of S3 in eu."""
    rows = []
    for place in product(("EC2", "S3", "RDS", "BigQuery"), ("prod", "dev"), ("us", "eu", "ap")):
        actual = 100.0
        for pattern, ratio in changed.items():
            if all(p in {"*", v} for p, v in zip(pattern.split("/"), place, strict=True)):
                actual *= ratio
        rows.append({**dict(zip(DIMENSIONS, place, strict=True)), "expected": 100.0, "actual": actual})
    return pa.Table.from_pylist(rows)


@pytest.mark.parametrize(
    ("changed", "causes"),
    [
        ({"S3/*/*": 3.0}, [Cause({"service": "S3"}, 600, 1800)]),
        ({"S3/*/eu": 3.0}, [Cause({"service": "S3", "region": "eu"}, 200, 600)]),
        ({"EC2/dev/ap": 9.0}, [Cause({"service": "EC2", "account": "dev", "region": "ap"}, 100, 900)]),
        ({"*/dev/*": 0.0}, [Cause({"account": "dev"}, 1200, 0)]),
        ({"*/*/*": 1.5}, [Cause({}, 2400, 3600)]),
        ({"*/*/*": 1.0}, []),
        (
            {"S3/*/eu": 4.0, "EC2/dev/*": 0.5},
            [
                Cause({"service": "S3", "region": "eu"}, 200, 800),
                Cause({"service": "EC2", "account": "dev"}, 300, 150),
            ],
        ),
    ],
)
def test_the_smallest_name_of_what_changed(changed: dict[str, float], causes: list[Cause]) -> None:
    assert find_causes(cube(**changed), DIMENSIONS) == causes


def test_a_new_place_is_a_cause() -> None:
    table = cube()
    new = {"service": "Bedrock", "account": "dev", "region": "us", "expected": 0.0, "actual": 400.0}
    other = {**new, "region": "eu", "actual": 30.0}
    grown = pa.concat_tables([table, pa.Table.from_pylist([new, other], schema=table.schema)])
    assert find_causes(grown, DIMENSIONS) == [Cause({"service": "Bedrock"}, 0, 430)]


def test_nothing_to_look_at_has_no_cause() -> None:
    assert find_causes(cube().slice(0, 0), DIMENSIONS) == []
    with pytest.raises(KeyError):
        find_causes(cube(**{"S3/*/*": 2.0}), ("team",))


def test_most_injected_causes_are_found_exactly_and_never_two_times_the_same_leaf() -> None:
    random = np.random.default_rng(11)
    cases = [generate(random, dimensions, causes, 0.1) for dimensions in (1, 2, 3) for causes in (1, 2)] * 3
    found = sum(ours(case.leaves) == case.places for case in cases)
    assert found >= 0.8 * len(cases)
    for case in cases:
        table = pa.Table.from_pandas(case.leaves, preserve_index=False)
        causes = find_causes(table, ("service", "account", "region", "meter", "team"))
        assert len(causes) <= 3
        assert sum(c.actual for c in causes) <= case.leaves["actual"].sum() * (1 + 1e-9)
