"""The one table of what each role may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

Role: TypeAlias = Literal["viewer", "analyst", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the least to the most."""

Permission: TypeAlias = Literal["read", "feedback", "views", "platform", "decide", "operate", "audit"]
"""read: figures, rows and forecasts of one's scope. feedback: say what an anomaly was. platform: what is of
all bills together: runs, measures, planned changes. views: views that all share. decide: set budgets and mark
planned changes. operate: start and cancel refreshes, webhooks. audit: read who saw and changed what."""

MAY: Mapping[Role, frozenset[Permission]] = {
    "viewer": frozenset({"read", "platform"}),
    "analyst": frozenset({"read", "platform", "feedback", "views", "decide"}),
    "admin": frozenset({"read", "platform", "feedback", "views", "decide", "operate", "audit"}),
}

OF_THE_WHOLE: frozenset[Permission] = frozenset({"platform", "views", "decide", "operate", "audit"})
"""What is of all bills, or has names that all share: nobody may who sees a part of the bills only."""
