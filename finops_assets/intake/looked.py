"""What loose files were found to hold, kept on disk, so that none is fetched again to be looked into."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from finops_assets.lake.lake import build_key
from finops_assets.normalize.formats import DELIVERED


@dataclass(frozen=True)
class LookedInto:
    """One small file a loose file, below `folder`; safe to delete. Other readings of formats start anew."""

    folder: Path

    def get(self, fingerprint: str) -> tuple[str, list[str]] | None:
        """The format and the months of the file of this fingerprint; None when nobody looked yet."""
        try:
            kept = json.loads(self._path(fingerprint).read_bytes())
        except FileNotFoundError:
            return None
        return kept["format"], kept["months"]

    def keep(self, fingerprint: str, form: str, months: list[str]) -> None:
        """Remember it, for every process."""
        path = self._path(fingerprint)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps({"format": form, "months": months}), encoding="utf-8")
        new.replace(path)

    def _path(self, fingerprint: str) -> Path:
        return self.folder / build_key(*(form.reading for form in DELIVERED)) / f"{fingerprint}.json"
