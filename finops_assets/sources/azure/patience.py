"""Waiting for Azure: again after a busy answer, as long as it asks for, but not without end."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar, cast

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.rest import HttpResponse

TRIES = 6
LONGEST = 600.0
"""Seconds that one call waits at most, all its tries together."""

_FIRST_PAUSE = 2.0
_LONGEST_PAUSE = 60.0
_QUOTA = re.compile(r"x-ms-ratelimit-microsoft\.[\w.-]+-retry-after", re.IGNORECASE)
"""One header for each quota: entity, tenant, clienttype, qpu (Microsoft Learn, "Manage costs with
automation"); the next call goes through when the longest of them is over."""

_Answer = TypeVar("_Answer")


class Patience:
    """Repeats calls that failed for a while only. `waited` are the seconds so far."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self.waited = 0.0
        self._sleep = sleep

    def until_through(self, call: Callable[[], _Answer]) -> _Answer:
        """What `call` gives; raises its last AzureError when patience ends or another try is no use."""
        left = LONGEST
        for again in range(1, TRIES + 1):
            try:
                return call()
            except AzureError as error:
                pause = _pause(error, again)
                if pause is None or pause > left or again == TRIES:
                    raise
            self._sleep(pause)
            self.waited += pause
            left -= pause
        raise AssertionError("the last try returns or raises")


def _pause(error: AzureError, again: int) -> float | None:
    """Seconds to wait before the next try; None where it would be no use."""
    jitter = random.uniform(0.5, 1.0)  # noqa: S311 - spreads calls, hides nothing
    backoff = min(_FIRST_PAUSE * 2.0 ** (again - 1), _LONGEST_PAUSE) * jitter
    if isinstance(error, (IncompleteReadError, ServiceRequestError, ServiceResponseError)):
        return backoff
    if not isinstance(error, HttpResponseError) or error.response is None:
        return None
    status = error.status_code or 0
    if status != 429 and status < 500:
        return None
    asked = asked_to_wait(cast(HttpResponse, error.response).headers)
    return backoff if asked is None else asked + jitter


def asked_to_wait(headers: Mapping[str, str]) -> float | None:
    """The longest wait that an answer asks for, in seconds; None where it asks for none."""
    waits = [
        wait
        for name, value in headers.items()
        if name.lower() == "retry-after" or _QUOTA.fullmatch(name)
        if (wait := _seconds(value)) is not None
    ]
    return max(waits, default=None)


def _seconds(value: str) -> float | None:
    """A delay in seconds, or the seconds until an HTTP date (RFC 9110, 10.2.3)."""
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)
