"""Sums of parts where the bills of providers end on different days, held against figures by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from finops_assets.access.scope import Grant, Scope
from finops_assets.queries import forecasts
from finops_assets.queries.access import Reader, Warehouse, fetch, within
from finops_assets.warehouse import pointer

_TABLES = """
CREATE TABLE snapshot AS
SELECT 1::BIGINT AS version, now() AS published_at, 'r' AS run_id, 'cost_features' AS table_name,
    1::BIGINT AS table_version, 'table' AS table_kind, 1::BIGINT AS table_rows;

-- The bills of early, late and ended are of the scope, that of foreign is not. Those of early end on
-- 20 November, and one partial day after; those of late two days later; ended's on 1 September.
CREATE TABLE leaves AS
FROM (VALUES
    ('early', 100, DATE '2026-11-20'), ('late', 1000, DATE '2026-11-22'), ('ended', 7, DATE '2026-09-01'),
    ('foreign', 50, DATE '2026-11-22')
) AS t (x_Source, cost, until);

CREATE TABLE daily_costs AS
SELECT x_Source, x_Source AS ServiceProviderName, 'payer' AS BillingAccountId, 'account' AS SubAccountId,
    'service' AS ServiceName, NULL::VARCHAR AS RegionId, 'USD' AS BillingCurrency
FROM leaves;

CREATE TABLE named AS
SELECT 'account_service|' || x_Source AS series_id, 'account_service' AS level, * EXCLUDE (x_Source),
    'Account' AS SubAccountName, NULL::VARCHAR AS tag_key, NULL::VARCHAR AS tag_value,
    'EffectiveCost' AS metric, x_Source
FROM daily_costs
UNION ALL BY NAME
SELECT 'total|published' AS series_id, 'total' AS level, 'EffectiveCost' AS metric, 'USD' AS BillingCurrency;

CREATE TABLE cost_features AS
SELECT n.* EXCLUDE (x_Source), CAST(d.day AS DATE) AS day, l.cost::DECIMAL(38, 18) AS cost,
    0::DECIMAL(38, 18) AS correction, d.day <= l.until AS is_complete
FROM named AS n JOIN leaves AS l USING (x_Source),
    generate_series(DATE '2026-08-30', l.until + if(x_Source = 'ended', 0, 1), INTERVAL 1 DAY) AS d (day)
UNION ALL BY NAME
SELECT * EXCLUDE (x_Source), DATE '2026-11-20' AS day, 1150 AS cost, 0 AS correction, true AS is_complete
FROM named WHERE level = 'total';

CREATE TABLE cost_forecasts AS
SELECT n.* EXCLUDE (x_Source), l.until + d.n::INTEGER AS day, TIMESTAMPTZ '2026-11-24 05:00:00+00' AS made_at,
    l.until AS data_until, d.n::INTEGER AS horizon, 'Naive' AS model, true AS is_champion,
    l.cost::DECIMAL(38, 18) AS mean, (l.cost * 0.9)::DECIMAL(38, 18) AS lo_80,
    (l.cost * 1.1)::DECIMAL(38, 18) AS hi_80, (l.cost * 0.8)::DECIMAL(38, 18) AS lo_95,
    (l.cost * 1.2)::DECIMAL(38, 18) AS hi_95, '2026-11' AS made_on_month
FROM named AS n JOIN leaves AS l USING (x_Source), generate_series(1, 5) AS d (n);
"""


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[Reader]:
    with duckdb.connect(str(tmp_path / pointer.file_name(1))) as connection:
        connection.execute(_TABLES)
    pointer.point_to(tmp_path, 1)
    opened = Warehouse(tmp_path)
    yield within(opened, Scope((Grant(sources=("early", "late", "ended")),)))
    opened.close()


def test_a_day_that_has_come_for_one_leaf_only_counts_with_its_cost(seen: Reader) -> None:
    made = forecasts.forecast(seen, "total").to_pylist()
    assert [r["day"] for r in made] == [date(2026, 11, n) for n in range(21, 26)]
    assert {r["data_until"] for r in made} == {date(2026, 11, 20)}
    assert [r["horizon"] for r in made] == [1, 2, 3, 4, 5]
    assert [r["mean"] for r in made] == [Decimal(1100)] * 5
    assert [r["lo_80"] for r in made] == [*[Decimal(1090)] * 2, *[Decimal(990)] * 3]
    assert [r["hi_95"] for r in made] == [*[Decimal(1120)] * 2, *[Decimal(1320)] * 3]


def test_a_day_is_complete_once_it_is_for_every_leaf_that_goes_on(seen: Reader) -> None:
    rows = fetch(
        seen,
        "SELECT day, cost, is_complete FROM cost_features WHERE level = 'total' AND day > '2026-11-18' "
        "ORDER BY day",
    ).to_pylist()
    assert [(r["day"].day, r["cost"], r["is_complete"]) for r in rows] == [
        (19, 1100, True),
        (20, 1100, True),
        (21, 1100, False),
        (22, 1000, False),
        (23, 1000, False),
    ]
