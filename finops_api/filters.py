"""`filter=Column:value`, repeated: values of the same column are alternatives, columns add up."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from finops_api.errors import check_known, invalid
from finops_assets.queries.costs import Filter

DESCRIPTION = (
    "`Column:value`, repeated. Several values of one column are alternatives, several columns must all "
    "hold: `filter=ServiceProviderName:AWS&filter=RegionId:us-east-1&filter=RegionId:eu-west-1`. "
    "`RegionId:` (no value) means that the column is empty."
)

EXAMPLES = [["ServiceProviderName:AWS", "RegionId:us-east-1"]]


def parse(texts: Sequence[str], allowed: Collection[str]) -> tuple[Filter, ...]:
    """The filters, one a column. Raises a 422 problem that names what is wrong and what is allowed."""
    values: dict[str, list[str | None]] = {}
    for text in texts:
        column, colon, value = text.partition(":")
        if not colon:
            raise invalid("filter", text, f"{text!r} is not Column:value, such as ServiceProviderName:AWS.")
        check_known("filter", [column], allowed)
        values.setdefault(column, []).append(value or None)
    return tuple(Filter(column, tuple(found)) for column, found in values.items())
