"""An export in a real S3, from the sensor to the published costs, with everything that goes wrong."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.focus_bills import in_month, text
from tests.ingestion.connected import Connected
from tests.services.faults import Fault, FaultyProxy, faulty_proxy
from tests.services.moto import CREDENTIALS, REGION, Moto, running_moto

BUCKET, EXPORT = "billing", "exports/main"
SENSOR = "watch_aws_main"


class Bucket:
    """The bucket that AWS writes exports into, laid out as Data Exports does."""

    def __init__(self, moto: Moto) -> None:
        self.s3: Any = moto.owner("s3")
        self.s3.create_bucket(Bucket=BUCKET)

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    def deliver(self, month: str, execution: str, *files: bytes, versioned: bool = False) -> list[str]:
        """One execution for one month: the data first, then the manifest."""
        folder = f"{execution}/" if versioned else ""
        keys = [
            f"{EXPORT}/data/BILLING_PERIOD={month}/{folder}main-{number:05d}.csv.gz"
            for number in range(len(files))
        ]
        for key, content in zip(keys, files, strict=True):
            self.put(key, gzip.compress(content, mtime=0))
        self.manifest(month, execution, keys, versioned=versioned)
        return keys

    def manifest(self, month: str, execution: str, keys: list[str], *, versioned: bool = False) -> None:
        folder = f"{execution}/" if versioned else ""
        content = {"executionId": execution, "dataFiles": [f"s3://{BUCKET}/{key}" for key in keys]}
        key = f"{EXPORT}/metadata/BILLING_PERIOD={month}/{folder}main-Manifest.json"
        self.put(key, json.dumps(content).encode())


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with running_moto() as server:
        yield server


@pytest.fixture
def bucket(moto: Moto) -> Bucket:
    moto.reset()
    return Bucket(moto)


@pytest.fixture
def proxy(moto: Moto) -> Iterator[FaultyProxy]:
    with faulty_proxy(int(moto.url.rsplit(":", 1)[1])) as proxy:
        yield proxy


@pytest.fixture
def platform(tmp_path: Path, proxy: FaultyProxy) -> Connected:
    platform = Connected(tmp_path, CREDENTIALS)
    platform.configure(
        f'[sources.aws-main]\nkind = "aws_export"\nbucket = "{BUCKET}"\nprefix = "{EXPORT}"\n'
        f'region = "{REGION}"\nendpoint_url = "{proxy.url}"\n'
    )
    return platform


def bill(month: str, *amounts: str) -> bytes:
    return text(*(in_month(month, amount) for amount in amounts)).encode()


def error(code: str, message: str = "") -> str:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"


def test_an_export_is_watched_restated_and_never_doubled(platform: Connected, bucket: Bucket) -> None:
    bucket.deliver("2026-01", "run-1", bill("2026-01", "1.000000000000000001", "2.5"), bill("2026-01", "-3"))
    bucket.deliver("2026-02", "run-2", bill("2026-02", "7.25"))
    bucket.put(
        f"{EXPORT}/data/BILLING_PERIOD=2026-02/left-behind.csv.gz", gzip.compress(bill("2026-02", "99"))
    )
    first = platform.tick(SENSOR)
    assert [(r["finops/source"], r["dagster/asset_partition_range_end"]) for r in first] == [
        ("aws-main", "2026-02|aws-main")
    ]
    assert platform.tick(SENSOR) == first, "the same run key: Dagster starts it once"
    platform.ingest()
    whole = {"2026-01": Decimal("0.500000000000000001"), "2026-02": Decimal("7.25")}
    assert platform.billed() == whole
    assert platform.tick(SENSOR) == []

    bucket.deliver("2026-02", "run-3", bill("2026-02", "8"))
    assert platform.asked_months(SENSOR) == [("2026-02|aws-main", "2026-02|aws-main")]
    platform.ingest()
    assert platform.billed() == {**whole, "2026-02": Decimal(8)}
    assert platform.tick(SENSOR) == []
    # The month once more under another execution's id, to the byte: nothing lands twice.
    bucket.deliver("2026-02", "run-4", bill("2026-02", "8"))
    platform.ingest()
    assert platform.billed() == {**whole, "2026-02": Decimal(8)}


def test_versions_of_a_month_are_read_newest_only(
    platform: Connected, bucket: Bucket, proxy: FaultyProxy
) -> None:
    for execution, amount in (("20260201T01-a", "1"), ("20260202T01-b", "2"), ("20260203T01-c", "3")):
        bucket.deliver("2026-01", execution, bill("2026-01", amount), versioned=True)
    platform.ingest()
    assert platform.billed() == {"2026-01": Decimal(3)}
    assert [status for _, status, _ in platform.bills()] == ["superseded", "superseded", "accepted"]
    fetched = [r for r in proxy.seen if r.startswith("GET") and "/data/" in r]
    assert len(fetched) == 1


def test_a_shaky_line_and_a_busy_s3_lose_and_double_nothing(
    platform: Connected, bucket: Bucket, proxy: FaultyProxy
) -> None:
    content = bill("2026-01", *(f"0.{n:06d}" for n in range(1, 5000)))
    bucket.deliver("2026-01", "run-1", content)
    proxy.faults = [
        Fault(of=r"GET .*list-type=2", times=2, status=503, body=error("SlowDown")),
        Fault(of=r"GET .*main-00000", cut_after=9_000),
        Fault(of=r"GET .*main-00000", times=2, status=503, body=error("InternalError")),
        Fault(of=r"GET .*main-00000", cut_after=3_000),
    ]
    platform.ingest()
    assert [fault.times for fault in proxy.faults] == [0, 0, 0, 0], "every fault happened"
    assert platform.billed() == {"2026-01": sum((Decimal(n) for n in range(1, 5000)), Decimal()) / 1_000_000}


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("ExpiredToken", 400, "the AWS credentials have expired; renew them with `aws sso login`"),
        ("RequestTimeTooSkewed", 403, "this machine's clock differs from AWS's; synchronize it"),
        ("AccessDenied", 403, "not allowed to list s3://billing/exports/main/"),
    ],
)
def test_a_refused_refresh_says_what_to_do_and_keeps_what_was_there(
    platform: Connected, bucket: Bucket, proxy: FaultyProxy, code: str, status: int, said: str
) -> None:
    bucket.deliver("2026-01", "run-1", bill("2026-01", "5"))
    platform.ingest()
    bucket.deliver("2026-01", "run-2", bill("2026-01", "6"))
    proxy.faults = [Fault(of=r"list-type=2", times=99, status=status, body=error(code, "no"))]
    done = platform.finops("ingest")
    assert done.returncode == 1
    assert said in " ".join(done.stderr.split())
    assert platform.billed() == {"2026-01": Decimal(5)}
    checked = platform.finops("sources", "check")
    assert checked.returncode == 1
    assert ('"s3:ListBucket"' in checked.stdout) == (code == "AccessDenied")
    proxy.faults = []
    platform.ingest()
    assert platform.billed() == {"2026-01": Decimal(6)}, "and goes on by itself afterwards"


def test_bad_deliveries_are_held_back_and_the_others_land(platform: Connected, bucket: Bucket) -> None:
    bucket.deliver("2026-01", "run-1", bill("2026-01", "5"))
    (gone,) = bucket.deliver("2026-02", "run-2", bill("2026-02", "6"))
    bucket.s3.delete_object(Bucket=BUCKET, Key=gone)
    bucket.deliver("2026-03", "run-3", bill("2026-01", "7"))
    bucket.deliver("2026-04", "run-4", bill("2026-04"))
    (cut,) = bucket.deliver("2026-05", "run-5", bill("2026-05", "8"))
    bucket.put(cut, gzip.compress(bill("2026-05", "8"))[:-9])
    bucket.manifest("2026-05", "run-5", [cut])
    platform.ingest()
    assert platform.billed() == {"2026-01": Decimal(5)}
    problems = {month: (status, problem) for month, status, problem in platform.bills()}
    assert {m: status for m, (status, _) in problems.items()} == {
        "2026-01": "accepted",
        "2026-02": "quarantined",
        "2026-03": "quarantined",
        "2026-04": "accepted",
        "2026-05": "quarantined",
    }
    assert f"expected the file s3://{BUCKET}/{gone}, found none below" in problems["2026-02"][1]
    assert "expected the billing month 2026-03, found 2026-01" in problems["2026-03"][1]
    assert "expected a complete gzip file" in problems["2026-05"][1]
    assert platform.tick(SENSOR) == [], "a bad delivery is not asked for again until it changes"
    bucket.deliver("2026-02", "run-6", bill("2026-02", "6"))
    assert platform.asked_months(SENSOR) == [("2026-02|aws-main", "2026-02|aws-main")]
