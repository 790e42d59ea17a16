"""What FOCUS's official validator says of rows, put beside what our own rules say: pure, no process run here.

Source: focus-validator (PyPI), its JUnit report and the model of rules that it brings. It knows a newer
version than 1.2 only where it may download it, so both sides are held to 1.2.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

from finops_assets.focus.columns import columns
from finops_assets.schema import quote

VERSION = "1.2"
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"

_REPLACED = {
    "ProviderName": "coalesce(HostProviderName, ServiceProviderName)",
    "PublisherName": "ServiceProviderName",
}
"""Columns of 1.2 that 1.3 replaced: who sells, be it another's product, and whose product it is."""


@dataclass(frozen=True)
class OfficialCheck:
    """One rule of the validator's model: its outcome, the column it is of, and what it demands."""

    rule: str
    column: str
    outcome: str
    says: str


@dataclass(frozen=True)
class Difference:
    """A column on which the two sides do not agree: the rules that fail on each, and why that is."""

    column: str
    official: tuple[OfficialCheck, ...]
    ours: tuple[str, ...]
    why: str


def rows_sql(present: Collection[str]) -> str:
    """SQL over relation `charges`, rows that have the columns `present`, for those of FOCUS 1.2 among them.

    The lake keeps a column that a bill does not have as nulls, so that the validator finds every column.
    """
    version = tuple(map(int, VERSION.split(".")))
    chosen = [
        quote(c.name)
        for c in columns()
        if tuple(map(int, c.since.split("."))) <= version and c.name in present
    ]
    for name, since in _REPLACED.items():
        chosen.append(quote(name) if name in present else f"{since} AS {quote(name)}")
    return f"SELECT {', '.join(chosen)} FROM charges"


def capabilities(filled: Collection[str]) -> list[str]:
    """The validator's applicability criteria that rows show: of the columns that they fill."""
    return [name for name, column in _known()["capabilities"].items() if column in filled]


def checks(report: Path, model: Path) -> list[OfficialCheck]:
    """The single checks of a JUnit report, without those that only sum up others."""
    rules = json.loads(model.read_text(encoding="utf-8"))["ModelRules"]
    found = []
    for case in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314 - our own process wrote it
        name, _, kind = case.attrib["name"].partition(" :: ")
        if kind == "Composite":
            continue
        outcome = (
            FAILED
            if case.find("failure") is not None or case.find("error") is not None
            else SKIPPED
            if case.find("skipped") is not None
            else PASSED
        )
        rule = rules[name]
        found.append(
            OfficialCheck(name, rule["Reference"], outcome, rule["ValidationCriteria"]["MustSatisfy"])
        )
    return found


def differences(
    official: Iterable[OfficialCheck], ours: Iterable[tuple[str, str]], filled: Collection[str]
) -> list[Difference]:
    """The columns that one side alone finds fault with, in order.

    `ours` is column and rule of what fails, `filled` the columns that the rows fill at all.
    """
    all_checks = list(official)
    own: dict[str, list[str]] = {}
    for column, rule in ours:
        own.setdefault(column, []).append(rule)
    found = []
    for column in sorted({c.column for c in all_checks} | set(own)):
        of_column = [c for c in all_checks if c.column == column]
        failing = tuple(c for c in of_column if c.outcome == FAILED)
        broken = tuple(own.get(column, ()))
        if bool(failing) != bool(broken):
            found.append(Difference(column, failing, broken, _why(of_column, failing, column in filled)))
    return found


def _why(of_column: list[OfficialCheck], failing: tuple[OfficialCheck, ...], is_filled: bool) -> str:
    if not failing:
        left = sum(check.outcome == SKIPPED for check in of_column)
        if not left:
            return "The validator has no such check of the column."
        return f"The validator does not look at this: of its {len(of_column)} checks of it, it skips {left}."
    reasons = _known()["differences"]
    if not is_filled:
        unsaid = (
            "The bill never fills the column; FOCUS asks for it of providers who support it, and so do ours."
        )
    else:
        unsaid = "No reason is known: one of the two is wrong."
    return " ".join(dict.fromkeys(reasons.get(check.rule, unsaid) for check in failing))


@cache
def _known() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("finops_assets.focus").joinpath("official.toml").read_text(encoding="utf-8"))
