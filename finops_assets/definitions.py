"""The code location: everything in `defs/`, assembled."""

from __future__ import annotations

from finops_assets.defs.assembly import definitions

defs = definitions()
