"""Filters as text: `Column:value`, and `Column!:value` for what is left out.

Values of the same column are alternatives, columns add up; without a value, the column is empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from finops_assets.queries.dimensions import Filter


class BadFilterError(ValueError):
    """A text that is no filter."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not Column:value, such as ServiceProviderName:AWS.")
        self.text = text


def parse_filters(given: Sequence[str]) -> tuple[Filter, ...]:
    """The filters, one a column and kind. Raises BadFilterError."""
    values: dict[tuple[str, bool], list[str | None]] = {}
    for text in given:
        name, colon, value = text.partition(":")
        if not colon:
            raise BadFilterError(text)
        column = name.removesuffix("!")
        values.setdefault((column, column != name), []).append(value or None)
    return tuple(Filter(column, tuple(found), exclude) for (column, exclude), found in values.items())


def filter_texts(given: Sequence[Filter]) -> list[str]:
    """The same filters as texts.

    Raises ValueError for two of one column and kind, which the texts would make one of.
    """
    kinds = [(f.column, f.exclude) for f in given]
    if len(set(kinds)) < len(kinds):
        raise ValueError(f"expected one filter a column and kind, found {kinds}")
    return [f"{f.column}{'!' if f.exclude else ''}:{v or ''}" for f in given for v in f.values]
