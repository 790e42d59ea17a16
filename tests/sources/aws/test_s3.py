"""An S3 bucket as a store, against a real moto server; errors as AWS's own documentation codes them."""

from __future__ import annotations

import hashlib
import http.client
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    IncompleteReadError,
    NoCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
    UnauthorizedSSOTokenError,
)

from finops_assets.sources.aws.access import AwsAccess, explained
from finops_assets.sources.aws.s3 import S3Store
from finops_assets.sources.base import (
    AccessError,
    ChangedWhileReadError,
    DeliveryError,
    Silence,
    SourceError,
    TransientError,
)
from finops_assets.sources.store import StoredObject
from finops_assets.sources.transfer import download
from tests.services.moto import ACCOUNT, Moto

BUCKET = "finops-bills"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/poor"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "ours"}},
        }
    ],
}


@pytest.fixture
def store(moto: Moto) -> S3Store:
    moto.owner("s3").create_bucket(Bucket=BUCKET)
    return S3Store(moto.access(), BUCKET, "exports/cur")


def put(moto: Moto, key: str, body: bytes, **more: str) -> None:
    moto.owner("s3").put_object(Bucket=BUCKET, Key=key, Body=body, **more)


def only(store: S3Store) -> StoredObject:
    (listed,) = store.objects()
    return listed


def put_quickly(moto: Moto, keys: Sequence[str]) -> None:
    """Unsigned requests over one connection: ten thousand signatures would take longer than the test."""
    address = urlsplit(moto.url)
    assert address.hostname is not None
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    scope = "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request"
    for key in keys:
        connection.request("PUT", f"/{BUCKET}/{key}", body=b"x", headers={"Authorization": scope})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
    connection.close()


def test_ten_thousand_objects_are_listed_to_the_last(moto: Moto, store: S3Store) -> None:
    names = [f"BILLING_PERIOD=2026-{i % 12 + 1:02}/part-{i:05}.parquet" for i in range(10_000)]
    keys = [f"exports/cur/{name}" for name in names]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: put_quickly(moto, keys[n::4]), range(4)))
    put(moto, "exports/cur-other/not-ours.parquet", b"x")
    put(moto, "exports/cur/BILLING_PERIOD=2026-01/", b"")
    assert [o.name for o in store.objects()] == sorted(names)


def test_an_object_is_listed_with_its_size_version_and_time(moto: Moto, store: S3Store) -> None:
    put(moto, "exports/cur/a b/ü+1.csv", b"four")
    listed = only(store)
    assert (listed.name, listed.bytes) == ("a b/ü+1.csv", 4)
    assert listed.version == hashlib.md5(b"four").hexdigest()
    assert abs((datetime.now(UTC) - listed.modified).total_seconds()) < 3600
    assert store.read("a b/ü+1.csv") == b"four"


@pytest.mark.parametrize(
    ("prefix", "address"),
    [("", "s3://finops-bills/"), ("/", "s3://finops-bills/"), ("/a/b/", "s3://finops-bills/a/b/")],
)
def test_the_prefix_ends_with_a_slash_unless_empty(prefix: str, address: str) -> None:
    assert S3Store(AwsAccess(), BUCKET, prefix).address == address


def test_bytes_come_from_any_offset_in_bounded_chunks(moto: Moto, store: S3Store) -> None:
    body = bytes(range(256)) * 40_000
    put(moto, "exports/cur/big.csv", body)
    listed = only(store)
    for offset in (0, 1, 5_000_000, len(body) - 1, len(body)):
        with store.stream(listed, offset) as chunks:
            pieces = list(chunks)
        assert b"".join(pieces) == body[offset:]
        assert all(len(piece) <= 4 * 1024 * 1024 for piece in pieces)


def test_an_empty_object_can_be_read(moto: Moto, store: S3Store) -> None:
    put(moto, "exports/cur/empty.csv", b"")
    with store.stream(only(store), 0) as chunks:
        assert b"".join(chunks) == b""


def test_an_object_is_copied_and_held_to_its_md5(moto: Moto, store: S3Store, tmp_path: Path) -> None:
    put(moto, "exports/cur/bill.csv", b"bill")
    copied = download(store, only(store), tmp_path / "bill.csv", Silence())
    assert copied.path.read_bytes() == b"bill"
    assert copied.sha256 == hashlib.sha256(b"bill").hexdigest()


def test_a_changed_object_is_not_read(moto: Moto, store: S3Store) -> None:
    put(moto, "exports/cur/bill.csv", b"first")
    listed = only(store)
    put(moto, "exports/cur/bill.csv", b"other")
    with pytest.raises(ChangedWhileReadError, match=r"s3://finops-bills/exports/cur/bill\.csv"):
        store.stream(listed, 2).__enter__()
    with pytest.raises(ChangedWhileReadError):
        store.md5(listed)


def test_an_object_that_is_gone_is_a_matter_of_the_delivery(moto: Moto, store: S3Store) -> None:
    put(moto, "exports/cur/bill.csv", b"bill")
    listed = only(store)
    moto.owner("s3").delete_object(Bucket=BUCKET, Key="exports/cur/bill.csv")
    for read in (
        lambda: store.read("bill.csv"),
        lambda: store.stream(listed, 0).__enter__(),
        lambda: store.md5(listed),
    ):
        with pytest.raises(DeliveryError, match="found that it is gone"):
            read()


def test_an_archived_object_says_so(moto: Moto, store: S3Store) -> None:
    put(moto, "exports/cur/bill.csv", b"bill", StorageClass="GLACIER")
    with pytest.raises(DeliveryError, match="archived"):
        store.read("bill.csv")


def test_the_etag_is_an_md5_only_of_plain_objects(moto: Moto, store: S3Store) -> None:
    owner = moto.owner("s3")
    put(moto, "exports/cur/kms.csv", b"kms", ServerSideEncryption="aws:kms")
    put(moto, "exports/cur/plain.csv", b"plain")
    put(moto, "exports/cur/s3-key.csv", b"s3", ServerSideEncryption="AES256")
    part = {"Bucket": BUCKET, "Key": "exports/cur/parts.csv"}
    part["UploadId"] = owner.create_multipart_upload(**part)["UploadId"]
    done = owner.upload_part(**part, PartNumber=1, Body=b"parts")
    owner.complete_multipart_upload(
        **part, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": done["ETag"]}]}
    )
    assert {o.name: store.md5(o) for o in store.objects()} == {
        "kms.csv": None,
        "parts.csv": None,
        "plain.csv": hashlib.md5(b"plain").hexdigest(),
        "s3-key.csv": hashlib.md5(b"s3").hexdigest(),
    }


def test_a_bucket_that_does_not_exist_says_so(moto: Moto) -> None:
    with pytest.raises(SourceError, match="list s3://no-such-bucket/: the bucket does not exist"):
        S3Store(moto.access(), "no-such-bucket").objects()


def test_a_refusal_names_the_statements_that_are_missing(moto: Moto, store: S3Store, poor: str) -> None:
    put(moto, "exports/cur/bill.csv", b"bill")
    refused = S3Store(moto.access(profile=poor), BUCKET, "exports/cur")
    with moto.guarded(), pytest.raises(AccessError, match="not allowed to list s3://") as denied:
        refused.objects()
    granted = json.loads(denied.value.grant)
    assert granted == [
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::finops-bills",
            "Condition": {"StringLike": {"s3:prefix": "exports/cur/*"}},
        },
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::finops-bills/exports/cur/*"},
    ]
    # What we ask for is enough.
    unconditional = [{k: v for k, v in s.items() if k != "Condition"} for s in granted]
    moto.owner("iam").put_user_policy(
        UserName="poor",
        PolicyName="finops",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": unconditional}),
    )
    with moto.guarded():
        assert refused.read(only(refused).name) == b"bill"


def test_a_role_is_assumed_with_its_external_id(moto: Moto, store: S3Store, poor: str) -> None:
    put(moto, "exports/cur/bill.csv", b"bill")
    iam = moto.owner("iam")
    arn = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(
        RoleName="reader",
        PolicyName="finops",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
            }
        ),
    )
    access = moto.access(profile=poor, role_arn=arn, external_id="ours")
    assumer = S3Store(access, BUCKET, "exports/cur")
    with moto.guarded(), pytest.raises(AccessError) as denied:
        assumer.objects()
    assert json.loads(denied.value.grant) == {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": arn}
    iam.put_user_policy(
        UserName="poor",
        PolicyName="assume",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [json.loads(denied.value.grant)]}),
    )
    with moto.guarded():
        assert assumer.read(only(assumer).name) == b"bill"
    stranger = S3Store(moto.access(profile=poor, role_arn=arn, external_id="theirs"), BUCKET)
    with moto.guarded(), pytest.raises(AccessError):
        stranger.objects()
    with explained(access, "ask who we are", ""):
        who = access.client("sts").get_caller_identity()["Arn"]
    assert who == f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/finops-platform"


def test_a_client_is_made_once(moto: Moto) -> None:
    assert moto.access().client("s3") is moto.access().client("s3")


def test_an_unknown_profile_says_how_to_come_in(moto: Moto) -> None:
    with pytest.raises(SourceError, match="aws sso login --profile nobody"):
        S3Store(moto.access(profile="nobody"), BUCKET).objects()


def test_an_unknown_key_is_no_refusal_of_rights(moto: Moto, store: S3Store) -> None:
    stranger = S3Store(moto.access(external_id="not the client of other tests"), BUCKET)
    with moto.guarded(), pytest.raises(SourceError, match="does not know the credentials") as error:
        stranger.objects()
    assert not isinstance(error.value, AccessError)


def answered(code: str, message: str, status: int, operation: str = "GetObject") -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},
        operation,
    )


CLOCK = "The difference between the request time and the server's time is too large."
SKEWED = "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z"
BROKEN: list[tuple[BotoCoreError | ClientError, type[SourceError], str]] = [
    (answered("AccessDenied", "Access Denied", 403), AccessError, "not allowed to read it"),
    (answered("403", "Forbidden", 403, "HeadObject"), AccessError, "not allowed to read it"),
    (answered("AccessDeniedException", "no", 400), AccessError, "not allowed to read it"),
    (answered("ExpiredToken", "The provided token has expired.", 400), SourceError, "--profile finance"),
    (answered("ExpiredTokenException", "expired", 403), SourceError, "aws sso login --profile finance"),
    (answered("RequestTimeTooSkewed", CLOCK, 403), SourceError, "NTP"),
    (answered("SignatureDoesNotMatch", SKEWED, 403), SourceError, "NTP"),
    (answered("SlowDown", "Please reduce your request rate.", 503), TransientError, "SlowDown"),
    (answered("ThrottlingException", "Rate exceeded", 400), TransientError, "Rate exceeded"),
    (answered("LimitExceededException", "Rate exceeded", 400), TransientError, "Rate exceeded"),
    (answered("InternalError", "We encountered an internal error.", 500), TransientError, "internal"),
    (answered("NoSuchBucket", "none", 404), SourceError, "bucket does not exist"),
    (answered("PermanentRedirect", "other endpoint", 301), SourceError, "other endpoint"),
    (NoCredentialsError(), SourceError, "aws sso login --profile finance"),
    (UnauthorizedSSOTokenError(), SourceError, "aws sso login --profile finance"),
    (EndpointConnectionError(endpoint_url="https://s3"), TransientError, "connection failed"),
    (ReadTimeoutError(endpoint_url="https://s3"), TransientError, "connection failed"),
    (ResponseStreamingError(error="reset"), TransientError, "connection failed"),
    (IncompleteReadError(actual_bytes=1, expected_bytes=2), TransientError, "connection failed"),
]


@pytest.mark.parametrize(("error", "kind", "text"), BROKEN)
def test_every_error_says_what_to_do(
    error: BotoCoreError | ClientError, kind: type[SourceError], text: str
) -> None:
    with pytest.raises(SourceError) as found, explained(AwsAccess(profile="finance"), "read it", "the grant"):
        raise error
    assert type(found.value) is kind
    assert text in str(found.value)
    if isinstance(found.value, AccessError):
        assert found.value.grant == "the grant"


def test_a_key_that_we_may_not_use_is_what_the_grant_names() -> None:
    key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd"
    message = (
        f"User: arn:aws:iam::1:user/x is not authorized to perform: kms:Decrypt on resource: {key} because"
    )
    with pytest.raises(AccessError) as denied, explained(AwsAccess(), "read it", "the grant"):
        raise answered("AccessDenied", message, 403)
    assert json.loads(denied.value.grant) == {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key}


class HalfABody(BaseHTTPRequestHandler):
    """Promises ten bytes, sends four, and hangs up."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"half")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.usefixtures("moto")
def test_a_connection_that_breaks_in_the_middle_is_transient() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), HalfABody) as server:
        Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}"
        broken = S3Store(AwsAccess(region="us-east-1", endpoint_url=url), BUCKET)
        listed = StoredObject("bill.csv", 10, "v", datetime.now(UTC))
        try:
            with pytest.raises(TransientError), broken.stream(listed, 0) as chunks:
                list(chunks)
        finally:
            server.shutdown()
