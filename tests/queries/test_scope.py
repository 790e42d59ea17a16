"""What somebody with a scope sees of the published tables: their own rows, and no trace of others."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_assets.access.scope import WHOLE, Grant, Scope
from finops_assets.defs.publishing.assets import native_tables, view_tables
from finops_assets.queries import anomalies, budgets, forecasts
from finops_assets.queries.access import Reader, Warehouse, as_known_on, fetch, pinned, within
from finops_assets.queries.costs import CostQuery, costs, date_range
from finops_assets.queries.forecast_months import forecast_months
from finops_assets.queries.rows import RowNotFoundError, native_row
from finops_assets.queries.scope import RULES, condition, rule_of
from finops_assets.queries.snapshot import snapshot
from finops_assets.warehouse import pointer
from finops_assets.warehouse.publish import HELD

AWS = Scope((Grant(sources=("aws-main",)),))
SHOP = Scope((Grant(accounts=("444455556666",)),))
TEAM = Scope((Grant(tags=(("team", ("shop",)),)),))
PAYER = Scope((Grant(accounts=("8608480",)),))
TWO = Scope((Grant(sources=("gcp-prod",)), Grant(sources=("aws-main",), accounts=("444455556666",))))
SCOPES = {
    "source": AWS,
    "account": SHOP,
    "tag": TEAM,
    "billing account": PAYER,
    "union": TWO,
    "none": Scope(()),
}

_OURS: dict[str, pl.Expr] = {
    "source": pl.col("x_Source") == "aws-main",
    "account": pl.col("SubAccountId") == "444455556666",
    "tag": pl.col("x_Tag_team") == "shop",
    "billing account": pl.col("BillingAccountId") == "8608480",
    "union": (pl.col("x_Source") == "gcp-prod") | (pl.col("SubAccountId") == "444455556666"),
    "none": pl.lit(value=False),
}

_FOREIGN = {
    "source": ("azure", "Microsoft", "8608480", "sub-000", "gcp", "Google", "ml-research", "BigQuery", "EUR"),
    "account": ("azure", "Microsoft", "gcp", "Google", "111122223333", "data-platform", "Redshift"),
    "tag": (
        "gcp",
        "Google",
        "ml-research",
        "111122223333",
        "data-platform",
        "Redshift",
        "sub-0002",
        "Fabric",
    ),
    "billing account": ("aws", "AWS", "Amazon", "gcp", "Google", "web-shop"),
    "union": ("azure", "Microsoft", "8608480", "EUR", "111122223333", "data-platform", "Redshift"),
}
"""Names that no row of the scope holds."""


@pytest.fixture(params=list(SCOPES))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def seen(warehouse: Warehouse, kind: str) -> Iterator[Reader]:
    with pinned(within(warehouse, SCOPES[kind])) as held:
        yield held


@pytest.fixture
def ours(bill_rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    return bill_rows.filter(_OURS[kind])


def test_every_published_table_is_classified() -> None:
    published = {t.name for t in (*native_tables(), *view_tables())} | {HELD, "snapshot"}
    assert {t for t in published if rule_of(t) is None} == set()
    assert RULES.keys() <= published


def test_costs_are_those_of_the_scope(seen: Reader, ours: pl.DataFrame) -> None:
    keys = ["x_BillId", "x_File", "x_RowNumber", "EffectiveCost"]
    expected = ours.select(keys).sort(keys)
    found = pl.from_arrow(fetch(seen, f"SELECT {', '.join(keys)} FROM costs"))
    assert isinstance(found, pl.DataFrame)
    assert found.sort(keys).rows() == expected.rows()
    days = date_range(seen)
    if days is None:
        assert expected.is_empty()
        return
    assert (days.first, days.last) == (ours["x_Day"].min(), ours["x_Day"].max())
    whole = CostQuery(start=days.first, end=days.last.replace(year=2027))
    totals = {r["BillingCurrency"]: r["EffectiveCost"] for r in costs(seen, whole).to_pylist()}
    assert totals == {c: _sum(rows, "EffectiveCost") for (c,), rows in ours.group_by("BillingCurrency")}


def test_no_table_holds_a_name_of_others(seen: Reader, kind: str) -> None:
    for table in _tables(seen):
        text = str(fetch(seen, f"SELECT * FROM {table}").to_pylist())
        # Public names of providers stand in the published file's own list of tables.
        found = [name for name in _FOREIGN.get(kind, ()) if name in text and table != "snapshot"]
        assert not found, f"{table} tells of {found}"


def test_series_add_up_to_the_costs_of_the_scope(seen: Reader, ours: pl.DataFrame) -> None:
    features = pl.from_arrow(fetch(seen, "SELECT * FROM cost_features WHERE metric = 'EffectiveCost'"))
    assert isinstance(features, pl.DataFrame)
    for level, by in {
        "total": [],
        "provider": ["ServiceProviderName"],
        "account": ["ServiceProviderName", "SubAccountId"],
        "account_service": ["ServiceProviderName", "BillingAccountId", "SubAccountId", "ServiceName"],
    }.items():
        for names, series in features.filter(level=level).group_by(*by, "BillingCurrency"):
            own = ours
            for column, value in zip([*by, "BillingCurrency"], names, strict=True):
                own = own.filter(pl.col(column) == value)
            assert _sum(series, "cost") == _sum(own, "EffectiveCost"), (level, names)


def test_a_part_of_a_total_is_forecast_as_the_sum_of_its_leaves(warehouse: Warehouse) -> None:
    seen = within(warehouse, SHOP)
    leaves = forecasts.forecast(seen, "account_service").to_pylist()
    total = forecasts.forecast(seen, "total").to_pylist()
    assert {r["SubAccountId"] for r in leaves} == {"444455556666"}
    assert {r["model"] for r in total} == {"Sum of its parts"}
    for row in total:
        of_day = [r for r in leaves if r["day"] == row["day"]]
        assert len(of_day) == 2
        for bound in ("mean", "lo_80", "hi_95"):
            assert row[bound] == sum(r[bound] for r in of_day)
    assert {r["horizon"] for r in total} == {r["horizon"] for r in leaves}
    months = forecast_months(seen, "account_service").to_pylist()
    for row in forecast_months(seen, "total").to_pylist():
        of_month = [r for r in months if r["month"] == row["month"]]
        assert len(of_month) == 2
        for amount in ("actual", "mean", "lo_80", "hi_95"):
            assert row[amount] == sum(r[amount] for r in of_month)
    (outlook,) = [r for r in forecasts.month_outlook(seen).to_pylist() if r["level"] == "total"]
    assert outlook["expected"] is not None


def test_a_series_that_lies_wholly_inside_is_as_published(warehouse: Warehouse) -> None:
    published = forecasts.forecast(warehouse, "provider", provider="AWS").to_pylist()
    assert published
    assert forecasts.forecast(within(warehouse, AWS), "provider").to_pylist() == published


def test_events_and_budgets_are_those_of_series_inside(warehouse: Warehouse) -> None:
    seen = within(warehouse, AWS)
    assert anomalies.anomalies(seen)["anomaly_id"].to_pylist() == ["spike", "spike-aws"]
    assert anomalies.drivers(seen, "spike").num_rows == anomalies.drivers(warehouse, "spike").num_rows
    assert set(budgets.budget_status(seen, past=True)["budget"].to_pylist()) == {"AWS year"}
    assert budgets.burn_down(seen, "Fabric").num_rows == 0
    other = within(warehouse, SHOP)
    with pytest.raises(anomalies.UnknownAnomalyError) as hidden:
        anomalies.anomaly(other, "spike")
    with pytest.raises(anomalies.UnknownAnomalyError) as unknown:
        anomalies.anomaly(other, "nothing")
    assert str(hidden.value).replace("spike", "nothing") == str(unknown.value)
    assert anomalies.drivers(other, "spike").num_rows == 0


def test_delivered_lines_are_those_of_ones_own_charges(warehouse: Warehouse, bill_rows: pl.DataFrame) -> None:
    seen = within(warehouse, SHOP)
    own = bill_rows.filter(SubAccountId="444455556666").row(0, named=True)
    line = native_row(seen, own["x_BillId"], own["x_File"], own["x_RowNumber"])
    assert line["line_item_usage_account_id"] == "444455556666"
    other = bill_rows.filter(SubAccountId="111122223333").row(0, named=True)
    with pytest.raises(RowNotFoundError) as hidden:
        native_row(seen, other["x_BillId"], other["x_File"], other["x_RowNumber"])
    with pytest.raises(RowNotFoundError) as unknown:
        native_row(seen, other["x_BillId"], other["x_File"], 999_999)
    assert str(hidden.value).replace(f"row {other['x_RowNumber']} ", "row 999999 ") == str(unknown.value)


def test_whole_bills_are_seen_by_scopes_of_whole_sources(warehouse: Warehouse) -> None:
    for table in ("bills", "quality", HELD, "invoices", "conformance", "restatements", "billing_periods"):
        found = fetch(within(warehouse, AWS), f"SELECT DISTINCT x_Source FROM {table}")
        assert found["x_Source"].to_pylist() == ["aws-main"], table
        assert fetch(within(warehouse, SHOP), f"SELECT * FROM {table}").num_rows == 0, table


def test_the_snapshot_tells_no_counts(warehouse: Warehouse) -> None:
    published, seen = snapshot(warehouse), snapshot(within(warehouse, AWS))
    assert (seen.version, seen.published_at) == (published.version, published.published_at)
    assert {(t.version, t.rows) for t in seen.tables} == {(None, None)}


def test_the_part_holds_through_every_way_to_a_cursor(warehouse: Warehouse) -> None:
    seen = within(warehouse, AWS)
    readers = [seen, as_known_on(seen, snapshot(warehouse).published_at.date())]
    for reader in readers:
        with pinned(reader) as held, pinned(held) as again:
            for one in (reader, held, again):
                found = fetch(one, "SELECT DISTINCT x_Source FROM costs")
                assert found["x_Source"].to_pylist() == ["aws-main"]
    with pinned(warehouse) as everything:
        assert fetch(everything, "SELECT DISTINCT x_Source FROM costs").num_rows == 3


def test_the_whole_is_the_warehouse_itself(warehouse: Warehouse) -> None:
    assert within(warehouse, WHOLE) is warehouse


def test_a_table_that_nobody_classified_is_empty(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / pointer.file_name(1))) as connection:
        connection.execute(
            "CREATE TABLE snapshot AS SELECT 1::BIGINT AS version, now() AS published_at, "
            "'r' AS run_id, 'secrets' AS table_name, 1::BIGINT AS table_version, "
            "'table' AS table_kind, 1::BIGINT AS table_rows"
        )
        connection.execute("CREATE TABLE secrets AS SELECT 'aws-main' AS x_Source")
    pointer.point_to(tmp_path, 1)
    opened = Warehouse(tmp_path)
    assert fetch(opened, "SELECT * FROM secrets").num_rows == 1
    assert fetch(within(opened, AWS), "SELECT * FROM secrets").num_rows == 0
    opened.close()


_VALUES = st.text(max_size=20) | st.sampled_from(["x' OR '1'='1", "'; DROP TABLE x; --", '"', "\\'", "a"])


@given(st.lists(_VALUES, max_size=3), st.lists(_VALUES, min_size=1, max_size=3))
def test_what_a_scope_names_is_a_value_and_never_sql(names: list[str], held: list[str]) -> None:
    rows = pa.table({"x_Source": [*held, None]})
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        where = condition(Scope((Grant(sources=tuple(names)),)), rows.column_names)
        found = connection.sql(f"SELECT x_Source FROM rows WHERE {where}").fetchall()
    assert found == [(value,) for value in held if value in names]


@given(st.permutations(["a", "b", "c"]))
def test_scopes_that_say_the_same_have_one_key(order: list[str]) -> None:
    scope = Scope((Grant(sources=tuple(order), tags=(("team", tuple(order)),)), Grant(accounts=("1",))))
    other = Scope((Grant(accounts=("1",)), Grant(sources=("c", "a", "b"), tags=(("team", ("b", "c", "a")),))))
    assert scope.key == other.key
    assert Scope.from_json(scope.to_json()).key == scope.key
    assert Scope.union([scope, WHOLE]).is_whole


def _tables(reader: Reader) -> list[str]:
    found = fetch(
        reader,
        "SELECT view_name FROM duckdb_views() WHERE database_name = current_database() AND NOT internal",
    )
    names: list[str] = found["view_name"].to_pylist()
    assert len(names) > 30
    return names


def _sum(rows: pl.DataFrame, column: str) -> Decimal:
    return sum(rows[column].drop_nulls(), Decimal(0))
