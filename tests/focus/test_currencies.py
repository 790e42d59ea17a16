from __future__ import annotations

from finops_assets.focus.currencies import ACTIVE, CURRENCIES


def test_codes_are_three_capital_letters() -> None:
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in CURRENCIES)


def test_the_ten_most_traded_currencies_are_in_use() -> None:
    # BIS Triennial Survey 2022, by turnover.
    assert {"USD", "EUR", "JPY", "GBP", "CNY", "AUD", "CAD", "CHF", "HKD", "SGD"} <= ACTIVE


def test_a_bill_in_a_currency_given_up_lately_is_still_read() -> None:
    assert "HRK" not in ACTIVE
    assert "HRK" in CURRENCIES
    assert "US$" not in CURRENCIES
