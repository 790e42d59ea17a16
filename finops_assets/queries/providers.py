"""The three providers that have a page and an address of their own."""

from __future__ import annotations

from typing import Literal, TypeAlias

Provider: TypeAlias = Literal["aws", "azure", "gcp"]

PROVIDERS: dict[Provider, tuple[str, ...]] = {
    "aws": ("AWS", "Amazon Web Services"),
    "azure": ("Microsoft", "Microsoft Azure", "Azure"),
    "gcp": ("Google Cloud", "Google", "GCP"),
}
"""Short name → the values of ServiceProviderName that bills use for it."""


def names_of_provider(name: str | None) -> tuple[str, ...] | None:
    """The ServiceProviderNames of a short name, or the name itself when it is none; None stays None."""
    if name is None:
        return None
    return {str(short): names for short, names in PROVIDERS.items()}.get(name.lower(), (name,))
