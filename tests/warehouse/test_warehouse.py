from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path

import pytest

from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.lake.lake import Lake
from finops_assets.schema import BILL_KEYS, BY_BILL, MONEY, Column, Table
from finops_assets.warehouse import expiry, pointer
from finops_assets.warehouse.pointer import NotPublishedError, current
from finops_assets.warehouse.publish import Publication, publish
from finops_assets.warehouse.reader import Warehouse

BIG = Table("big", "Rows.", (Column("n", "BIGINT"), Column("amount", MONEY), *BILL_KEYS), BY_BILL, ("n",))
SMALL = Table("small", "Sums.", (Column("total", MONEY),), order_by=("total",))


def refresh(lake: Lake, engine: DuckDBEngine, amount: str, months: int = 2) -> None:
    """Every month of `big` holds 10 rows of `amount`; `small` holds their sum."""
    for month in range(1, months + 1):
        partition = {"x_Source": "s", "x_BillingMonth": f"2026-{month:02d}"}
        path = lake.new_file(BIG, partition, "k")
        sql = f"SELECT range AS n, CAST('{amount}' AS DECIMAL(38,18)) AS amount FROM range(10)"
        lake.replace(BIG, partition, [engine.write(sql, {}, BIG, path)])
    total = f"SELECT CAST('{amount}' AS DECIMAL(38,18)) * {10 * months} AS total"
    lake.replace(SMALL, {}, [engine.write(total, {}, SMALL, lake.new_file(SMALL, {}, "k"))])


def publish_all(lake: Lake, root: Path) -> Publication:
    return publish(
        lake, DuckDBEngine(root / "spill"), root, native=(SMALL,), views=(BIG,), keep_days=0, run_id="r"
    )


def test_nothing_is_published_yet(tmp_path: Path) -> None:
    with pytest.raises(NotPublishedError, match="finops run"), Warehouse(tmp_path).cursor():
        pass


def test_published_is_what_the_lake_holds(lake: Lake, engine: DuckDBEngine, tmp_path: Path) -> None:
    refresh(lake, engine, "0.1")
    root = tmp_path / "warehouse"
    done = publish_all(lake, root)
    assert done.changed
    assert done.rows == {"small": 1, "big": 20}
    with Warehouse(root).cursor() as cursor:
        assert cursor.execute("SELECT sum(amount), max(x_BillingMonth) FROM big").fetchone() == (
            Decimal(2),
            "2026-02",
        )
        assert cursor.execute("SELECT total FROM small").fetchone() == (Decimal(2),)
        snapshot = cursor.execute("SELECT table_name, table_kind, run_id FROM snapshot ORDER BY 1").fetchall()
        assert snapshot == [("big", "view", "r"), ("small", "table", "r")]


def test_publishing_the_same_again_changes_nothing(lake: Lake, engine: DuckDBEngine, tmp_path: Path) -> None:
    refresh(lake, engine, "0.1")
    first = publish_all(lake, tmp_path / "w")
    again = publish_all(lake, tmp_path / "w")
    assert (again.version, again.changed, again.rows) == (first.version, False, first.rows)


def test_an_empty_lake_publishes_typed_empty_tables(lake: Lake, tmp_path: Path) -> None:
    publish_all(lake, tmp_path / "w")
    with Warehouse(tmp_path / "w").cursor() as cursor:
        found = cursor.execute("SELECT typeof(sum(amount)), count(*) FROM big").fetchone()
        assert found == ("DECIMAL(38,18)", 0)


def test_a_reader_in_a_query_keeps_its_version(lake: Lake, engine: DuckDBEngine, tmp_path: Path) -> None:
    root = tmp_path / "w"
    refresh(lake, engine, "1")
    publish_all(lake, root)
    warehouse = Warehouse(root)
    with warehouse.cursor() as old:
        refresh(lake, engine, "2")
        publish_all(lake, root)
        with warehouse.cursor() as new:
            assert new.execute("SELECT total FROM small").fetchone() == (Decimal(40),)
        assert old.execute("SELECT sum(amount) FROM big").fetchone() == (Decimal(20),)
    with warehouse.cursor() as cursor:
        assert cursor.execute("SELECT sum(amount) FROM big").fetchone() == (Decimal(40),)


def test_readers_never_see_half_a_publication(lake: Lake, engine: DuckDBEngine, tmp_path: Path) -> None:
    """In every published state the views and the native table agree."""
    root = tmp_path / "w"
    refresh(lake, engine, "1")
    publish_all(lake, root)
    warehouse, over, seen = Warehouse(root), threading.Event(), []

    def read() -> None:
        while not over.is_set():
            with warehouse.cursor() as cursor:
                both = "SELECT (SELECT sum(amount) FROM big), (SELECT total FROM small)"
                seen.append(cursor.execute(both).fetchone())

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for amount in range(2, 8):
        refresh(lake, engine, str(amount))
        publish_all(lake, root)
    over.set()
    for reader in readers:
        reader.join()
    assert len(set(seen)) > 1
    assert all(row is not None and row[0] == row[1] for row in seen)


def test_a_publisher_that_died_before_its_flip_changed_nothing(
    lake: Lake, engine: DuckDBEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "w"
    refresh(lake, engine, "1")
    publish_all(lake, root)
    refresh(lake, engine, "2")
    with monkeypatch.context() as patch:
        patch.setattr(pointer, "point_to", _die)
        with pytest.raises(OSError, match="disk"):
            publish_all(lake, root)
    assert current(root).version == 1
    assert publish_all(lake, root).version == 2
    with Warehouse(root).cursor() as cursor:
        assert cursor.execute("SELECT total FROM small").fetchone() == (Decimal(40),)


def _die(*_: object) -> None:
    raise OSError("disk full")


def test_replaced_files_go_after_the_grace(
    lake: Lake, engine: DuckDBEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "w"
    refresh(lake, engine, "1")
    publish_all(lake, root)
    refresh(lake, engine, "2")
    publish_all(lake, root)
    assert len(list(root.glob("*.duckdb"))) == 2
    monkeypatch.setattr(expiry, "GRACE_SECONDS", -1)
    refresh(lake, engine, "3")
    publish_all(lake, root)
    assert [p.name for p in root.glob("*.duckdb")] == ["warehouse-00000003.duckdb"]
