"""What is published adds up to the bills, or is not published."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from finops_assets.intake.tables import BILLS
from finops_assets.marts.daily_costs import daily_costs_sql
from finops_assets.marts.reconciliation import published_sql
from finops_assets.marts.tables import QUALITY, daily_costs_table
from finops_assets.normalize.tables import costs_table
from finops_assets.schema import MONTH, SOURCE
from finops_assets.settings import Settings
from finops_assets.warehouse.pointer import current
from finops_assets.warehouse.publish import NotReconciledError, Publication, publish
from finops_assets.warehouse.reader import Warehouse
from tests.warehouse_builder import TAG_KEYS, Builder, lake_table, settings_of, shared_warehouse

COSTS, CUBE = costs_table(TAG_KEYS), daily_costs_table(TAG_KEYS)
FEBRUARY = {SOURCE: "aws-main", MONTH: "2026-02"}


@pytest.fixture
def settings(tmp_path: Path, built_once: Path) -> Settings:
    """A lake of one's own, published once."""
    shutil.copytree(built_once / "lake", tmp_path / "lake")
    settings = settings_of(tmp_path)
    publish_again(settings)
    return settings


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_warehouse(tmp_path_factory.getbasetemp()).paths.data


def publish_again(settings: Settings) -> Publication:
    build = Builder(settings.paths.data)
    root = settings.paths.warehouse
    native = (BILLS, CUBE)
    return publish(
        build.lake, build.engine, root, native=native, views=(COSTS,), keep_days=0, hold=published_sql()
    )


def billed(settings: Settings) -> Decimal:
    with Warehouse(settings.paths.warehouse).cursor() as cursor:
        row = cursor.execute("SELECT sum(BilledCost) FROM costs WHERE BillingCurrency = 'USD'").fetchone()
    assert row is not None
    return Decimal(row[0])


def rewrite(settings: Settings, sql: str) -> Path:
    """Commit February's costs anew, then write `sql` over the file that was committed."""
    build = Builder(settings.paths.data)
    build.put(COSTS, FEBRUARY, "SELECT * FROM costs", {"costs": build.lake.input(COSTS, FEBRUARY)})
    (path,) = build.lake.files(COSTS, FEBRUARY)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            f"COPY (SELECT * {sql} FROM read_parquet('{path}', hive_partitioning = false)) TO '{path}.new' "
            "(FORMAT parquet)"
        )
    Path(f"{path}.new").replace(path)
    return Path(path)


def test_what_is_published_was_held_to_every_bill(settings: Settings) -> None:
    with Warehouse(settings.paths.warehouse).cursor() as cursor:
        held = cursor.execute(
            f"SELECT {SOURCE}, {MONTH}, stage, metric, BillingCurrency, expected, passed "
            "FROM published_quality WHERE metric = 'BilledCost' ORDER BY ALL"
        ).fetchall()
        every = cursor.execute("SELECT count(*), bool_and(passed), count(bill_id) FROM published_quality")
        # Three sources by three months: the billed cost at two places, three other costs in the cube.
        assert every.fetchone() == (9 * 5, True, 9 * 5)
        names = [c[0] for c in cursor.execute("SELECT * FROM published_quality LIMIT 0").description]
    assert sorted(names) == sorted(c.name for c in QUALITY.columns)
    expected: dict[tuple[str, str, str], Decimal] = {}
    for row in lake_table(settings, "costs").to_dicts():
        key = (row[SOURCE], row[MONTH], row["BillingCurrency"])
        expected[key] = expected.get(key, Decimal(0)) + row["BilledCost"]
    assert held == [
        (source, month, stage, "BilledCost", currency, amount, True)
        for (source, month, currency), amount in sorted(expected.items())
        for stage in ("published costs", "published daily_costs")
    ]


def test_a_changed_amount_is_refused_and_the_old_version_is_read(settings: Settings) -> None:
    before = billed(settings)
    old = current(settings.paths.warehouse)
    changed = rewrite(settings, "REPLACE (BilledCost + if(x_RowNumber = 1001, 0.01, 0) AS BilledCost)")
    rows = pq.read_table(changed, columns=["x_RowNumber", "BilledCost", "EffectiveCost"]).to_pylist()
    assert [r["BilledCost"] for r in rows if r["x_RowNumber"] == 1001] == [Decimal("0.01")]
    with pytest.raises(NotReconciledError) as refused:
        publish_again(settings)
    (residual,) = refused.value.residuals
    found = sum((r["BilledCost"] for r in rows), Decimal(0))
    assert (residual.source, residual.month, residual.stage) == ("aws-main", "2026-02", "published costs")
    assert (residual.metric, residual.currency) == ("BilledCost", "USD")
    assert (residual.found, residual.found - residual.expected) == (found, Decimal("0.01"))
    assert (
        "aws-main 2026-02, published costs, BilledCost in USD: expected "
        f"{(found - Decimal('0.01')).normalize():f}, found {found.normalize():f} (residual 0.01)"
    ) in str(refused.value)
    assert f"1 of {9 * 5} totals" in str(refused.value)
    assert "version 1 stays in force" in str(refused.value)
    assert current(settings.paths.warehouse) == old
    assert billed(settings) == before
    assert [p.name for p in settings.paths.warehouse.glob("*.duckdb")] == [old.path.name]


def test_what_was_refused_is_published_once_it_is_right(settings: Settings) -> None:
    before = billed(settings)
    rewrite(settings, "REPLACE (-BilledCost AS BilledCost)")
    with pytest.raises(NotReconciledError):
        publish_again(settings)
    rewrite(settings, "REPLACE (-BilledCost AS BilledCost)")
    done = publish_again(settings)
    assert (done.version, done.changed, done.held) == (2, True, 9 * 5)
    assert billed(settings) == before
    again = publish_again(settings)
    assert (again.version, again.changed, again.held) == (2, False, 9 * 5)


def test_costs_that_no_bill_states_are_held_in_the_cube(settings: Settings) -> None:
    """The bills state BilledCost alone: the cube's effective cost is held against the rows of `costs`."""
    build = Builder(settings.paths.data)
    cube = f"SELECT * REPLACE (EffectiveCost + 1 AS EffectiveCost) FROM ({daily_costs_sql(TAG_KEYS)}) LIMIT 1"
    rows = f"SELECT * FROM ({daily_costs_sql(TAG_KEYS)}) OFFSET 1"
    costs = {"costs": build.lake.input(COSTS, FEBRUARY)}
    table = build.fetch(f"({cube}) UNION ALL ({rows})", costs)
    build.put(CUBE, FEBRUARY, "SELECT * FROM given", {"given": table})
    with pytest.raises(NotReconciledError) as refused:
        publish_again(settings)
    assert {(r.stage, r.metric) for r in refused.value.residuals} >= {
        ("published daily_costs", "EffectiveCost")
    }


def test_rows_without_a_bill_and_a_bill_without_rows_are_refused(settings: Settings) -> None:
    build = Builder(settings.paths.data)
    build.lake.replace(BILLS, FEBRUARY, [])
    build.lake.replace(CUBE, {**FEBRUARY, MONTH: "2026-01"}, [])
    with pytest.raises(NotReconciledError) as refused:
        publish_again(settings)
    found = {
        (r.month, r.stage, r.metric, r.expected == 0, r.found == 0)
        for r in refused.value.residuals
        if r.metric == "BilledCost"
    }
    assert found == {
        ("2026-02", "published costs", "BilledCost", True, False),
        ("2026-01", "published daily_costs", "BilledCost", False, True),
    }


def test_a_lake_that_is_empty_adds_up(tmp_path: Path) -> None:
    build = Builder(tmp_path)
    native = (BILLS, CUBE)
    done = publish(
        build.lake,
        build.engine,
        tmp_path / "w",
        native=native,
        views=(COSTS,),
        keep_days=0,
        hold=published_sql(),
    )
    assert (done.version, done.held) == (1, 0)
    assert not DeltaTable.is_deltatable(str(tmp_path / "lake" / "costs"))
