"""The parameter `filter`: texts of the language of finops_assets/queries/filters.py."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from finops_api.errors import invalid
from finops_assets.queries.dimensions import Filter
from finops_assets.queries.filters import EXAMPLES, HELP, BadFilterError, parse_filters

DESCRIPTION = f"Which costs. {HELP} Repeated, all of them must hold."

PARAMETER_EXAMPLES = [[example] for example in EXAMPLES]


def parse(given: Sequence[str], allowed: Collection[str]) -> tuple[Filter, ...]:
    """The filters. Raises a 422 problem that names the place, what is wrong and what is allowed."""
    try:
        return parse_filters(given, allowed)
    except BadFilterError as error:
        raise invalid("filter", error.text, error.says, error.allowed, position=error.position) from None
