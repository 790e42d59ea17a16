"""API keys: shown once, kept as hashes, ended at once."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from finops_assets.access import keys
from finops_assets.access.audit import AuditLog, Entry, entries
from finops_assets.access.keys import KeyNameError, KeyRing
from finops_assets.access.principal import UnknownPrincipalError
from finops_assets.access.scope import WHOLE, Grant, Scope

SCOPE = Scope((Grant(sources=("a",), tags=(("team", ("x", "y")),)), Grant(accounts=("1",))))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "data" / "access.db"


def test_a_key_opens_what_it_was_made_for(store: Path) -> None:
    now = datetime.now(UTC)
    text = keys.create(store, "report", "analyst", SCOPE, expires_at=None, now=now)
    ring = KeyRing(store)
    found = ring.principal(text)
    assert (found.name, found.role, found.scope.key, found.means) == ("report", "analyst", SCOPE.key, "key")
    (kept,) = keys.listed(store)
    assert kept.last_used_at is not None
    assert kept.last_used_at >= now
    for wrong in (text[:-1], text + "0", text.upper(), "finops_", "finops_x_y", f"finops_{kept.key_id}_"):
        with pytest.raises(UnknownPrincipalError, match="unknown, expired or revoked"):
            ring.principal(wrong)
    ring.close()


def test_no_file_holds_a_key(store: Path) -> None:
    text = keys.create(store, "report", "viewer", WHOLE, expires_at=None, now=datetime.now(UTC))
    ring = KeyRing(store)
    ring.principal(text)
    for path in store.parent.iterdir():
        assert text.rpartition("_")[2].encode() not in path.read_bytes(), path
    assert store.stat().st_mode & 0o077 == 0
    ring.close()


def test_a_key_ends_while_the_server_runs(store: Path) -> None:
    now = datetime.now(UTC)
    first = keys.create(store, "first", "viewer", WHOLE, expires_at=None, now=now)
    short = keys.create(store, "short", "viewer", WHOLE, expires_at=now - timedelta(seconds=1), now=now)
    ring = KeyRing(store)
    assert ring.principal(first).name == "first"
    with pytest.raises(UnknownPrincipalError):
        ring.principal(short)
    keys.revoke(store, "first", datetime.now(UTC))
    with pytest.raises(UnknownPrincipalError):
        ring.principal(first)
    later = keys.create(store, "first", "viewer", WHOLE, expires_at=None, now=datetime.now(UTC))
    assert ring.principal(later).name == "first"
    ring.close()


def test_rotation_keeps_the_old_one_for_a_while(store: Path) -> None:
    now = datetime.now(UTC)
    old = keys.create(store, "report", "analyst", SCOPE, expires_at=None, now=now)
    new = keys.rotate(store, "report", keep=timedelta(hours=1), expires_at=None, now=now)
    ring = KeyRing(store)
    assert ring.principal(old) == ring.principal(new)
    newest = keys.rotate(store, "report", keep=timedelta(0), expires_at=None, now=datetime.now(UTC))
    assert ring.principal(newest).scope.key == SCOPE.key
    for ended in (old, new):
        with pytest.raises(UnknownPrincipalError):
            ring.principal(ended)
    assert [k.state(datetime.now(UTC)) for k in keys.listed(store)] == ["expired", "expired", "active"]
    ring.close()


def test_a_rotated_key_lives_as_long_as_the_old_one_was_made_for(store: Path) -> None:
    made = datetime.now(UTC)
    keys.create(store, "report", "viewer", WHOLE, expires_at=made + timedelta(days=90), now=made)
    later = made + timedelta(days=80)
    keys.rotate(store, "report", keep=timedelta(0), expires_at=None, now=later)
    assert keys.listed(store)[-1].expires_at == later + timedelta(days=90)
    chosen = later + timedelta(days=5)
    keys.rotate(store, "report", keep=timedelta(0), expires_at=chosen, now=later + timedelta(days=1))
    assert keys.listed(store)[-1].expires_at == chosen


def test_names_are_of_one_active_key(store: Path) -> None:
    now = datetime.now(UTC)
    keys.create(store, "report", "viewer", WHOLE, expires_at=None, now=now)
    with pytest.raises(KeyNameError, match="rotate or revoke it"):
        keys.create(store, "report", "viewer", WHOLE, expires_at=None, now=now)
    with pytest.raises(KeyNameError, match="'nothing'"):
        keys.revoke(store, "nothing", now)
    with pytest.raises(KeyNameError, match="'nothing'"):
        keys.rotate(store, "nothing", keep=timedelta(0), expires_at=None, now=now)


def test_the_audit_log_is_appended_to_only(store: Path) -> None:
    log = AuditLog(store)
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    written = [
        log.append(
            Entry(
                at + timedelta(days=n), f"p{n % 2}", "key", "viewer", "api", "GET", "/x", "a=1", 200, "r", ""
            )
        )
        for n in range(5)
    ]
    for one in written:
        one.result(timeout=30)
    assert [k.entry.at.day for k in entries(store)] == [4, 3, 2, 1, 31]
    assert [k.entry.principal for k in entries(store, principal="p1")] == ["p1", "p1"]
    assert len(entries(store, since=(at + timedelta(days=3)).date())) == 2
    page = entries(store, limit=2)
    assert [k.number for k in entries(store, before=page[-1].number, limit=2)] == [3, 2]
    log.close()
    with sqlite3.connect(store) as connection:
        for change in ("UPDATE audit SET principal = 'nobody'", "DELETE FROM audit"):
            with pytest.raises(sqlite3.IntegrityError, match="appended to only"):
                connection.execute(change)
    connection.close()


def test_an_entry_that_cannot_be_kept_takes_no_other_with_it(store: Path) -> None:
    log = AuditLog(store)
    good = Entry(datetime.now(UTC), "p", "key", "viewer", "api", "GET", "/x", "", 200, "r", "")
    given = [
        good,
        replace(good, status=2**70),  # more than SQLite's 64 bits
        replace(good, principal="half a pair \ud800"),
        replace(good, status="not a number"),  # type: ignore[arg-type] # what must not be possible
        replace(good, place="/last"),
    ]
    written = [log.append(entry) for entry in given]
    failed = [type(one.exception(timeout=30)) for one in written]
    assert failed == [type(None), OverflowError, type(None), sqlite3.IntegrityError, type(None)]
    log.append(replace(good, place="/later")).result(timeout=30)
    log.close()
    assert [k.entry.place for k in entries(store)] == ["/later", "/last", "/x", "/x"]
    assert [k.entry.principal for k in entries(store)][2] == "half a pair ?"
