"""The language of filters: what a text means, what is said of a mistake, and that writing is reading."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_assets.queries.access import Warehouse
from finops_assets.queries.costs import CostQuery, Filter, totals
from finops_assets.queries.filters import (
    LONGEST,
    BadFilterError,
    filter_text,
    filter_texts,
    parse_filter,
    parse_filters,
)
from finops_assets.queries.rows import RowQuery, cost_rows

COLUMNS = st.sampled_from(["ServiceName", "RegionId", "x_Tag_team", "x_Tag_and", "not", "contains"])
TEXTS = st.text(min_size=1, max_size=12)
FILTERS = st.one_of(
    st.builds(
        Filter,
        COLUMNS,
        st.lists(st.one_of(st.none(), st.text(max_size=12)), min_size=1, max_size=3, unique=True).map(tuple),
        st.booleans(),
    ),
    st.builds(
        Filter,
        COLUMNS,
        st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(tuple),
        st.booleans(),
        st.just(True),
    ),
)


@given(st.lists(FILTERS, min_size=1, max_size=4))
def test_what_is_written_is_read_the_same(filters: list[Filter]) -> None:
    named = [f for f in filters if f.column not in ("not", "contains")]  # keywords are no column's name
    if named:
        assert parse_filter(filter_text(named)) == tuple(named)


def test_what_is_too_long_for_one_text_is_several() -> None:
    values = (None, *(f"a service's name {n}" for n in range(3000)))
    given = [Filter("RegionId", ("us-east-1",)), Filter("ServiceName", values, exclude=True)]
    texts = filter_texts(given)
    assert 1 < len(texts) < 10
    assert max(map(len, texts)) <= LONGEST
    region, *services = parse_filters(texts)
    assert region == given[0]
    assert all(f.column == "ServiceName" and f.exclude for f in services)
    assert tuple(v for f in services for v in f.values) == values
    assert filter_texts(given[:1]) == [filter_text(given[:1])]
    assert filter_texts([]) == []


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_says_where_it_is_none(text: str) -> None:
    try:
        assert parse_filter(filter_text(parse_filter(text))) == parse_filter(text)
    except BadFilterError as found:
        error = found
    else:
        return
    assert 1 <= error.position <= len(text) + 1
    assert error.allowed


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("ServiceName = 'Amazon S3'", [Filter("ServiceName", ("Amazon S3",))]),
        ('ServiceName="a ""b"" \'c\'"', [Filter("ServiceName", ("a \"b\" 'c'",))]),
        ("RegionId IN (us-east-1, null)", [Filter("RegionId", ("us-east-1", None))]),
        ("RegionId = 'null'", [Filter("RegionId", ("null",))]),
        ("RegionId = null-island", [Filter("RegionId", ("null-island",))]),
        ("not tag.team = data", [Filter("x_Tag_team", ("data",), exclude=True)]),
        ("not tag.team != data", [Filter("x_Tag_team", ("data",))]),
        ("tag['cost center'] not in (a)", [Filter("x_Tag_cost_center", ("a",), exclude=True)]),
        ("tag.cost-center contains 7", [Filter("x_Tag_cost_center", ("7",), contains=True)]),
        (
            "A = and AND B not contains (x, y)",
            [Filter("A", ("and",)), Filter("B", ("x", "y"), exclude=True, contains=True)],
        ),
    ],
)
def test_what_a_text_means(text: str, means: list[Filter]) -> None:
    assert list(parse_filter(text)) == means


@pytest.mark.parametrize(
    ("text", "position", "says", "allowed"),
    [
        ("", 1, "ends too early", "a column"),
        ("ServiceName", 12, "ends too early", "contains"),
        ("ServiceName ~ x", 13, "'~' cannot stand here", "!="),
        ("ServiceName = 'x", 15, "quote is not closed", "null"),
        ("A = x or B = y", 7, "'or' cannot stand here", "and"),
        ("A contains null", 12, "no text", "a value"),
        ("tag.tem = x", 1, "'tag.tem' is not known", "tag.team"),
        ("ServiceName = x and Nothing = y", 21, "'Nothing' is not known", "ServiceName"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, position: int, says: str, allowed: str) -> None:
    columns = ["ServiceName", "A", "B", "x_Tag_team"] if "known" in says else None
    with pytest.raises(BadFilterError, match="at character") as error:
        parse_filter(text, columns)
    assert error.value.position == position
    assert says in error.value.says
    assert allowed in error.value.allowed


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("ServiceName contains COMPUTE", lambda c: c["ServiceName"].str.contains("(?i)compute")),
        (
            "ServiceName not contains (compute, s3)",
            lambda c: ~c["ServiceName"].str.contains("(?i)compute|s3"),
        ),
        ("tag.team not contains dat", lambda c: ~c["x_Tag_team"].str.contains("dat").fill_null(value=False)),
        (
            "tag.team = null and tag.env != prod",
            lambda c: c["x_Tag_team"].is_null() & c["x_Tag_env"].ne_missing("prod"),
        ),
        ("ServiceName contains '%'", lambda c: c["ServiceName"].str.contains("%")),
        ('ServiceName contains "\' OR 1=1 --"', lambda c: c["ServiceName"].is_null()),
    ],
)
def test_filters_choose_what_polars_chooses(
    warehouse: Warehouse,
    bill_rows: pl.DataFrame,
    text: str,
    same: Callable[[pl.DataFrame], pl.Series],
) -> None:
    first, end = date(2026, 1, 1), date(2026, 4, 1)
    filters = parse_filters([text])
    own = bill_rows.filter(same(bill_rows))
    found = totals(warehouse, CostQuery(first, end, filters=filters))
    assert sum(found["x_RowCount"].to_pylist()) == own.height
    assert sum(found["BilledCost"].to_pylist(), Decimal(0)) == sum(own["BilledCost"].to_list(), Decimal(0))
    assert cost_rows(warehouse, RowQuery(first, end, filters, limit=1)).total_rows == own.height
