"""How we come to AWS: boto3's own chain of credentials, an assumed role on top, and errors explained."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

from finops_assets.sources.base import AccessError, SourceError, TransientError

_GLOBAL_REGION = "us-east-1"
"""Where calls go when neither finops.toml nor the profile names a region; Cost Explorer is only there."""

_NO_CREDENTIALS = (
    CredentialRetrievalError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
_BROKEN_CONNECTION = (BotoConnectionError, HTTPClientError, IncompleteReadError)

# Codes by the services' "Common errors" pages and S3's "List of error codes".
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
_UNKNOWN_KEY = frozenset(
    {
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_CLOCK = frozenset({"RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"})
_CLOCK_TEXT = re.compile(r"signature (expired|not yet current)", re.IGNORECASE)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_BUSY = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "LimitExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_KEY_DENIED = re.compile(r"not authorized to perform: (kms:\w+) on (?:the )?resource:? (arn:\S+)")


@dataclass(frozen=True)
class AwsAccess:
    """Who we are to AWS. Without a profile boto3 looks where it always does (environment, IRSA, instance).

    With `role_arn` those credentials only assume that role, anew whenever it is about to run out.
    `endpoint_url` points every service at one address (S3-compatible storage).
    """

    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    region: str | None = None
    endpoint_url: str | None = None

    def client(self, service: str) -> Any:
        """boto3's client, one a process; safe for threads. Raise it within `explained`."""
        return _client(self, service)

    @property
    def partition(self) -> str:
        """The first part of ARNs: 'aws' but for China and GovCloud."""
        for start, partition in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")):
            if (self.region or "").startswith(start):
                return partition
        return "aws"


def statement(action: str, resource: str, condition: dict[str, Any] | None = None) -> dict[str, Any]:
    """One statement of an IAM policy that allows `action` on `resource`."""
    allowed: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**allowed, "Condition": condition} if condition else allowed


def policy(statements: Sequence[dict[str, Any]]) -> str:
    """The statements as a policy holds them: JSON, one alone or a list."""
    return json.dumps(statements[0] if len(statements) == 1 else list(statements), indent=2)


@contextmanager
def explained(access: AwsAccess, what: str, grant: str) -> Iterator[None]:
    """Turn botocore's errors into ours while we try `what` ('list s3://bills/').

    Raises AccessError (with `grant`, or what lacks for the role or the key), TransientError (busy service,
    broken connection; botocore has retried) or another SourceError that says what to do.
    """
    try:
        yield
    except ClientError as error:
        raise _from_answer(error, access, what, grant) from error
    except _NO_CREDENTIALS as error:
        raise SourceError(f"cannot {what}: no valid AWS credentials ({error}); {_renewal(access)}") from error
    except _BROKEN_CONNECTION as error:
        raise TransientError(f"cannot {what} now: the connection failed ({error})") from error
    except BotoCoreError as error:
        raise SourceError(f"cannot {what}: {error}") from error


def error_code(error: ClientError) -> str:
    """AWS's code of an error; for answers without a body (HEAD) the HTTP status."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_status(error: ClientError) -> int:
    """The HTTP status of an error answer."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _from_answer(error: ClientError, access: AwsAccess, what: str, grant: str) -> SourceError:
    code, status = error_code(error), error_status(error)
    message = str(error.response.get("Error", {}).get("Message", ""))
    said = f"AWS says {code}: {message}"
    if problem := _credentials_problem(code, message, access):
        return SourceError(f"cannot {what}: {problem}. {said}")
    if code in _DENIED or status == 403:
        return AccessError(f"not allowed to {what}. {said}", _lacking(error, access, message, grant))
    if code in _BUSY or status == 429 or status >= 500:
        return TransientError(f"cannot {what} now. {said}")
    if code == "NoSuchBucket":
        return SourceError(f"cannot {what}: the bucket does not exist; mend its name in finops.toml")
    return SourceError(f"cannot {what}. {said}")


def _credentials_problem(code: str, message: str, access: AwsAccess) -> str | None:
    if code in _EXPIRED:
        return f"the AWS credentials have expired; {_renewal(access)}"
    if code in _CLOCK or (code in _UNKNOWN_KEY and _CLOCK_TEXT.search(message)):
        return "this machine's clock differs from AWS's; synchronize it with a time server (NTP)"
    if code in _UNKNOWN_KEY:
        return f"AWS does not know the credentials; {_renewal(access)}"
    return None


def _lacking(error: ClientError, access: AwsAccess, message: str, grant: str) -> str:
    """The statement that would let us in: to assume the role, to use an object's key, or `grant`."""
    if error.operation_name == "AssumeRole" and access.role_arn:
        return policy([statement("sts:AssumeRole", access.role_arn)])
    if found := _KEY_DENIED.search(message):
        return policy([statement(found[1], found[2])])
    return grant


def _renewal(access: AwsAccess) -> str:
    profile = f" --profile {access.profile}" if access.profile else ""
    return (
        f"renew them with `aws sso login{profile}`, or give the source another profile, "
        "or the process credentials by environment"
    )


@lru_cache(maxsize=64)
def _client(access: AwsAccess, service: str) -> Any:
    session = _session(access)
    return session.client(service, **_connection(access, session.region_name))


@lru_cache(maxsize=16)
def _session(access: AwsAccess) -> boto3.Session:
    own = boto3.Session(profile_name=access.profile, region_name=access.region)
    if access.role_arn is None:
        return own
    assuming = botocore.session.Session(profile=access.profile)
    assuming.register_component("credential_provider", CredentialResolver([_AssumedRole(access, own)]))
    return boto3.Session(botocore_session=assuming, region_name=own.region_name)


def _connection(access: AwsAccess, region: str | None) -> dict[str, Any]:
    # A bucket's name cannot go before the host of an address that we were given.
    style = {"addressing_style": "path"} if access.endpoint_url else {}
    return {
        "region_name": region or _GLOBAL_REGION,
        "endpoint_url": access.endpoint_url,
        "config": Config(
            connect_timeout=10,
            read_timeout=60,
            retries={"mode": "standard", "max_attempts": 5},
            max_pool_connections=16,
            s3=style,
        ),
    }


class _AssumedRole(CredentialProvider):  # type: ignore[misc]
    """Gives botocore the role's credentials, fetched when first needed and again before they run out."""

    METHOD = "finops-assume-role"

    def __init__(self, access: AwsAccess, own: boto3.Session) -> None:
        super().__init__()
        self.access, self.own = access, own

    def load(self) -> DeferredRefreshableCredentials:
        source = self.own.get_credentials()
        if source is None:
            raise NoCredentialsError
        extra = {"RoleSessionName": "finops-platform"}
        if self.access.external_id:
            extra["ExternalId"] = self.access.external_id
        create = botocore.session.Session(profile=self.access.profile).create_client
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=partial(create, **_connection(self.access, self.own.region_name)),
            source_credentials=source,
            role_arn=self.access.role_arn,
            extra_args=extra,
        )
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, self.METHOD)
