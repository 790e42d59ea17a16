from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path

import pytest

from finops_assets.sources.base import ChangedWhileReadError, Delivery, Silence, SourceError
from finops_assets.sources.folder import FolderStore
from finops_assets.sources.stored import StoredSource


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
