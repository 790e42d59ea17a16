"""An S3 bucket as a store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, FlexibleChecksumError

from finops_assets.sources.aws.access import (
    AwsAccess,
    error_code,
    error_status,
    explained,
    policy,
    statement,
)
from finops_assets.sources.base import ChangedWhileReadError, DeliveryError
from finops_assets.sources.store import StoredObject

_CHUNK = 4 * 1024 * 1024
_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class S3Store:
    """Objects below `prefix` in `bucket`; an empty prefix is the whole bucket. Versions are ETags."""

    access: AwsAccess
    bucket: str
    prefix: str = ""

    def __post_init__(self) -> None:
        bare = self.prefix.strip("/")
        object.__setattr__(self, "prefix", f"{bare}/" if bare else "")

    @property
    def address(self) -> str:
        """The bucket and prefix as the AWS command line writes them."""
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def grant(self) -> str:
        """The IAM statements that let us list and read this prefix, and nothing else."""
        arn = f"arn:{self.access.partition}:s3:::{self.bucket}"
        only = {"StringLike": {"s3:prefix": f"{self.prefix}*"}} if self.prefix else None
        return policy(
            [statement("s3:ListBucket", arn, only), statement("s3:GetObject", f"{arn}/{self.prefix}*")]
        )

    def objects(self) -> list[StoredObject]:
        """All objects but the empty ones that stand for folders."""
        with explained(self.access, f"list {self.address}", self.grant):
            pages = self._client().get_paginator("list_objects_v2")
            found = [
                self._listed(entry)
                for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix)
                for entry in page.get("Contents", ())
                if not entry["Key"].endswith("/")
            ]
        return sorted(found, key=lambda o: o.name)

    def read(self, name: str) -> bytes:
        """A small object whole."""
        with self._reading(name):
            body = self._client().get_object(Bucket=self.bucket, Key=self.prefix + name)["Body"]
            with body:
                return bytes(body.read())

    @contextmanager
    def stream(self, listed: StoredObject, offset: int) -> Iterator[Iterator[bytes]]:
        """The object's bytes from `offset`, on the condition that its ETag is still the listed one."""
        # S3 refuses a range that begins at the end, so an empty object is asked for without one.
        span = {"Range": f"bytes={offset}-"} if offset else {}
        if offset and offset >= listed.bytes:
            yield iter(())
            return
        with self._reading(listed.name):
            body = self._client().get_object(**self._this(listed), **span)["Body"]
        with body:
            yield self._chunks(body, listed.name)

    def md5(self, listed: StoredObject) -> str | None:
        """The ETag where it is the MD5: not of a multipart upload, not of one under a KMS or customer key.

        Source: S3 API reference, "Object", ETag.
        """
        if not _MD5.fullmatch(listed.version):
            return None
        with self._reading(listed.name):
            head = self._client().head_object(**self._this(listed))
        encryption = head.get("ServerSideEncryption", "AES256")
        is_md5 = encryption == "AES256" and "SSECustomerAlgorithm" not in head
        return listed.version if is_md5 else None

    def _client(self) -> Any:
        return self.access.client("s3")

    def _this(self, listed: StoredObject) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.prefix + listed.name, "IfMatch": f'"{listed.version}"'}

    def _listed(self, entry: dict[str, Any]) -> StoredObject:
        return StoredObject(
            name=entry["Key"].removeprefix(self.prefix),
            bytes=entry["Size"],
            version=entry["ETag"].strip('"'),
            modified=entry["LastModified"],
        )

    def _chunks(self, body: Any, name: str) -> Iterator[bytes]:
        with self._reading(name):
            yield from body.iter_chunks(_CHUNK)

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        """What goes wrong with one object; everything else is explained as for the bucket."""
        address = f"{self.address}{name}"
        with explained(self.access, f"read {address}", self.grant):
            try:
                yield
            except ClientError as error:
                status = error_status(error)
                if status == 412:
                    raise ChangedWhileReadError(
                        f"{address}: expected the object as listed, found that another version took its "
                        "place; the next refresh reads it again"
                    ) from error
                if status == 404 and error_code(error) != "NoSuchBucket":
                    raise DeliveryError(
                        f"{address}: expected the delivered file, found that it is gone"
                    ) from error
                if error_code(error) == "InvalidObjectState":
                    raise DeliveryError(
                        f"{address}: expected an object that can be read, found it archived (Glacier); "
                        "restore it, or keep the export's prefix out of the bucket's lifecycle rule"
                    ) from error
                raise
            except FlexibleChecksumError as error:
                raise ChangedWhileReadError(
                    f"{address}: expected the checksum that S3 keeps, found another ({error}); the next "
                    "refresh reads it again"
                ) from error
