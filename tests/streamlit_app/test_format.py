from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from streamlit_app import format as f


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234.567", "USD", "$1,234.57"),
        ("-3", "EUR", "−€3.00"),
        ("0.005", "USD", "$0.00"),
        ("0.015", "USD", "$0.02"),
        ("1234.5", "CHF", "CHF 1,234.50"),
        ("-0.5", "CHF", "−CHF 0.50"),
        ("12345678901234567890.12", "USD", "$12,345,678,901,234,567,890.12"),
    ],
)
def test_money_is_written_to_the_cent_with_its_currency(amount: str, currency: str, text: str) -> None:
    assert f.money(Decimal(amount), currency) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("87.1", "$87.10"),
        ("9999.99", "$9,999.99"),
        ("12345", "$12.3k"),
        ("123456", "$123.5k"),
        ("1234567", "$1.23M"),
        ("-45600000", "−$45.60M"),
        ("7890000000", "$7.89B"),
    ],
)
def test_compact_amounts_keep_three_digits_or_so(amount: str, text: str) -> None:
    assert f.compact(Decimal(amount), "USD") == text


def test_exact_amounts_lose_no_digit() -> None:
    assert f.exact(Decimal("0.000125000000000000"), "USD") == "$0.000125"
    assert f.exact(Decimal("1234.500000000000000000"), "EUR") == "€1,234.50"
    assert f.exact(Decimal("-2"), "CHF") == "−CHF 2.00"


def test_a_missing_amount_is_a_dash() -> None:
    assert {f.money(None, "USD"), f.compact(None, "USD"), f.exact(None, "USD"), f.percent(None)} == {"–"}


def test_growth_has_no_answer_without_a_before() -> None:
    assert f.growth(Decimal(0), Decimal(5)) is None
    assert f.growth(Decimal(100), Decimal(125)) == Decimal("0.25")
    assert f.growth(Decimal(-100), Decimal(-50)) == Decimal("0.5")
    assert f.signed_percent(None) == "new"
    assert f.signed_percent(Decimal("-0.051")) == "-5.1%"


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 1, 1), date(2026, 1, 14), "1–14 Jan 2026"),
        (date(2026, 1, 5), date(2026, 1, 5), "5 Jan 2026"),
        (date(2026, 1, 30), date(2026, 2, 2), "30 Jan – 2 Feb 2026"),
        (date(2025, 12, 30), date(2026, 1, 2), "30 Dec 2025 – 2 Jan 2026"),
    ],
)
def test_ranges_of_days_are_short(first: date, last: date, text: str) -> None:
    assert f.days(first, last) == text


def test_ago_uses_the_largest_unit() -> None:
    now = datetime(2026, 1, 10, tzinfo=UTC)
    assert f.ago(now - timedelta(seconds=20), now) == "just now"
    assert f.ago(now - timedelta(minutes=1), now) == "1 minute ago"
    assert f.ago(now - timedelta(hours=5), now) == "5 hours ago"
    assert f.ago(now - timedelta(days=3, hours=2), now) == "3 days ago"


def test_texts_survive_markdown() -> None:
    assert f.markdown("$5 to $6 *x*") == r"\$5 to \$6 \*x\*"


def test_null_has_a_label_and_comes_back() -> None:
    assert f.value_of(f.label(None)) is None
    assert f.value_of(f.label("Amazon S3")) == "Amazon S3"
