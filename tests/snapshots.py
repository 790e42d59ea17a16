"""Hold something against a file kept beside the test; rewrite it with FINOPS_UPDATE_SNAPSHOTS=1."""

from __future__ import annotations

import json
import os
from pathlib import Path


def check_snapshot(path: Path, found: object) -> None:
    """Fail where `found` is not what the file says."""
    text = json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("FINOPS_UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), (
        f"{path.name} is not what it was; FINOPS_UPDATE_SNAPSHOTS=1 rewrites it"
    )
