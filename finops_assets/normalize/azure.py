"""Formats of this provider."""

from __future__ import annotations

from finops_assets.normalize.format import Format

FORMATS: tuple[Format, ...] = ()
