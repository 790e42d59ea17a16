"""What is kept of the past, what goes, and that nothing goes from under a reader."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.lake import expiry as lake_expiry
from finops_assets.lake.lake import Lake
from finops_assets.warehouse import expiry, history
from finops_assets.warehouse import publish as publishing
from finops_assets.warehouse.history import NotKeptError, in_force
from finops_assets.warehouse.publish import Publication, publish
from finops_assets.warehouse.reader import Warehouse
from tests.warehouse.test_warehouse import BIG, SMALL, refresh

Publish = Callable[..., Publication]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def publish_at(lake: Lake, engine: DuckDBEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Publish months of ten rows of an amount at a moment of the test's own clock."""

    def publish_at(when: datetime, amount: int | None, keep_days: int = 35) -> Publication:
        monkeypatch.setattr(publishing, "now", lambda: when)
        if amount is not None:
            refresh(lake, engine, str(amount), months=1)
        return publish(lake, engine, tmp_path / "w", native=(SMALL,), views=(BIG,), keep_days=keep_days)

    return publish_at


def known_on(root: Path, day: str) -> tuple[object, ...] | None:
    """The sum of the view and that of the native table, as they were known at the end of a day."""
    reader = Warehouse(root)
    with reader.as_of(date.fromisoformat(day)).cursor() as cursor:
        found = cursor.execute("SELECT (SELECT sum(amount) FROM big), (SELECT total FROM small)").fetchone()
    reader.close()
    return found


def both(amount: int) -> tuple[Decimal, Decimal]:
    return Decimal(10 * amount), Decimal(10 * amount)


def test_a_day_shows_what_was_in_force_at_its_end(publish_at: Publish, tmp_path: Path) -> None:
    root = tmp_path / "w"
    publish_at(at("2026-03-01T09:00"), 1)
    publish_at(at("2026-03-01T23:59:59"), 2)
    publish_at(at("2026-03-04T00:00"), 3)
    publish_at(at("2026-03-04T12:00"), 4)
    assert known_on(root, "2026-03-01") == both(2)
    assert known_on(root, "2026-03-02") == both(2), "nothing was published: what was there stayed in force"
    assert known_on(root, "2026-03-03") == both(2)
    assert known_on(root, "2026-03-04") == both(4)
    assert known_on(root, "2031-01-01") == both(4), "the future is known as it is now"
    with pytest.raises(NotKeptError, match=r"2026-02-28 is not kept: expected 2026-03-01 or a later day"):
        known_on(root, "2026-02-28")


def test_the_last_of_each_day_stays_for_the_days_that_are_kept(publish_at: Publish, tmp_path: Path) -> None:
    root = tmp_path / "w"
    for day in range(1, 11):
        publish_at(at(f"2026-03-{day:02d}T06:00"), 10 * day, keep_days=3)
        publish_at(at(f"2026-03-{day:02d}T18:00"), 10 * day + 1, keep_days=3)
    # At 18:00 of the 10th: the ends of the 7th, 8th and 9th, and what is in force. That of 06:00 went
    # with none of its own, as it was replaced a grace ago by then.
    publish_at(at("2026-03-10T20:00"), None, keep_days=3)
    assert [history.published_at(k).day for k in history.kept(root)] == [7, 8, 9, 10]
    assert [known_on(root, f"2026-03-{day:02d}") for day in (7, 8, 9, 10)] == [
        both(71), both(81), both(91), both(101),
    ]  # fmt: skip
    with pytest.raises(NotKeptError, match="expected 2026-03-07"):
        known_on(root, "2026-03-06")


def test_an_old_publication_stays_while_its_days_do(publish_at: Publish, tmp_path: Path) -> None:
    """Published long ago, in force until yesterday: the last days were known by it."""
    root = tmp_path / "w"
    publish_at(at("2026-01-01T06:00"), 1, keep_days=2)
    publish_at(at("2026-03-10T06:00"), 2, keep_days=2)
    publish_at(at("2026-03-11T06:00"), 3, keep_days=2)
    assert known_on(root, "2026-03-09") == both(1)
    publish_at(at("2026-03-12T06:00"), 4, keep_days=2)
    with pytest.raises(NotKeptError, match="expected 2026-03-10"):
        known_on(root, "2026-03-09")


def test_keeping_nothing_leaves_only_the_grace(publish_at: Publish, tmp_path: Path) -> None:
    publish_at(at("2026-03-01T06:00"), 1, keep_days=0)
    publish_at(at("2026-03-02T06:00"), 2, keep_days=0)
    # Replaced just now, however old it is: a reader may have read its name and not yet opened it.
    assert known_on(tmp_path / "w", "2026-03-01") == both(1)
    publish_at(at("2026-03-02T07:01"), None, keep_days=0)
    with pytest.raises(NotKeptError, match="expected 2026-03-02"):
        known_on(tmp_path / "w", "2026-03-01")


def test_a_reader_in_a_query_ends_it_while_its_publication_expires(
    publish_at: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake_expiry, "KEPT_HOURS", 0)
    root = tmp_path / "w"
    publish_at(at("2026-03-01T06:00"), 1, keep_days=1)
    publish_at(at("2026-03-02T06:00"), 2, keep_days=1)
    with Warehouse(root).as_of(date(2026, 3, 1)).cursor() as cursor:
        publish_at(at("2026-03-03T06:00"), 3, keep_days=1)
        with pytest.raises(NotKeptError):
            known_on(root, "2026-03-01")
        # The view opens its Parquet file only now, and it is still there.
        assert cursor.execute("SELECT sum(amount) FROM big").fetchone() == (Decimal(10),)
    publish_at(at("2026-03-03T08:00"), None, keep_days=1)
    assert not list(root.glob("expired-*"))


def test_expiry_frees_space_and_nothing_that_is_kept(
    publish_at: Publish, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake_expiry, "KEPT_HOURS", 0)
    root = tmp_path / "w"

    def parquet() -> int:
        return len(list(lake.root.rglob("*.parquet")))

    for day in range(1, 9):
        publish_at(at(f"2026-03-{day:02d}T06:00"), day, keep_days=100)
    # Each publication's own month of `big`; of `small`, which is copied, only the newest version's.
    assert parquet() == 8 + 1
    occupied = sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file())
    publish_at(at("2026-03-08T10:00"), None, keep_days=2)
    last = publish_at(at("2026-03-08T12:00"), None, keep_days=2)
    assert parquet() == 3 + 1
    assert len(list(root.glob("*.duckdb"))) == 3
    assert occupied - sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()) == last.freed > 0
    assert [known_on(root, f"2026-03-{day:02d}") for day in (6, 7, 8)] == [both(6), both(7), both(8)]
    assert lake.rows(BIG) == 10
    assert not last.changed, "expiry commits nothing, so nothing has to be published again"


def test_the_lake_keeps_what_was_replaced_lately(publish_at: Publish, lake: Lake) -> None:
    """A run may still read what another run just replaced; a week is the tables' own retention."""
    publish_at(at("2026-03-01T06:00"), 1, keep_days=0)
    for hour in range(7, 12):
        publish_at(at(f"2026-03-01T{hour:02d}:30"), hour, keep_days=0)
    assert len(list(lake.path(BIG).rglob("*.parquet"))) == 6


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_every_kept_day_stays_readable(
    seed: int, publish_at: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random days, hours and retentions against a plain list of what was published when."""
    monkeypatch.setattr(lake_expiry, "KEPT_HOURS", 0)
    monkeypatch.setattr(expiry, "GRACE_SECONDS", 600)
    chance, root = random.Random(seed), tmp_path / "w"
    now, told = at("2026-03-01T00:00"), []
    for amount in range(1, 10):
        now += timedelta(minutes=chance.randint(10, 3000))
        keep_days = 4
        publish_at(now, amount, keep_days=keep_days)
        told.append((now, amount))
        for back in range(keep_days + 1):
            day = now.date() - timedelta(days=back)
            before = [a for when, a in told if when.date() <= day]
            if before:
                assert known_on(root, day.isoformat()) == both(before[-1])
    assert in_force(root, now.date()).version == 9
