"""Sending a message through apprise, and saying why it failed without telling a secret."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from urllib.parse import unquote, urlsplit

from apprise import Apprise, NotifyFormat

from finops_assets.alert_settings import Channel, ChannelError

_LOGGER = logging.getLogger("apprise")
_BELOW = logging.getLogger("urllib3.connectionpool")
"""Names the paths that it asks for, which are many a webhook's token."""
_ONE_AT_A_TIME = Lock()
_TOLD = ("Socket Exception", "Response Details")
"""How apprise's debug lines begin that say why; the others repeat payloads and addresses."""

_LONGEST = 500


def send(channel: Channel, title: str, text: str) -> str:
    """Send one message; '' when it was taken, else why not, in words that hold no part of the address."""
    try:
        address = channel.address().get_secret_value()
    except ChannelError as error:
        return str(error)
    with _ONE_AT_A_TIME, _listening() as heard:
        apprise = Apprise()
        if not apprise.add(address):
            return (
                "expected an address that apprise knows, such as mailto://, slack://, json://; found another"
            )
        # apprise says True, False, or None where it had nobody to tell.
        if apprise.notify(body=text, title=title, body_format=NotifyFormat.TEXT):
            return ""
    return without_secrets(" ".join(heard), address)[:_LONGEST] or "the service did not take the message"


def without_secrets(text: str, address: str) -> str:
    """`text` with every part of the address (users, passwords, tokens, hosts, paths) as ***.

    For many services the host's place holds a token, so nothing of an address but its scheme is shown.
    """
    parts = urlsplit(address)
    rest = address.removeprefix(f"{parts.scheme}://")
    pieces = {rest, *re.split(r"[/:@?&=#,;]+", rest)}
    hidden = {p for piece in pieces for p in (piece, unquote(piece))} - {""}
    for piece in sorted(hidden, key=len, reverse=True):
        # A short piece counts only as a word of its own, or it would blot out every other word.
        pattern = re.escape(piece) if len(piece) > 3 else rf"(?<!\w){re.escape(piece)}(?!\w)"
        text = re.sub(pattern, "***", text, flags=re.IGNORECASE)
    return text


@contextmanager
def _listening() -> Iterator[list[str]]:
    """What apprise says while it sends. It goes nowhere else: its lines may hold addresses."""
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            line = " ".join(record.getMessage().split())
            if record.levelno >= logging.WARNING or line.startswith(_TOLD):
                heard.append(line)

    ear, level, propagates = Ear(), _LOGGER.level, _LOGGER.propagate
    below = _BELOW.level
    _LOGGER.addHandler(ear)
    _LOGGER.setLevel(logging.DEBUG)
    _LOGGER.propagate = False
    _BELOW.setLevel(logging.CRITICAL)
    try:
        yield heard
    finally:
        _LOGGER.removeHandler(ear)
        _LOGGER.setLevel(level)
        _LOGGER.propagate = propagates
        _BELOW.setLevel(below)
