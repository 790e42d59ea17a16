"""What every test may lean on: a lake and an engine in a folder of its own, and the sample bills."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.lake.lake import Lake
from tests.streamlit_app.browser import CHROMIUM

# How long an example takes says how busy the machine is, not whether the code is right.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def engine(tmp_path: Path) -> DuckDBEngine:
    return DuckDBEngine(tmp_path / "spill")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real sample bills; tests that need it skip where it is absent."""
    if not SAMPLES.is_dir():
        pytest.skip(f"the sample bills are not in {SAMPLES.parent.name}/{SAMPLES.name} beside the checkout")
    return SAMPLES


@pytest.fixture(scope="session")
def chromium() -> None:
    """Skips where Debian's Chromium is not installed."""
    if not CHROMIUM.exists():
        pytest.skip(f"the Debian package 'chromium' is not installed: {CHROMIUM} is missing")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skip is a failure: everything that a test needs is there, or the build is wrong."""
    report = yield
    if report.skipped and os.environ.get("CI", "").lower() == "true":
        report.outcome = "failed"
    return report
