"""What changed between the versions of FOCUS's Cost and Usage dataset, and which one a header is.

Source: FOCUS change logs 1.1 to 1.4. ProviderName and PublisherName were mandatory in 1.0-1.2,
deprecated in 1.3 and removed in 1.4.
"""

from __future__ import annotations

from collections.abc import Sequence

from finops_assets.focus.columns import COST_AND_USAGE, columns

REMOVED: dict[str, tuple[str, ...]] = {
    "ProviderName": ("ServiceProviderName", "HostProviderName"),
    "PublisherName": ("x_PublisherName",),
}
"""Column of 1.0-1.3 → the columns that carry its value today."""


def version_of(header: Sequence[str], dataset: str = COST_AND_USAGE) -> str:
    """The oldest FOCUS version, '1.0' to '1.4', whose columns a header's all are. Names without case."""
    given = {name.lower() for name in header}
    if dataset != COST_AND_USAGE:
        return max((c.since for c in columns(dataset) if c.name.lower() in given), key=_numbers)
    newest = max((c.since for c in columns() if c.name.lower() in given), default="1.0", key=_numbers)
    without_removed = "serviceprovidername" in given and not given & {name.lower() for name in REMOVED}
    return "1.4" if without_removed else max("1.0", newest, key=_numbers)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
