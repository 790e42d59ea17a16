from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from finops_assets.decisions.views import View, remove_view, save_view, saved_views

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)


def test_the_newest_view_of_a_name_counts(tmp_path: Path) -> None:
    path = tmp_path / "data" / "decisions.db"
    assert saved_views(path) == []
    first = View("Teams", "explorer", {"group": ["Tag: team", "Service"], "period": ["All"]})
    save_view(path, first, author="ann", said_at=NOON)
    save_view(path, View("aws", "aws", {}), author="ann", said_at=NOON)
    assert saved_views(path) == [View("aws", "aws", {}), first]
    second = View("Teams", "explorer", {"group": ["Tag: app"]})
    save_view(path, second, author="bob", said_at=NOON)
    assert saved_views(path) == [View("aws", "aws", {}), second]
    assert remove_view(path, "aws", author="bob", said_at=NOON)
    assert not remove_view(path, "aws", author="bob", said_at=NOON)
    assert saved_views(path) == [second]


def test_a_view_needs_a_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs a name"):
        save_view(tmp_path / "decisions.db", View("  ", "explorer", {}), author="", said_at=NOON)
