"""Refreshes as they happen: bad bills among good ones, a restated month, readers meanwhile."""

from __future__ import annotations

import gzip
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from finops_assets.warehouse.reader import Warehouse
from tests.focus_bills import in_month, text
from tests.platform_process import Platform

MONTHS = ("2026-01", "2026-02", "2026-03")


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    platform = Platform(tmp_path)
    platform.configure(
        '[sources.good]\nkind = "files"\npath = "good"\n[sources.bad]\nkind = "files"\npath = "bad"\n'
    )
    for month in MONTHS:
        put(platform, "good", month, text(in_month(month, "2.5"), in_month(month, "3.25", day="17")))
    (tmp_path / "bad").mkdir()
    return platform


def put(platform: Platform, source: str, month: str, content: str | bytes, name: str = "bill.csv") -> None:
    path = platform.root / source / month / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def files_of(platform: Platform, table: str) -> dict[str, int]:
    folder = platform.root / "var" / "lake" / table
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*.parquet")}


def test_bad_bills_are_held_and_said_and_the_others_go_on(platform: Platform) -> None:
    put(platform, "bad", "2026-01", "day,dollars\n2026-01-01,5\n")
    put(platform, "bad", "2026-02", text(in_month("2026-02"), {**in_month("2026-02"), "BilledCost": "five"}))
    put(platform, "bad", "2026-03", gzip.compress(text(in_month("2026-03")).encode())[:-20], "bill.csv.gz")
    done = platform.finops("ingest")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 deliveries are quarantined" in done.stdout
    held = platform.query(
        "SELECT x_BillingMonth, status, problem FROM bills WHERE x_Source = 'bad' ORDER BY 1"
    )
    assert [(month, status) for month, status, _ in held] == [(m, "quarantined") for m in MONTHS]
    assert held[0][2].startswith("2026-01/bill.csv: expected the columns of a known bill format")
    assert held[1][2] == (
        "2026-02/bill.csv: row 2, column BilledCost: expected a decimal amount, found 'five'"
    )
    assert held[2][2].startswith("2026-03/bill.csv.gz: expected a complete gzip file")
    assert platform.query("SELECT x_Source, sum(BilledCost) FROM costs GROUP BY 1") == [
        ("good", Decimal("17.25"))
    ]


def test_a_held_bill_is_taken_when_the_configuration_says_why(platform: Platform) -> None:
    put(
        platform,
        "bad",
        "2026-01",
        text(in_month("2026-01"), {**in_month("2026-01"), "ChargeCategory": "Fee"}),
    )
    assert platform.finops("ingest").returncode == 0
    asked = "SELECT bill_id, status, decision FROM bills WHERE x_Source = 'bad'"
    ((bill_id, status, decision),) = platform.query(asked)
    assert (status, decision) == ("quarantined", None)
    config = platform.root / "finops.toml"
    config.write_text(config.read_text() + f'[accepted_bills]\n"{bill_id}" = "They call it a fee"\n')
    assert platform.finops("ingest").returncode == 0
    assert platform.query(asked) == [(bill_id, "accepted", "They call it a fee")]
    assert platform.query("SELECT sum(BilledCost), count(*) FROM costs WHERE x_Source = 'bad'") == [
        (Decimal("2.5"), 2)
    ]


def test_a_restated_month_replaces_itself_only(platform: Platform) -> None:
    assert platform.finops("ingest").returncode == 0
    before = files_of(platform, "costs")
    put(platform, "good", "2026-02", text(in_month("2026-02", "100")))
    assert platform.finops("ingest").returncode == 0
    after = files_of(platform, "costs")
    assert {f: t for f, t in after.items() if f in before} == before, "no file was rewritten"
    assert all("2026-02" in f for f in set(after) - set(before))
    found = platform.query("SELECT x_BillingMonth, sum(BilledCost) FROM daily_costs GROUP BY 1 ORDER BY 1")
    assert found == [("2026-01", Decimal("5.75")), ("2026-02", Decimal(100)), ("2026-03", Decimal("5.75"))]
    statuses = "SELECT status FROM bills WHERE x_BillingMonth = '2026-02' ORDER BY ingested_at"
    assert platform.query(statuses) == [("superseded",), ("accepted",)]


def test_a_bad_restatement_leaves_what_was_there(platform: Platform) -> None:
    assert platform.finops("ingest").returncode == 0
    put(platform, "good", "2026-02", text({**in_month("2026-02"), "BillingCurrency": "DOLLAR"}))
    assert platform.finops("ingest").returncode == 0
    found = platform.query("SELECT sum(BilledCost) FROM costs WHERE x_BillingMonth = '2026-02'")
    assert found == [(Decimal("5.75"),)]
    problem = "SELECT problem FROM bills WHERE status = 'quarantined'"
    assert platform.query(problem) == [
        (
            "2026-02/bill.csv: row 1, column BillingCurrency: expected an ISO 4217 currency code, "
            "found 'DOLLAR'",
        )
    ]


def test_readers_see_whole_months_while_refreshes_run(platform: Platform) -> None:
    """Every version of February is 40 rows of one amount: a sum that is not 40 of a kind is half a month."""
    amounts = [Decimal(n) for n in (1, 2, 3)]
    seen: list[tuple[Decimal, Decimal, int]] = []
    over = threading.Event()
    put(platform, "good", "2026-02", text(*[in_month("2026-02", "1")] * 40))
    assert platform.finops("ingest").returncode == 0
    warehouse = Warehouse(platform.root / "var" / "warehouse")

    def read() -> None:
        question = (
            "SELECT min(BilledCost), sum(BilledCost), (SELECT sum(x_RowCount) FROM daily_costs "
            "WHERE x_BillingMonth = '2026-02')::BIGINT FROM costs WHERE x_BillingMonth = '2026-02'"
        )
        while not over.is_set():
            with warehouse.cursor() as cursor:
                row = cursor.execute(question).fetchone()
                assert row is not None
                seen.append(row)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for amount in amounts[1:]:
            put(platform, "good", "2026-02", text(*[in_month("2026-02", str(amount))] * 40))
            done = platform.finops("ingest")
            assert done.returncode == 0, done.stdout + done.stderr
    finally:
        over.set()
        for reader in readers:
            reader.join()
        warehouse.close()
    assert all(total == 40 * amount and rows == 40 for amount, total, rows in seen)
    assert {amount for amount, _, _ in seen} >= {amounts[0], amounts[1]}


def test_bills_before_the_first_month_are_left_out_aloud(platform: Platform) -> None:
    toml = (platform.root / "finops.toml").read_text(encoding="utf-8")
    platform.configure(f'first_month = "2026-02"\n{toml}')
    done = platform.finops("ingest")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "good: bills of 2026-01 are left out" in done.stdout
    months = platform.query("SELECT DISTINCT x_BillingMonth FROM costs ORDER BY 1")
    assert months == [("2026-02",), ("2026-03",)]


def test_unknown_sources_are_named(platform: Platform) -> None:
    done = platform.finops("ingest", "goood")
    assert done.returncode == 1
    assert "No source is called goood; there are good, bad." in done.stderr
    assert "Traceback" not in done.stderr
