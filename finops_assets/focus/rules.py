"""The rules of FOCUS 1.4 as data: SQL conditions of a row, and queries over many.

Sources: the columns' own nulls, allowed values and formats (`columns.csv`), what one charge's columns demand
of each other (`rules.toml`), sums over charges (`rules_across.toml`), and what is said of the other datasets
and of these and the charges together (`rules_datasets.toml`); each names the specification's section.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from finops_assets.focus.columns import COST_AND_USAGE, FocusColumn, columns, service_subcategories
from finops_assets.focus.currencies import CURRENCIES, subunit_sql

MUST, SHOULD = "MUST", "SHOULD"

_BLOCKING = {"ChargeCategory-Not-Null", "ChargeCategory-Allowed-Value", "ChargePeriod-Order"}
"""What a sum by category and day goes wrong without, beside what cannot be read at all: that a cost, its
currency and its times are none. Other rules make a bill poorer when they are broken, not false."""

_RANGES = {
    "Decimal (non-negative)": ("Not-Negative", "Not below zero.", ">= 0"),
    "Decimal [0.0, 1.0]": ("Share", "From 0 to 1.", "BETWEEN 0 AND 1"),
}

_WORDS = "[A-Za-z][A-Za-z0-9]*( [A-Za-z][A-Za-z0-9]*)*"
_TIME = "(Year|Month|Day|Hour|Minute|Second)"
_UNIT = f"({_WORDS}(-{_TIME}s|/({_TIME}|[0-9]+ {_TIME}s))?|[0-9]+ {_WORDS})"
"""Unit Format: what is counted, in words or a size ('GB'); of time ('GB-Hours'), per time ('Requests/Second',
'Requests/3 Months'), or so many of it ('1000 Requests')."""


@dataclass(frozen=True)
class RowRule:
    """Holds for each row: where `when` is true, `must` is true. Both are SQL over the columns of a row.

    `needs_column` rules apply only to a bill that fills the column at all: FOCUS asks for the column under a
    condition on the provider that no bill states. `since` is the first version that has the rule, where that
    is not the one that has the column.
    """

    rule: str
    column: str
    level: str
    says: str
    source: str
    must: str
    when: str = "true"
    needs_column: bool = False
    since: str = ""


@dataclass(frozen=True)
class AcrossRule:
    """Holds for each group of rows: SQL over the relation `charges`, giving a row a group.

    Its columns: BillingCurrency; `key`, a text that names the group; `rows`, how many are in it; `passed`;
    `cost`, what the group costs; `expected` and `found`, texts; x_File and x_RowNumber of one of its rows.
    """

    rule: str
    column: str
    level: str
    says: str
    source: str
    sql: str
    since: str = ""

    @property
    def is_between(self) -> bool:
        """Whether it is of another dataset and the charges together: it reads `delivered` and `charges`."""
        return "." in self.rule and "charges" in self.sql


@cache
def row_rules(dataset: str = COST_AND_USAGE) -> tuple[RowRule, ...]:
    """Every rule of a single row, each column's own first."""
    own = [rule for column in columns(dataset) for make in _OWN for rule in make(column)]
    between = [
        RowRule(rule=name, needs_column=_is_conditional(given["column"], dataset), **given)
        for name, given in _of(dataset).items()
        if "must" in given
    ]
    return (*own, *between, *([_subcategory()] if dataset == COST_AND_USAGE else []))


@cache
def blocking_rules() -> tuple[RowRule, ...]:
    """The rules that a delivered FOCUS bill is held back for."""
    return tuple(rule for rule in row_rules() if rule.rule in _BLOCKING)


@cache
def across_rules(dataset: str = COST_AND_USAGE) -> tuple[AcrossRule, ...]:
    """Every rule over many rows; those of another dataset read `delivered`, some of them `charges`, too."""
    return tuple(AcrossRule(rule=name, **given) for name, given in _of(dataset).items() if "sql" in given)


def _nulls(column: FocusColumn) -> list[RowRule]:
    given = f"{column.name} IS NOT NULL"
    if column.type == "String":
        given += f" AND trim({column.name}) <> ''"
    if not column.nullable:
        return [_own(column, "Not-Null", "Never null.", given)]
    if column.type == "String":
        says = "Null where there is nothing to say, never an empty text."
        return [_own(column, "Not-Empty", says, f"trim({column.name}) <> ''", f"{column.name} IS NOT NULL")]
    return []


def _values(column: FocusColumn) -> list[RowRule]:
    if not column.allowed_values:
        return []
    listed = ", ".join(f"'{value}'" for value in column.allowed_values)
    says = "One of the values that FOCUS allows."
    return [_own(column, "Allowed-Value", says, f"{column.name} IN ({listed})", f"{column.name} IS NOT NULL")]


def _format(column: FocusColumn) -> list[RowRule]:
    is_set = f"{column.name} IS NOT NULL"
    name = column.name
    match column.format:
        case "Currency" if name == "BillingCurrency":
            codes = ", ".join(f"'{code}'" for code in sorted(CURRENCIES))
            return [_own(column, "Currency", "An ISO 4217 code.", f"{name} IN ({codes})", is_set)]
        case values if values in _RANGES:
            suffix, says, within = _RANGES[values]
            return [_own(column, suffix, says, f"{name} {within}", is_set)]
        case "Key-Value":
            says = "A flat JSON object of key and value."
            return [_own(column, "Key-Value", says, _flat(name), is_set)]
        case "Unit":
            says = "A unit: units, or a quantity of them, by or per time, all spelled as FOCUS does."
            return [
                _own(column, "Unit-Format", says, f"regexp_full_match({name}, '{_UNIT}')", is_set, SHOULD)
            ]
        case "JSON Object":
            says = "A JSON object."
            must = f"CASE WHEN json_valid({name}) THEN json_type({name}) = 'OBJECT' END"
            return [_own(column, "Object", says, must, is_set)]
    return []


def _flat(name: str) -> str:
    nested = f"list_filter(json_extract({name}, '$.*'), lambda v: json_type(v) IN ('OBJECT', 'ARRAY'))"
    # Most have nothing that looks nested, which a search tells sooner than a parser does.
    looks = f"contains({name}, ':{{') OR contains({name}, ':[') OR contains({name}, ': ')"
    flat = f"json_type({name}) = 'OBJECT' AND (NOT ({looks}) OR len({nested}) = 0)"
    # CASE: what is no JSON at all must not reach the functions that fail on it.
    return f"CASE WHEN json_valid({name}) THEN {flat} END"


def _own(
    column: FocusColumn, suffix: str, says: str, must: str, when: str = "true", level: str = MUST
) -> RowRule:
    return RowRule(
        rule=f"{_prefix(column.dataset)}{column.name}-{suffix}",
        column=column.name,
        level=SHOULD if column.level == "Recommended" else level,
        says=says,
        source=column.name,
        must=must,
        when=when,
        needs_column=column.level != "Mandatory",
    )


def _subcategory() -> RowRule:
    pairs = ", ".join(f"('{sub}', '{parent}')" for sub, parent in service_subcategories().items())
    return RowRule(
        rule="ServiceSubcategory-Of-Its-Category",
        column="ServiceSubcategory",
        level=MUST,
        says="A subcategory belongs to one category.",
        source="Service Subcategory",
        must=f"(ServiceSubcategory, ServiceCategory) IN ({pairs})",
        when="ServiceSubcategory IS NOT NULL",
    )


def _is_conditional(name: str, dataset: str) -> bool:
    return next(c for c in columns(dataset) if c.name == name).level != "Mandatory"


def _prefix(dataset: str) -> str:
    """What the names of a dataset's rules begin with, where they are not of charges."""
    return "" if dataset == COST_AND_USAGE else f"{dataset}."


def _of(dataset: str) -> dict[str, dict[str, str]]:
    """Rule → what the files say of it, of one dataset."""
    if dataset == COST_AND_USAGE:
        return _toml("rules.toml") | _toml("rules_across.toml")
    return {n: g for n, g in _toml("rules_datasets.toml").items() if n.startswith(_prefix(dataset))}


def _toml(name: str) -> dict[str, dict[str, str]]:
    text = files("finops_assets.focus").joinpath(name).read_text(encoding="utf-8")
    return tomllib.loads(text.replace("$subunit", subunit_sql("BillingCurrency")))


_OWN: tuple[Callable[[FocusColumn], list[RowRule]], ...] = (_nulls, _values, _format)
