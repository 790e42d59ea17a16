"""All bill formats, and which of them a delivered header is."""

from __future__ import annotations

from collections.abc import Sequence

from finops_assets.normalize import (
    aws,
    aws_cost_explorer,
    azure,
    azure_query,
    focus,
    focus_datasets,
    gcp,
    oci,
)
from finops_assets.normalize.format import Format

FORMATS: tuple[Format, ...] = (
    *aws.FORMATS,
    *aws_cost_explorer.FORMATS,
    *azure.FORMATS,
    *azure_query.FORMATS,
    *gcp.FORMATS,
    *oci.FORMATS,
    *focus.FORMATS,
)
"""Every format of a bill. Of two that share a layout (Azure's actual and amortized cost) the first is
detected; a manifest or the configuration names the other."""

DATASET_FORMATS: tuple[Format, ...] = focus_datasets.FORMATS
"""FOCUS's other datasets, which come beside a bill."""

DELIVERED: tuple[Format, ...] = (*FORMATS, *DATASET_FORMATS)
"""Everything that a source may deliver."""

FORMAT_BY_NAME: dict[str, Format] = {form.name: form for form in DELIVERED}

IS_OF_BILL = "NOT coalesce(starts_with(format, 'focus_'), false)"
"""SQL over `bills`: whether the delivery is charges, and not one of FOCUS's other datasets. Files of SQL say
the same in the same words."""


class UnknownFormat(ValueError):  # noqa: N818 - reads as what was found, not as what failed
    """A header is no known format's; the text names the nearest one and what it lacks for it."""


def detect(columns: Sequence[str]) -> Format:
    """The format of a header: of those whose signature it holds, the one with the longest.

    Names compare without case, and a column's other spellings count. Raises UnknownFormat.
    """
    header = frozenset(name.strip().lower() for name in columns)
    lacking = {form.name: missing(form, header) for form in DELIVERED}
    candidates = [form for form in DELIVERED if not lacking[form.name]]
    if candidates:
        return max(candidates, key=lambda form: len(form.signature))
    nearest = min(DELIVERED, key=lambda form: len(lacking[form.name]) / len(form.signature))
    raise UnknownFormat(
        f"expected the columns of a known bill format, found {len(columns)} columns of none; "
        f"the nearest is {nearest.title} ({nearest.name}), which also needs "
        f"{', '.join(lacking[nearest.name])}"
    )


def missing(form: Format, header: frozenset[str]) -> list[str]:
    """The columns of a format's signature that a lower-case header lacks, sorted."""
    spellings = {c.name: (c.name, *c.aliases) for c in form.columns}
    return sorted(
        name
        for name in form.signature
        if not any(spelling.lower() in header for spelling in spellings.get(name, (name,)))
    )
