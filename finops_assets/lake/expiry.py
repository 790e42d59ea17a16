"""Free the lake's space: files that no table has in its newest version and no reader may still open."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from deltalake import DeltaTable

from finops_assets.lake.lake import Lake

KEPT_HOURS = 7 * 24
"""How long a replaced file stays at least: Delta's own retention, which whoever reads the tables elsewhere
may count on, and far longer than a run that still reads it takes. A file that no commit ever named is left by
a run that was killed, or is of one that has yet to commit; it is given as long."""


def expire_files(lake: Lake, kept: Collection[str]) -> int:
    """Delete what is replaced or forgotten for KEPT_HOURS and not named in `kept`; the bytes that are free.

    `kept` are file names without folders: every data file of the lake has a name of its own.
    """
    freed = 0
    for log in sorted(lake.root.glob("*/_delta_log")):
        # Only asked, not done: delta-rs knows nothing of our readers, and a vacuum of its own is a commit,
        # which would make every table look changed.
        outdated = DeltaTable(log.parent).vacuum(
            retention_hours=KEPT_HOURS, dry_run=True, enforce_retention_duration=False, full=True
        )
        for path in (log.parent / name for name in outdated if Path(name).name not in kept):
            if path.is_file():  # Delta also names what went before
                freed += path.stat().st_size
                path.unlink()
    return freed
