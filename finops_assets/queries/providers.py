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
