"""How we come to Azure: the identity's own chain of credentials, and errors explained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

from finops_assets.sources.base import AccessError, SourceError, TransientError

_EXPIRED = frozenset({"AuthenticationFailed", "ExpiredAuthenticationToken", "InvalidAuthenticationToken"})
_DENIED = frozenset(
    {
        "AuthorizationFailed",
        "AuthorizationFailure",
        "AuthorizationPermissionMismatch",
        "InsufficientAccountPermissions",
        # Cost Management says 401 with it, not 403 (Azure/azqr, issue 277).
        "RBACAccessDenied",
    }
)
_BROKEN_CONNECTION = (IncompleteReadError, ServiceRequestError, ServiceResponseError)


@contextmanager
def explained(what: str, grant: str) -> Iterator[None]:
    """Turn azure-core's errors into ours while we try `what` ('list https://…/exports/').

    Raises AccessError (with `grant`), TransientError (busy service, broken connection; the SDK has
    retried) or another SourceError that says what to do.
    """
    try:
        yield
    except _BROKEN_CONNECTION as error:
        raise TransientError(f"cannot {what} now: the connection failed ({error})") from error
    except HttpResponseError as error:
        raise _from_answer(error, what, grant) from error
    except AzureError as error:
        raise SourceError(f"cannot {what}: {error}") from error


def error_code(error: HttpResponseError) -> str:
    """Azure's code of an error: the storage service's header, or the resource manager's body."""
    code = getattr(error, "error_code", None) or getattr(error.error, "code", None) or ""
    return str(getattr(code, "value", code))


def _from_answer(error: HttpResponseError, what: str, grant: str) -> SourceError:
    code, status = error_code(error), error.status_code or 0
    said = f"Azure says {status} {code}: {(error.message or '').splitlines()[0]}"
    if code in _DENIED or (status == 403 and code not in _EXPIRED):
        return AccessError(f"not allowed to {what}. {said}", grant)
    if code in _EXPIRED or status == 401 or isinstance(error, ClientAuthenticationError):
        return SourceError(
            f"cannot {what}: no valid Azure credentials, or they have expired; renew them with `az login`, "
            "assign the process an identity, or, where its clock differs from Azure's, synchronize it with "
            f"a time server (NTP). {said}"
        )
    if status == 429 or status >= 500 or not status:  # no status: the body was cut
        return TransientError(f"cannot {what} now. {said}")
    if code == "ContainerNotFound":
        return SourceError(f"cannot {what}: the container does not exist; mend its name in finops.toml")
    return SourceError(f"cannot {what}. {said}")
