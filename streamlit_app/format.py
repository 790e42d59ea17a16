"""How figures, dates and names are written for people. Amounts stay Decimal up to the text itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
"""Currencies whose sign is unambiguous; every other currency is written with its code."""

NOTHING = "–"
NONE_LABEL = "(none)"
"""How a null value of a dimension is shown, chosen and put into links."""

OTHER = "(other)"

COST_LABELS = {
    "EffectiveCost": "Effective cost",
    "BilledCost": "Billed cost",
    "ListCost": "List cost",
    "ContractedCost": "Contracted cost",
}

COST_HELP = {
    "EffectiveCost": "What the usage of a day really cost: prepaid commitments spread over what used them.",
    "BilledCost": "What the provider bills: upfront payments on the day they are charged.",
    "ListCost": "What the same usage would cost at public list prices.",
    "ContractedCost": "What the same usage costs at negotiated prices, before commitment discounts.",
}


def money(amount: Decimal | None, currency: str) -> str:
    """An amount to the cent: `$1,234.57`, `CHF 1,234.57`, `−$3.00`. Half cents go to the even cent."""
    if amount is None:
        return NOTHING
    cents = amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)
    return _signed(cents, f"{abs(cents):,.2f}", currency)


def compact(amount: Decimal | None, currency: str) -> str:
    """An amount for a card or a label, to three or four digits: `$12.3k`, `$4.56M`, `$87.10`."""
    if amount is None:
        return NOTHING
    size = abs(amount)
    for floor, unit, suffix in ((10**9, 10**9, "B"), (10**6, 10**6, "M"), (10**4, 10**3, "k")):
        if size >= floor:
            scaled = size / unit
            digits = 0 if scaled >= 1000 else 1 if scaled >= 100 else 2 if unit > 1000 else 1
            return _signed(amount, f"{scaled:,.{digits}f}{suffix}", currency)
    return money(amount, currency)


def exact(amount: Decimal | None, currency: str) -> str:
    """An amount with every digit it has, at least two: `$0.000125`."""
    if amount is None:
        return NOTHING
    whole, _, digits = f"{abs(amount):,f}".partition(".")
    return _signed(amount, f"{whole}.{digits.rstrip('0').ljust(2, '0')}", currency)


def digits(amount: Decimal | None) -> str:
    """Every digit that is there, grouped, without a currency: for figures compared to the last one."""
    if amount is None:
        return ""
    text = f"{amount:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def change(amount: Decimal | None, currency: str) -> str:
    """A difference, with its sign always: `+$12.00`."""
    if amount is None:
        return NOTHING
    return ("+" if amount > 0 else "") + compact(amount, currency)


def percent(share: Decimal | float | None, digits: int = 1) -> str:
    """A share of one as a percentage: 0.123 → `12.3%`."""
    return NOTHING if share is None else f"{share * 100:,.{digits}f}%"


def growth(before: Decimal, after: Decimal) -> Decimal | None:
    """The relative change; None where there was nothing before to compare with."""
    return None if not before else (after - before) / abs(before)


def signed_percent(share: Decimal | None, digits: int = 1) -> str:
    """A relative change with its sign always: `+4.2%`; `new` where nothing was there before."""
    return "new" if share is None else f"{share * 100:+,.{digits}f}%"


def count(number: int, one: str, many: str | None = None) -> str:
    """A number of things: `1 row`, `1,204 rows`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def day(value: date | None) -> str:
    """A day: `3 Jan 2026`."""
    return NOTHING if value is None else f"{value.day} {value:%b %Y}"


def days(first: date, last: date) -> str:
    """A range of days, both included, as short as it stays clear: `1–14 Jan 2026`."""
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day(last)}"
    if first.year == last.year:
        return f"{first.day} {first:%b} – {day(last)}"
    return f"{day(first)} – {day(last)}"


def month(value: date) -> str:
    """A month: `January 2026`."""
    return f"{value:%B %Y}"


def moment(value: datetime) -> str:
    """A time of the world: `3 Jan 2026, 05:00 UTC`."""
    utc = value.astimezone(UTC)
    return f"{day(utc.date())}, {utc:%H:%M} UTC"


def ago(then: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits: `5 min ago`."""
    passed = now - then
    for unit, name in (
        (timedelta(days=1), "day"),
        (timedelta(hours=1), "hour"),
        (timedelta(minutes=1), "minute"),
    ):
        if passed >= unit:
            return count(passed // unit, name) + " ago"
    return "just now"


def label(value: str | None) -> str:
    """A dimension's value for people; null is `(none)`."""
    return NONE_LABEL if value is None else value


def value_of(text: str) -> str | None:
    """The dimension's value that `label` made this text of."""
    return None if text == NONE_LABEL else text


def markdown(text: str) -> str:
    """A text that Markdown must show as it is: dollar signs would begin a formula, stars emphasis."""
    for sign in "\\$*_[]`~:":
        text = text.replace(sign, "\\" + sign)
    return text


def _signed(amount: Decimal, digits: str, currency: str) -> str:
    sign = "−" if amount < 0 else ""
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{currency} {digits}"
