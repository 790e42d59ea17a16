"""The share of false events is held: by simulation of the rule, and by the detector on series without any."""

from __future__ import annotations

import numpy as np
import pytest

from finops_assets.anomalies.conformal import p_values
from finops_assets.anomalies.discovery import FALSE_SHARE, P_LIMIT, controlled_limit
from finops_assets.anomalies.events import detect_events
from finops_assets.anomalies.runs import Run
from tests.forecasting.fleets import cost_like, features_of

DAYS, SERIES = 250, 80


def run(series: int, day: int, p: float) -> Run:
    return Run(series, day, day, day, p)


def raised(
    p: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Days at or below the limit, each an event of its own."""
    days = np.argwhere(p <= P_LIMIT)
    limit = controlled_limit([run(int(s), int(d), float(p[d, s])) for d, s in days], p)
    assert limit <= P_LIMIT
    return p <= limit


@pytest.mark.parametrize("anomalies", [0, 5, 60])
def test_the_expected_share_of_false_events_is_bounded(anomalies: int) -> None:
    shares = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        p = rng.random((DAYS, SERIES))
        odd = np.zeros(p.shape, dtype=np.bool_)
        odd.flat[rng.choice(p.size, anomalies, replace=False)] = True
        p[odd] = 10 ** rng.uniform(-9, -3, anomalies)
        found = raised(p)
        shares.append((found & ~odd).sum() / max(1, found.sum()))
    error = 3 * float(np.std(shares)) / np.sqrt(len(shares))
    assert float(np.mean(shares)) <= FALSE_SHARE + error


def test_a_fleet_in_which_much_happens_is_looked_at_more_closely() -> None:
    p = np.random.default_rng(0).random((DAYS, SERIES))
    few, many = p.copy(), p.copy()
    few[:2, 0], many[:40, 0] = 1e-7, 1e-7
    few[100, 5] = many[100, 5] = 1e-4
    assert not raised(few)[100, 5]
    assert raised(many)[100, 5]


def test_the_tail_of_ordinary_days_is_that_of_the_days_to_come() -> None:
    rng = np.random.default_rng(1)
    scores = rng.standard_exponential((2000, 50))
    known, later = scores[:1000], scores[1000:]
    among = np.zeros(scores.shape, dtype=np.bool_)
    among[: len(known)] = True
    p = p_values(scores, among)[len(known) :]
    for level in (1e-2, 1e-3, 2e-4):
        assert float(np.mean(p <= level)) == pytest.approx(level, rel=0.5)
    assert later.size == p.size


def test_clean_fleets_mostly_raise_nothing() -> None:
    false = []
    for seed in range(6):
        noise = (0.02, 0.05, 0.1)
        series = {
            f"s{i:02}": cost_like(
                1000 * seed + i, 330, size=80 + 9 * i, weekend=(1.0, 0.5)[i % 2], noise=noise[i % 3]
            )
            for i in range(25)
        }
        false.append(detect_events(features_of(series)).num_rows)
    # With nothing to find, every event is false: the rule lets a fleet in eight raise any.
    assert sum(n > 0 for n in false) <= 2
    assert sum(false) / (6 * 25 * 330 / 365) < 0.1
