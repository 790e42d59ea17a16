"""`finops audit`: who saw and changed what."""

from __future__ import annotations

from datetime import datetime

from rich.console import Console
from rich.table import Table

from finops_assets.access.audit import entries
from finops_assets.settings import Settings


def print_audit(
    settings: Settings, console: Console, principal: str | None, since: datetime | None, limit: int
) -> None:
    """The newest entries, the newest first."""
    found = entries(
        settings.paths.access,
        principal=principal,
        since=None if since is None else since.date(),
        limit=limit,
    )
    if not found:
        lock = "" if settings.access.is_locked else " The lock is off: set up \\[access] in finops.toml."
        console.print(f"The audit log has no such entry.{lock}")
        return
    table = Table("At (UTC)", "Who", "Role", "Where", "What", "Status", "From", "Request")
    for kept in found:
        entry = kept.entry
        what = f"{entry.action} {entry.place}" + (f"?{entry.parameters}" if entry.parameters else "")
        table.add_row(
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            entry.principal or "nobody",
            entry.role,
            entry.face,
            what,
            str(entry.status) if entry.status else "",
            entry.client,
            entry.request_id,
        )
    console.print(table)
