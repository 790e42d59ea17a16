"""API keys: made, listed, revoked, rotated, and looked up. A key is shown once and kept as a hash.

A key is `finops_<id>_<secret>`. The secret has 256 random bits, so a plain SHA-256 cannot be guessed back;
slow hashes such as bcrypt are for passwords, which can, and would cost a tenth of a second a request.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from finops_assets.access.principal import Principal, UnknownPrincipalError
from finops_assets.access.roles import Role
from finops_assets.access.scope import Scope
from finops_assets.access.store import connect, opened

PREFIX = "finops_"
"""What every key begins with, so that scanners of leaked secrets find it."""

_USED_EVERY = timedelta(minutes=1)
"""How exactly the last use is kept: a write a request would cost more than the request."""


class KeyNameError(LookupError):
    """No key is called that, or one already is; the text says which."""


@dataclass(frozen=True)
class ApiKey:
    """A key as it is kept; times are UTC."""

    key_id: str
    hash: bytes
    name: str
    role: Role
    scope: Scope
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def state(self, now: datetime) -> str:
        """active, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


def create(
    store: Path, name: str, role: Role, scope: Scope, *, expires_at: datetime | None, now: datetime
) -> str:
    """Make a key; its text, which is kept nowhere. Raises KeyNameError where an active key has the name."""
    with opened(store) as connection:
        if any(key.name == name and key.state(now) == "active" for key in _read(connection)):
            raise KeyNameError(f"A key {name!r} is active: rotate or revoke it, or choose another name.")
        return _insert(connection, name, role, scope, expires_at, now)


def listed(store: Path) -> list[ApiKey]:
    """Every key there ever was, the oldest first."""
    if not store.is_file():
        return []
    with opened(store) as connection:
        return _read(connection)


def revoke(store: Path, named: str, now: datetime) -> list[ApiKey]:
    """End the active keys of a name, or the one of an id, at once. Raises KeyNameError."""
    with opened(store) as connection:
        found = _active(connection, named, now)
        for key in found:
            connection.execute(
                "UPDATE keys SET revoked_at = ? WHERE key_id = ?", (now.isoformat(), key.key_id)
            )
    return found


def rotate(store: Path, named: str, *, keep: timedelta, expires_at: datetime | None, now: datetime) -> str:
    """A new key like an active one, which ends after `keep`; the new one's text.

    Without `expires_at` it lives as long as the old one was made for. Raises KeyNameError.
    """
    with opened(store) as connection:
        found = _active(connection, named, now)
        old = max(found, key=lambda key: key.created_at)
        if expires_at is None and old.expires_at is not None:
            expires_at = now + (old.expires_at - old.created_at)
        for key in found:
            ends = now + keep if key.expires_at is None else min(key.expires_at, now + keep)
            connection.execute(
                "UPDATE keys SET expires_at = ? WHERE key_id = ?", (ends.isoformat(), key.key_id)
            )
        return _insert(connection, old.name, old.role, old.scope, expires_at, now)


class KeyRing:
    """The keys as a server looks them up: in memory, read again when any process has written to the store."""

    def __init__(self, store: Path) -> None:
        self._lock = threading.Lock()
        self._connection = connect(store)
        self._seen = -1
        self._keys: dict[str, ApiKey] = {}
        self._used: dict[str, datetime] = {}

    def close(self) -> None:
        """Close the store."""
        self._connection.close()

    def principal(self, text: str) -> Principal:
        """Whose key this is. Raises UnknownPrincipalError, whose text tells no more than it must."""
        key_id, _, secret = text.removeprefix(PREFIX).partition("_")
        now = datetime.now(UTC)
        with self._lock:
            self._refresh()
            key = self._keys.get(key_id)
            # An unknown id takes the same way as a wrong secret.
            is_right = hmac.compare_digest(_hash(secret), key.hash if key is not None else _hash(""))
            if key is None or not is_right or key.state(now) != "active":
                raise UnknownPrincipalError("The API key is unknown, expired or revoked.")
            if now - self._used.get(key_id, datetime.min.replace(tzinfo=UTC)) > _USED_EVERY:
                with self._connection:
                    self._connection.execute(
                        "UPDATE keys SET last_used_at = ? WHERE key_id = ?", (now.isoformat(), key_id)
                    )
                self._used[key_id] = now
        return Principal(key.name, key.role, key.scope, "key")

    def _refresh(self) -> None:
        # Changes with every commit of another connection to this file.
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._seen:
            self._keys = {key.key_id: key for key in _read(self._connection)}
            self._seen = version


def _insert(
    connection: sqlite3.Connection,
    name: str,
    role: Role,
    scope: Scope,
    expires_at: datetime | None,
    now: datetime,
) -> str:
    key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
    connection.execute(
        "INSERT INTO keys (key_id, hash, name, role, scope, created_at, expires_at) VALUES (?,?,?,?,?,?,?)",
        (key_id, _hash(secret), name, role, scope.to_json(), now.isoformat(), _text(expires_at)),
    )
    return f"{PREFIX}{key_id}_{secret}"


def _active(connection: sqlite3.Connection, named: str, now: datetime) -> list[ApiKey]:
    found = [k for k in _read(connection) if named in {k.key_id, k.name} and k.state(now) == "active"]
    if not found:
        raise KeyNameError(f"No active key has the name or id {named!r}; `finops keys list` shows them.")
    return found


def _read(connection: sqlite3.Connection) -> list[ApiKey]:
    rows = connection.execute(
        "SELECT key_id, hash, name, role, scope, created_at, expires_at, revoked_at, last_used_at FROM keys "
        "ORDER BY created_at, rowid"
    ).fetchall()
    return [_key(row) for row in rows]


def _key(row: tuple[Any, ...]) -> ApiKey:
    key_id, digest, name, role, scope, created_at, *ends = row
    created, (expires, revoked, used) = datetime.fromisoformat(created_at), map(_time, ends)
    return ApiKey(key_id, digest, name, role, Scope.from_json(scope), created, expires, revoked, used)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
