"""How we come to Google Cloud: Application Default Credentials, and errors explained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from google.api_core.exceptions import (
    Forbidden,
    GoogleAPICallError,
    NotFound,
    RetryError,
    ServerError,
    TooManyRequests,
    Unauthorized,
)
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError, TransportError

from finops_assets.sources.base import AccessError, SourceError, TransientError

_RENEWAL = (
    "renew them with `gcloud auth application-default login`, or give the process a service account "
    "(workload identity); where its clock differs from Google's, synchronize it with a time server (NTP)"
)


def credentials(endpoint: str | None) -> dict[str, Any]:
    """What a client takes to know who we are: nothing of ours goes over plain http to an emulator."""
    if endpoint is not None and endpoint.startswith("http://"):
        return {"credentials": AnonymousCredentials(), "project": "emulated"}  # type: ignore[no-untyped-call]
    return {}


@contextmanager
def explained(what: str, grant: str) -> Iterator[None]:
    """Turn Google's errors into ours while we try `what` ('list gs://bills/').

    Raises AccessError (with `grant`), TransientError (busy service, broken connection; the SDK has
    retried) or another SourceError that says what to do.
    """
    try:
        yield
    except Forbidden as error:
        if "quota" in str(error).lower() or "rateLimitExceeded" in str(error):
            raise TransientError(f"cannot {what} now: {error.message}") from error
        raise AccessError(f"not allowed to {what}. Google says: {error.message}", grant) from error
    except Unauthorized as error:
        raise SourceError(f"cannot {what}: Google does not take the credentials; {_RENEWAL}") from error
    except NotFound as error:
        raise SourceError(f"cannot {what}: it does not exist; mend its name in finops.toml") from error
    except (ServerError, TooManyRequests, RetryError, TransportError) as error:
        raise TransientError(f"cannot {what} now: {error}") from error
    except GoogleAuthError as error:
        raise SourceError(f"cannot {what}: no valid Google credentials ({error}); {_RENEWAL}") from error
    except GoogleAPICallError as error:
        raise SourceError(f"cannot {what}: {error}") from error
    except requests.RequestException as error:
        raise TransientError(f"cannot {what} now: the connection failed ({error})") from error
