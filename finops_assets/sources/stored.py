"""Bills in a store, as delivered: with providers' manifests, in month folders, or loose files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path, PurePosixPath

from finops_assets.sources.base import Delivery, DeliveryError, FetchedFile, Listener, Promise
from finops_assets.sources.manifests import Manifest, ManifestError, is_manifest, read_manifest
from finops_assets.sources.store import ObjectStore, StoredObject
from finops_assets.sources.transfer import download

_BILL = re.compile(r"\.(csv|csv\.gz|parquet)$", re.IGNORECASE)
_MONTH_FOLDER = re.compile(r"(?:^|/)(?:[A-Za-z_]+=)?(\d{4}-(?:0[1-9]|1[0-2]))(?:/|$)")
_PERIOD_FOLDER = re.compile(r"(?:^|/)(\d{4})(0[1-9]|1[0-2])01-\d{8}(?:/|$)")

AT_REST = timedelta(hours=1)
"""A data file newer than its manifest belongs to a delivery that is still being written, for so long."""


@dataclass(frozen=True)
class StoredSource:
    """Bills in `store`. `format` overrides detection; `manifests_only` takes no file that none names."""

    name: str
    store: ObjectStore
    format: str | None = None
    manifests_only: bool = False

    def deliveries(self) -> list[Delivery]:
        """All deliveries in the store, oldest first. Raises SourceError when it cannot be listed.

        A manifest makes one delivery of the files it names; two manifests of the same delivery are one.
        Other files, unless `manifests_only`, make one delivery a month folder (`…=2026-01/`,
        `20260101-20260131/`), and loose files one each, of a month that only their rows can tell.
        """
        listing = self._list()
        found: dict[str, Delivery] = {}
        claimed: set[str] = set()
        for manifest, text in self._manifests(listing):
            delivery = self._from_manifest(listing, manifest, text)
            claimed.update(delivery.files)
            if not (self.manifests_only and _is_being_written(listing, delivery, manifest)):
                found.setdefault(delivery.fingerprint, delivery)
        settled = list(found.values())
        if not self.manifests_only:
            groups: dict[tuple[str, str], list[str]] = {}
            for name in listing.objects:
                if not _BILL.search(name) or name in claimed:
                    continue
                folder = PurePosixPath(name).parent.as_posix()
                month = _month_of_folder(folder)
                groups.setdefault((folder, month) if month else (name, ""), []).append(name)
            settled += [self._delivery(listing, names, month or None) for (_, month), names in groups.items()]
        return sorted(settled, key=lambda d: (d.exported_at, d.delivery_id))

    def fetch(self, delivery: Delivery, into: Path, listener: Listener) -> list[FetchedFile]:
        """Copy the delivery's files, and hold their sizes to what its manifest promises."""
        into.mkdir(parents=True, exist_ok=True)
        listing = self._list()
        promised = {p.name: p for p in delivery.promises}
        fetched: list[FetchedFile] = []
        for number, name in enumerate(delivery.files):
            if name not in listing.objects:
                raise DeliveryError(f"{name}: expected the delivered file, found that it is gone")
            listed = listing.objects[name]
            if name in promised:
                _hold(promised[name].bytes, listed)
            to = into / f"{number:05d}-{PurePosixPath(name).name}"
            fetched.append(download(self.store, listed, to, listener))
        return fetched

    def probe(self, delivery: Delivery | None) -> list[str]:
        """Read the first bytes of the delivery's first file."""
        if delivery is None or not delivery.files:
            return [f"nothing to read in {self.store.address} yet"]
        listed = self._list().objects[delivery.files[0]]
        with self.store.stream(listed, 0) as chunks:
            next(chunks, b"")
        return [f"reads {self.store.address}{listed.name}"]

    def _list(self) -> _Listing:
        return _Listing({o.name: o for o in self.store.objects()})

    def _manifests(self, listing: _Listing) -> list[tuple[StoredObject, bytes | None]]:
        """Every manifest with its text; None for one that went between listing and reading."""
        listed = [o for name, o in listing.objects.items() if is_manifest(name)]
        with ThreadPoolExecutor(16) as pool:
            return list(zip(listed, pool.map(lambda o: _text(self.store, o), listed), strict=True))

    def _from_manifest(self, listing: _Listing, listed: StoredObject, text: bytes | None) -> Delivery:
        name = listed.name
        try:
            manifest, promises = self._understood(listing, name, text)
        except ManifestError as error:
            return Delivery(
                delivery_id=name,
                month=_month_of_folder(PurePosixPath(name).parent.as_posix()) or f"{listed.modified:%Y-%m}",
                files=(),
                fingerprint=_fingerprint([listed]),
                exported_at=listed.modified,
                problem=str(error),
            )
        made = self._delivery(listing, [p.name for p in promises], manifest.month)
        return replace(
            made,
            delivery_id=manifest.delivery_id,
            exported_at=_utc(manifest.exported_at) or made.exported_at,
            format=self.format or manifest.format,
            export=manifest.export,
            promises=promises,
        )

    def _understood(
        self, listing: _Listing, name: str, text: bytes | None
    ) -> tuple[Manifest, tuple[Promise, ...]]:
        """A manifest and its files by their names here. Raises ManifestError."""
        if text is None:
            raise ManifestError(f"{name}: expected the listed manifest, found that it is gone")
        manifest = read_manifest(name, text)
        if not manifest.files:
            raise ManifestError(f"{name}: expected the bill's files, found that the manifest names none")
        files = (replace(p, name=self._resolve(listing, p.name, name)) for p in manifest.files)
        return manifest, tuple(files)

    def _resolve(self, listing: _Listing, named: str, manifest: str) -> str:
        """A manifest names objects by bucket path; here they lie below the root with the same tail."""
        parts = re.sub(r"^[a-z0-9]+://[^/]+/", "", named).lstrip("/").split("/")
        beside = PurePosixPath(manifest).parent
        for skip in range(len(parts)):
            tail = "/".join(parts[skip:])
            for candidate in (tail, (beside / tail).as_posix()):
                if candidate in listing.objects:
                    return candidate
        raise ManifestError(
            f"{manifest}: expected the file {named}, found none below {self.store.address}; "
            "deliver the month again, or bring the file back"
        )

    def _delivery(self, listing: _Listing, names: Sequence[str], month: str | None) -> Delivery:
        listed = [listing.objects[name] for name in names]
        fingerprint = _fingerprint(listed)
        return Delivery(
            delivery_id=fingerprint,
            month=month,
            files=tuple(names),
            fingerprint=fingerprint,
            exported_at=max(o.modified for o in listed),
            format=self.format,
            bytes=sum(o.bytes for o in listed),
        )


@dataclass(frozen=True)
class _Listing:
    """What the store held at one moment, by name."""

    objects: dict[str, StoredObject]


@lru_cache(maxsize=4096)
def _text(store: ObjectStore, listed: StoredObject) -> bytes | None:
    """A manifest's text, read once a version: exports keep one a run, and every look lists them all."""
    try:
        return store.read(listed.name)
    except DeliveryError:
        return None


def _is_being_written(listing: _Listing, delivery: Delivery, manifest: StoredObject) -> bool:
    """Whether the files are newer than the manifest, which will name them anew once they are complete."""
    newest = max((listing.objects[name].modified for name in delivery.files), default=manifest.modified)
    return newest > manifest.modified and datetime.now(UTC) - newest < AT_REST


def _hold(promised: int | None, listed: StoredObject) -> None:
    if promised is not None and promised != listed.bytes:
        raise DeliveryError(
            f"{listed.name}: expected {promised:,} bytes, as its manifest says, found {listed.bytes:,}; "
            "deliver the month again"
        )


def _fingerprint(objects: Iterable[StoredObject]) -> str:
    digest = hashlib.sha256()
    for listed in objects:
        digest.update(f"{listed.name}\0{listed.version}\0".encode())
    return digest.hexdigest()[:16]


def _utc(moment: datetime | None) -> datetime | None:
    """A manifest's time; one without a zone is UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _month_of_folder(folder: str) -> str | None:
    if found := _MONTH_FOLDER.search(folder):
        return found.group(1)
    if found := _PERIOD_FOLDER.search(folder):
        return f"{found.group(1)}-{found.group(2)}"
    return None
