"""`filter=Column:value`, repeated: values of the same column are alternatives, columns add up.

`Column!:value` leaves a value out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from finops_api.errors import check_known, invalid
from finops_assets.queries.dimensions import Filter
from finops_assets.queries.filters import BadFilterError, parse_filters

DESCRIPTION = (
    "`Column:value`, repeated. Several values of one column are alternatives, several columns must all "
    "hold: `filter=ServiceProviderName:AWS&filter=RegionId:us-east-1&filter=RegionId:eu-west-1`. "
    "`RegionId:` (no value) means that the column is empty. `RegionId!:us-east-1` leaves a value out."
)

EXAMPLES = [["ServiceProviderName:AWS", "RegionId:us-east-1"]]


def parse(given: Sequence[str], allowed: Collection[str]) -> tuple[Filter, ...]:
    """The filters. Raises a 422 problem that names what is wrong and what is allowed."""
    try:
        found = parse_filters(given)
    except BadFilterError as error:
        raise invalid("filter", error.text, str(error)) from None
    check_known("filter", [f.column for f in found], allowed)
    return found
