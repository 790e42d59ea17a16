"""The scripts of docs/ against the running server: their figures, and the rows that they link to."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal

import httpx
import polars as pl
import pytest

from finops_assets.settings import Settings
from tests.api.server import PROJECT, running_api
from tests.services.sinks import http_sink
from tests.warehouse_builder import lake_table


@pytest.fixture(scope="module")
def url(built: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_api(built, tmp_path_factory.mktemp("api")) as at:
        yield at


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROJECT / "docs" / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def billed(settings: Settings, month: str, currency: str) -> Decimal:
    own = lake_table(settings, "costs").filter(
        pl.col("ChargePeriodStart").dt.strftime("%Y-%m") == month, pl.col("BillingCurrency") == currency
    )
    return sum(own["BilledCost"].drop_nulls().to_list(), Decimal(0))


def test_the_month_end_report(built: Settings, url: str) -> None:
    done = run("month_end_report.py", url, "2026-02")
    assert done.returncode == 0, done.stderr
    (line,) = re.findall(r"\| USD \| \[(.*?) USD\]\((.*?)\) \| (.*?) \| (.*?) \|", done.stdout)
    now, then = billed(built, "2026-02", "USD"), billed(built, "2026-01", "USD")
    assert (line[0], line[2], line[3]) == (f"{now:,.2f}", f"{then:,.2f}", f"{now - then:+,.2f}")
    (total,) = httpx.get(line[1], trust_env=False).json()["totals"]
    assert Decimal(total["cost"]) == now
    assert "- USD: 0 off the bills' own totals" in done.stdout


def test_the_slack_digest(url: str) -> None:
    with http_sink() as slack:
        done = run("slack_digest.py", url, f"http://127.0.0.1:{slack.port}/services/T/B/x")
    assert done.returncode == 0, done.stderr
    (body,) = slack.bodies
    assert body["text"].startswith("*Costs from 2026-03-01 to 2026-03-20*")
    assert "The month will come to" in body["text"]


def test_what_cannot_be_is_said(url: str) -> None:
    assert "expected a month such as 2026-01" in run("month_end_report.py", url, "2026-02-extra").stderr
    assert run("month_end_report.py").stderr.startswith("A month's costs as Markdown")
