"""A folder of bills as delivered: with providers' manifests, month folders, or loose files."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from finops_assets.sources.base import ChangedWhileReadError, Delivery, FetchedFile, SourceError
from finops_assets.sources.manifests import ManifestError, is_manifest, read_manifest

_BILL = re.compile(r"\.(csv|csv\.gz|parquet)$", re.IGNORECASE)
_MONTH_FOLDER = re.compile(r"(?:^|/)(?:[A-Za-z_]+=)?(\d{4}-(?:0[1-9]|1[0-2]))(?:/|$)")
_PERIOD_FOLDER = re.compile(r"(?:^|/)(\d{4})(0[1-9]|1[0-2])01-\d{8}(?:/|$)")
_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True)
class FolderSource:
    """Bills in `root`. `format` overrides detection for every file."""

    name: str
    root: Path
    format: str | None = None

    def deliveries(self) -> list[Delivery]:
        """All deliveries in the folder, oldest first. Raises SourceError when it is not there.

        A manifest makes one delivery of the files it names. Other files make one delivery a month
        folder (`…=2026-01/`, `20260101-20260131/`), and loose files one each, of a month that only
        their rows can tell.
        """
        if not self.root.is_dir():
            raise SourceError(f"source {self.name}: the folder {self.root} does not exist")
        found: list[Delivery] = []
        claimed: set[str] = set()
        for path in sorted(p for p in self.root.rglob("*.json") if is_manifest(p)):
            delivery = self._from_manifest(path)
            found.append(delivery)
            claimed.update(delivery.files)
        groups: dict[tuple[str, str], list[str]] = {}
        for path in sorted(p for p in self.root.rglob("*") if _BILL.search(p.name) and p.is_file()):
            name = path.relative_to(self.root).as_posix()
            if name in claimed:
                continue
            month = _month_of_folder(Path(name).parent.as_posix())
            group = (Path(name).parent.as_posix(), month) if month else (name, "")
            groups.setdefault(group, []).append(name)
        found.extend(self._delivery(tuple(names), month or None) for (_, month), names in groups.items())
        return sorted(found, key=lambda d: (d.exported_at, d.delivery_id))

    def fetch(self, delivery: Delivery, into: Path) -> list[FetchedFile]:
        """Copy the delivery's files. Raises SourceError (gone) or ChangedWhileReadError."""
        into.mkdir(parents=True, exist_ok=True)
        return [
            self._copy(name, into / f"{number:05d}-{Path(name).name}")
            for number, name in enumerate(delivery.files)
        ]

    def _copy(self, name: str, to: Path) -> FetchedFile:
        digest = hashlib.sha256()
        size = 0
        try:
            with (self.root / name).open("rb") as source, to.open("wb") as target:
                before = os.fstat(source.fileno())
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
                    target.write(chunk)
                    size += len(chunk)
            after = (self.root / name).stat()
        except FileNotFoundError:
            raise SourceError(f"{name}: expected the delivered file, found that it is gone") from None
        if (before.st_ino, before.st_mtime_ns, before.st_size) != (
            after.st_ino,
            after.st_mtime_ns,
            after.st_size,
        ) or size != after.st_size:
            raise ChangedWhileReadError(
                f"{name}: expected a file at rest, found that it changed while read "
                f"({before.st_size} bytes before, {after.st_size} after); the next refresh reads it again"
            )
        return FetchedFile(name=name, path=to, sha256=digest.hexdigest(), bytes=size)

    def _from_manifest(self, path: Path) -> Delivery:
        name = path.relative_to(self.root).as_posix()
        try:
            manifest = read_manifest(path)
            files = tuple(self._resolve(named, path) for named in manifest.files)
        except ManifestError as error:
            stamp = path.stat()
            return Delivery(
                delivery_id=name,
                month=_month_of_folder(Path(name).parent.as_posix()),
                files=(),
                fingerprint=f"{stamp.st_size}-{stamp.st_mtime_ns}",
                exported_at=datetime.fromtimestamp(stamp.st_mtime, UTC),
                problem=str(error),
            )
        return self._delivery(
            files, manifest.month, manifest.delivery_id, manifest.exported_at, manifest.format
        )

    def _resolve(self, named: str, manifest: Path) -> str:
        """A manifest names objects by bucket path; here they lie below the folder with the same tail."""
        parts = re.sub(r"^[a-z0-9]+://[^/]+/", "", named).lstrip("/").split("/")
        for skip in range(len(parts)):
            tail = "/".join(parts[skip:])
            for base in (self.root, manifest.parent):
                if (base / tail).is_file():
                    return (base / tail).resolve().relative_to(self.root.resolve()).as_posix()
        raise ManifestError(f"{manifest.name}: expected the file {named}, found none below {self.root.name}/")

    def _delivery(
        self,
        files: tuple[str, ...],
        month: str | None,
        delivery_id: str = "",
        exported_at: datetime | None = None,
        format_name: str | None = None,
    ) -> Delivery:
        digest = hashlib.sha256()
        newest = 0.0
        for name in files:
            stamp = (self.root / name).stat()
            digest.update(f"{name}\0{stamp.st_size}\0{stamp.st_mtime_ns}\0".encode())
            newest = max(newest, stamp.st_mtime)
        fingerprint = digest.hexdigest()[:16]
        return Delivery(
            delivery_id=delivery_id or fingerprint,
            month=month,
            files=files,
            fingerprint=fingerprint,
            exported_at=exported_at or datetime.fromtimestamp(newest, UTC),
            format=self.format or format_name,
        )


def _month_of_folder(folder: str) -> str | None:
    if found := _MONTH_FOLDER.search(folder):
        return found.group(1)
    if found := _PERIOD_FOLDER.search(folder):
        return f"{found.group(1)}-{found.group(2)}"
    return None
