"""Filters as text, the one way to write them: `ServiceName = 'Amazon S3' and tag.team in (data, web)`.

The grammar is filter.lark. A text becomes Filters, whose values `dimensions.conditions` binds as parameters.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TypeAlias, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from finops_assets.normalize.tables import tag_column
from finops_assets.queries.dimensions import Filter

HELP = (
    "`Column = value`, `!=`, `in (a, b)`, `not in (a, b)`, `contains text`, joined by `and`; `not` before a "
    "comparison turns it round. `tag.team` is the tag `team`, `tag['cost center']` one whose key has other "
    "characters. A value with spaces stands in quotes, which are doubled inside of it; `null` is an empty "
    "column. `contains` looks at no case."
)
"""What people are told of the language."""

EXAMPLES = (
    "ServiceProviderName = AWS and RegionId in (us-east-1, eu-west-1)",
    "ServiceName contains storage and tag.team != null",
)

LONGEST = 20_000
"""Characters of one filter."""

_WORDS = {
    "_EQUALS": "=",
    "_DIFFERS": "!=",
    "_IN": "in",
    "_NOT": "not",
    "_CONTAINS": "contains",
    "_AND": "and",
    "_OPEN": "(",
    "_CLOSE": ")",
    "_COMMA": ",",
    "COLUMN": "a column",
    "TAG": "tag.key",
    "TAG_QUOTED": "tag['key']",
    "QUOTED": "'a value'",
    "BARE": "a value",
    "NULL": "null",
    "$END": "the end",
}
"""Terminals of the grammar, as an error names them."""

_TAG_COLUMN = tag_column("")

_Value: TypeAlias = tuple[Token, str | None]


class BadFilterError(ValueError):
    """A text that is no filter: where (a character's place, from 1), why, and what may stand there."""

    def __init__(self, text: str, position: int, says: str, allowed: Sequence[str]) -> None:
        self.text = text
        self.position = position
        self.says = f"at character {position} of {text!r}: {says}"
        self.allowed = tuple(allowed)
        super().__init__(f"{self.says} Allowed: {', '.join(allowed)}.")


def parse_filters(given: Sequence[str], allowed: Collection[str] | None = None) -> tuple[Filter, ...]:
    """The filters of several texts, which must all hold. Raises BadFilterError.

    A column that is not among the `allowed` ones is an error at its place; None asks nothing of columns.
    """
    return tuple(f for text in given for f in parse_filter(text, allowed))


def parse_filter(text: str, allowed: Collection[str] | None = None) -> tuple[Filter, ...]:
    """The filters of one text. Raises BadFilterError."""
    if len(text) > LONGEST:
        raise BadFilterError(f"{text[:40]}…", LONGEST, "the filter is too long.", [f"{LONGEST} characters"])
    try:
        return _ToFilters(text, allowed).transform(_grammar().parse(text))
    except UnexpectedInput as error:
        raise _unexpected(text, error) from None
    except VisitError as error:
        if isinstance(error.orig_exc, BadFilterError):
            raise error.orig_exc from None
        raise


def filter_text(given: Sequence[Filter]) -> str:
    """The same filters as one text; empty for none. Raises ValueError for a filter without values."""
    return " and ".join(_written(f) for f in given)


def filter_texts(given: Sequence[Filter]) -> list[str]:
    """The same filters as texts that must all hold: one where it is short enough to be read, else several.

    Raises ValueError for a filter without values.
    """
    whole = filter_text(given)
    if len(whole) <= LONGEST:
        return [whole] if whole else []
    return [_written(part) for f in given for part in _parts(f)]


def _parts(f: Filter) -> list[Filter]:
    """What is in none of some values is in no part of them; only such a filter can be divided."""
    if not f.exclude or len(f.values) == 1 or len(_written(f)) <= LONGEST:
        return [f]
    middle = len(f.values) // 2
    return [p for values in (f.values[:middle], f.values[middle:]) for p in _parts(replace(f, values=values))]


def _written(f: Filter) -> str:
    if not f.values:
        raise ValueError(f"expected a value to filter {f.column} by, found none")
    key = f.column.removeprefix(_TAG_COLUMN)
    column = f"tag.{key}" if key != f.column and re.fullmatch(r"\w+", key) else f.column
    values = ["null" if v is None else "'" + v.replace("'", "''") + "'" for v in f.values]
    several = f"({', '.join(values)})"
    if f.contains:
        return f"{column} {'not ' if f.exclude else ''}contains {values[0] if len(values) == 1 else several}"
    if len(values) == 1:
        return f"{column} {'!=' if f.exclude else '='} {values[0]}"
    return f"{column} {'not ' if f.exclude else ''}in {several}"


@cache
def _grammar() -> Lark:
    return Lark(
        Path(__file__).with_name("filter.lark").read_text(encoding="utf-8"), start="filter", parser="lalr"
    )


@v_args(inline=True)
class _ToFilters(Transformer[Token, tuple[Filter, ...]]):
    """The tree of a text as filters."""

    def __init__(self, text: str, allowed: Collection[str] | None) -> None:
        super().__init__()
        self._text = text
        self._allowed = allowed

    def filter(self, *terms: Filter) -> tuple[Filter, ...]:
        return terms

    def term(self, comparison: Filter) -> Filter:
        return comparison

    def negated(self, f: Filter) -> Filter:
        return Filter(f.column, f.values, exclude=not f.exclude, contains=f.contains)

    def one_of(self, column: str, values: list[_Value]) -> Filter:
        return Filter(column, _plain(values))

    def none_of(self, column: str, values: list[_Value]) -> Filter:
        return Filter(column, _plain(values), exclude=True)

    def contains(self, column: str, values: list[_Value]) -> Filter:
        return Filter(column, self._texts(values), contains=True)

    def lacks(self, column: str, values: list[_Value]) -> Filter:
        return Filter(column, self._texts(values), exclude=True, contains=True)

    def column(self, token: Token) -> str:
        written = str(token)
        if token.type == "TAG":
            name = tag_column(written.removeprefix("tag."))
        elif token.type == "TAG_QUOTED":
            name = tag_column(_unquoted(written[len("tag[") : -1].strip()))
        else:
            name = written
        if self._allowed is not None and name not in self._allowed:
            says = f"{written!r} is not known."
            raise BadFilterError(self._text, _place(token), says, [_named(c) for c in self._allowed])
        return name

    def value(self, token: Token) -> list[_Value]:
        if token.type == "NULL":
            return [(token, None)]
        return [(token, _unquoted(token) if token.type == "QUOTED" else str(token))]

    def values(self, *values: list[_Value]) -> list[_Value]:
        return [v for value in values for v in value]

    def _texts(self, values: list[_Value]) -> tuple[str | None, ...]:
        for token, value in values:
            if not value:
                says = f"{str(token)!r} is no text that a value can contain."
                raise BadFilterError(self._text, _place(token), says, [_WORDS["BARE"], _WORDS["QUOTED"]])
        return _plain(values)


def _plain(values: list[_Value]) -> tuple[str | None, ...]:
    return tuple(dict.fromkeys(value for _, value in values))


def _unquoted(text: str) -> str:
    quote = text[0]
    return text[1:-1].replace(quote * 2, quote)


def _named(column: str) -> str:
    return f"tag.{column.removeprefix(_TAG_COLUMN)}" if column.startswith(_TAG_COLUMN) else column


def _place(token: Token) -> int:
    return cast("int", token.start_pos) + 1


def _unexpected(text: str, error: UnexpectedInput) -> BadFilterError:
    at, expected = len(text), frozenset[str]()
    if isinstance(error, UnexpectedCharacters):
        at, expected = cast("int", error.pos_in_stream), frozenset(error.allowed)
    elif isinstance(error, UnexpectedToken):
        expected = frozenset(error.accepts or error.expected)
        at = len(text) if error.token.type == "$END" else _place(error.token) - 1
    if at >= len(text):
        says = "the filter ends too early."
    elif text[at] in "'\"":
        says = "this quote is not closed, or no value may stand here."
    else:
        says = f"{_word(text, at)!r} cannot stand here."
    words = [word for name, word in _WORDS.items() if name in expected]
    return BadFilterError(text, at + 1, says, words)


def _word(text: str, at: int) -> str:
    found = re.match(r"\w+|\S", text[at:])
    return found.group() if found else text[at]
