from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_assets.sources.base import (
    ChangedWhileReadError,
    Delivery,
    DeliveryError,
    Silence,
    SourceError,
    TransientError,
)
from finops_assets.sources.folder import FolderStore
from finops_assets.sources.store import StoredObject
from finops_assets.sources.stored import StoredSource
from finops_assets.sources.transfer import download


def write(root: Path, name: str, text: str = "a\n1\n") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def aws_manifest(root: Path, execution: str, files: list[str]) -> None:
    content = {"executionId": execution, "dataFiles": files, "createdAt": "2026-02-03T04:05:06Z"}
    write(root, "exp/metadata/BILLING_PERIOD=2026-01/exp-Manifest.json", json.dumps(content))


def test_an_aws_manifest_makes_one_delivery_of_the_files_it_names(tmp_path: Path) -> None:
    write(tmp_path, "exp/data/BILLING_PERIOD=2026-01/exp-1.csv")
    write(tmp_path, "exp/data/BILLING_PERIOD=2026-01/leftover.csv")
    aws_manifest(tmp_path, "run-7", ["s3://bucket/some/prefix/exp/data/BILLING_PERIOD=2026-01/exp-1.csv"])
    found = StoredSource("aws", FolderStore(tmp_path)).deliveries()
    named, leftover = sorted(found, key=lambda d: d.delivery_id != "run-7")
    assert (named.delivery_id, named.month) == ("run-7", "2026-01")
    assert named.files == ("exp/data/BILLING_PERIOD=2026-01/exp-1.csv",)
    assert named.exported_at.isoformat() == "2026-02-03T04:05:06+00:00"
    assert leftover.files == ("exp/data/BILLING_PERIOD=2026-01/leftover.csv",)


def test_a_manifest_that_names_a_missing_file_is_a_delivery_with_a_problem(tmp_path: Path) -> None:
    aws_manifest(tmp_path, "run-7", ["s3://bucket/exp/data/gone.csv"])
    (delivery,) = StoredSource("aws", FolderStore(tmp_path)).deliveries()
    assert delivery.month == "2026-01"
    assert delivery.problem is not None
    assert "expected the file s3://bucket/exp/data/gone.csv, found none" in delivery.problem


def test_azure_runs_of_one_month_are_deliveries_in_order(tmp_path: Path) -> None:
    for run, day in (("b", "05"), ("a", "09")):
        folder = f"actual/20260101-20260131/{run}"
        write(tmp_path, f"{folder}/part_0.csv")
        content = {
            "blobs": [{"blobName": f"{folder}/part_0.csv"}],
            "exportConfig": {"type": "ActualCost"},
            "runInfo": {
                "runId": run,
                "startDate": "2026-01-01T00:00:00",
                "submittedTime": f"2026-02-{day}T00:00:00Z",
            },
        }
        write(tmp_path, f"{folder}/manifest.json", json.dumps(content))
    found = StoredSource("azure", FolderStore(tmp_path)).deliveries()
    assert [(d.delivery_id, d.month, d.format) for d in found] == [
        ("b", "2026-01", "azure_actual"),
        ("a", "2026-01", "azure_actual"),
    ]


def test_month_folders_and_loose_files(tmp_path: Path) -> None:
    write(tmp_path, "export/invoice_month=2026-03/part-0.csv")
    write(tmp_path, "export/invoice_month=2026-03/part-1.csv")
    write(tmp_path, "20231101-20231201/cur.csv")
    write(tmp_path, "loose.csv")
    write(tmp_path, "notes.txt")
    found = StoredSource("s", FolderStore(tmp_path)).deliveries()
    assert {(d.month, len(d.files)) for d in found} == {("2026-03", 2), ("2023-11", 1), (None, 1)}


def test_the_fingerprint_changes_with_the_file_and_only_then(tmp_path: Path) -> None:
    path = write(tmp_path, "loose.csv")
    source = StoredSource("s", FolderStore(tmp_path))
    before = source.deliveries()
    assert source.deliveries() == before
    os.utime(path, ns=(1, 1))
    assert source.deliveries()[0].fingerprint != before[0].fingerprint


def test_fetch_copies_and_hashes(tmp_path: Path) -> None:
    write(tmp_path / "in", "loose.csv", "a,b\n1,2\n")
    source = StoredSource("s", FolderStore(tmp_path / "in"))
    (file,) = source.fetch(source.deliveries()[0], tmp_path / "out", Silence())
    assert file.sha256 == hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    assert (file.name, file.bytes, file.path.read_bytes()) == ("loose.csv", 8, b"a,b\n1,2\n")


def fetch_often(source: StoredSource, delivery: Delivery, out: Path) -> None:
    for attempt in range(50):
        source.fetch(delivery, out / f"out-{attempt}", Silence())


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """A writer appends without pause while the file is copied, as an export still being written does."""
    path = write(tmp_path / "in", "loose.csv", "a\n" + "1\n" * 100)
    source = StoredSource("s", FolderStore(tmp_path / "in"))
    delivery = source.deliveries()[0]
    over, begun = threading.Event(), threading.Event()

    def append() -> None:
        with path.open("a", encoding="utf-8") as writer:
            while not over.is_set():
                writer.write("2\n" * 1000)
                writer.flush()
                begun.set()

    thread = threading.Thread(target=append)
    thread.start()
    begun.wait()
    try:
        with pytest.raises(ChangedWhileReadError, match=r"loose\.csv: expected a file at rest"):
            fetch_often(source, delivery, tmp_path)
    finally:
        over.set()
        thread.join()


def test_a_folder_or_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        StoredSource("s", FolderStore(tmp_path / "nowhere")).deliveries()
    path = write(tmp_path, "loose.csv")
    source = StoredSource("s", FolderStore(tmp_path))
    delivery = source.deliveries()[0]
    path.unlink()
    with pytest.raises(SourceError, match=r"loose\.csv: expected the delivered file"):
        source.fetch(delivery, tmp_path / "out", Silence())


class Shaky:
    """A store whose connections break: after how many bytes each attempt ends, in order."""

    def __init__(self, content: bytes, breaks: list[int], md5: str | None = None) -> None:
        self.content, self.breaks, self.known_md5 = content, breaks, md5
        self.offsets: list[int] = []
        self.listed = StoredObject("bill.csv", len(content), "v1", datetime(2026, 1, 1, tzinfo=UTC))
        self.address = "shaky://"

    def objects(self) -> list[StoredObject]:
        return [self.listed]

    def read(self, name: str) -> bytes:
        raise NotImplementedError(name)

    @contextmanager
    def stream(self, listed: StoredObject, offset: int) -> Iterator[Iterator[bytes]]:
        self.offsets.append(offset)
        yield self._chunks(listed, offset)

    def _chunks(self, listed: StoredObject, offset: int) -> Iterator[bytes]:
        if not self.breaks:
            yield self.content[offset : listed.bytes]
            return
        yield self.content[offset : offset + self.breaks.pop(0)]
        raise TransientError("the connection broke")

    def md5(self, _: StoredObject) -> str | None:
        return self.known_md5


CONTENT = bytes(range(256)) * 4


@given(st.lists(st.integers(min_value=1, max_value=200), max_size=12))
def test_a_broken_copy_goes_on_where_it_broke_however_often(breaks: list[int]) -> None:
    breaks = breaks[: next((n for n in range(len(breaks)) if sum(breaks[: n + 1]) >= 1024), len(breaks))]
    store = Shaky(CONTENT, list(breaks), hashlib.md5(CONTENT).hexdigest())
    with TemporaryDirectory() as folder:
        got = download(store, store.listed, Path(folder) / "bill.csv", Silence(), wait=0)
        assert got.path.read_bytes() == CONTENT
    assert got.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert store.offsets == [sum(breaks[:n]) for n in range(len(breaks) + 1)]


def test_a_copy_that_brings_nothing_gives_up(tmp_path: Path) -> None:
    store = Shaky(CONTENT, [100, *[0] * 50])
    with pytest.raises(TransientError):
        download(store, store.listed, tmp_path / "bill.csv", Silence(), wait=0)
    assert store.offsets == [0, *[100] * 6]


def test_a_copy_is_held_to_the_checksum_that_the_store_keeps(tmp_path: Path) -> None:
    store = Shaky(CONTENT, [], hashlib.md5(b"other").hexdigest())
    with pytest.raises(DeliveryError, match="expected the MD5"):
        download(store, store.listed, tmp_path / "bill.csv", Silence(), wait=0)


def azure_run(root: Path, run: str, byte_count: int, rows: int) -> None:
    folder = "focus/20260101-20260131/" + run
    write(root, f"{folder}/part_0.csv")
    content = {
        "blobs": [{"blobName": f"{folder}/part_0.csv", "byteCount": byte_count, "dataRowCount": rows}],
        "exportConfig": {"type": "FocusCost", "exportName": "focus"},
        "runInfo": {
            "runId": run,
            "startDate": "2026-01-01T00:00:00",
            "submittedTime": "2026-02-01T00:00:00Z",
        },
    }
    write(root, f"{folder}/manifest.json", json.dumps(content))


def test_a_file_that_is_not_of_the_promised_size_is_refused(tmp_path: Path) -> None:
    azure_run(tmp_path / "in", "a", byte_count=5, rows=1)
    source = StoredSource("azure", FolderStore(tmp_path / "in"))
    (delivery,) = source.deliveries()
    assert (delivery.export, delivery.promises[0].rows) == ("focus", 1)
    with pytest.raises(DeliveryError, match="expected 5 bytes, as its manifest says, found 4"):
        source.fetch(delivery, tmp_path / "out", Silence())


def test_a_watched_export_is_left_alone_while_its_files_are_newer_than_the_manifest(tmp_path: Path) -> None:
    aws_manifest(tmp_path, "run-7", ["s3://bucket/exp/data/BILLING_PERIOD=2026-01/exp-1.csv"])
    path = write(tmp_path, "exp/data/BILLING_PERIOD=2026-01/exp-1.csv")
    write(tmp_path, "exp/data/BILLING_PERIOD=2026-01/not-named.csv")
    source = StoredSource("aws", FolderStore(tmp_path), manifests_only=True)
    manifest = (tmp_path / "exp/metadata/BILLING_PERIOD=2026-01/exp-Manifest.json").stat().st_mtime
    os.utime(path, (manifest + 60, manifest + 60))
    assert source.deliveries() == []
    os.utime(path, (manifest - 60, manifest - 60))
    (delivery,) = source.deliveries()
    assert delivery.files == ("exp/data/BILLING_PERIOD=2026-01/exp-1.csv",), "and by manifest only"
