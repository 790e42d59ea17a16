"""`finops keys`: make API keys, list, revoke and rotate them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.table import Table

from finops_assets.access import keys
from finops_assets.access.roles import ROLES
from finops_assets.access.scope import Grant, Scope
from finops_assets.settings import ConfigError, Settings


def create_and_show(
    settings: Settings,
    console: Console,
    name: str,
    role: str,
    sources: Sequence[str] | None,
    accounts: Sequence[str] | None,
    tags: Sequence[str] | None,
    days: int | None,
) -> None:
    """Make a key and print it. Raises ConfigError for what it cannot name, KeyNameError."""
    if role not in ROLES:
        raise ConfigError(f"--role: expected {', '.join(ROLES)}, found {role!r}.")
    for source in sources or ():
        if source not in settings.sources:
            raise ConfigError(f"--source: expected one of {', '.join(settings.sources)}, found {source!r}.")
    grant = Grant(
        tuple(sources) if sources else None,
        tuple(accounts) if accounts else None,
        _tags(settings, tags or ()),
    )
    if role == "admin" and not grant.takes_all:
        raise ConfigError(
            "--role admin: an admin sees all, the audit log is of everybody. Leave the scope out."
        )
    now = datetime.now(UTC)
    text = keys.create(
        settings.paths.access, name, role, Scope((grant,)), expires_at=_ends(now, days), now=now
    )
    _show(settings, console, text)


def print_keys(settings: Settings, console: Console) -> None:
    """Every key there ever was."""
    found = keys.listed(settings.paths.access)
    if not found:
        console.print("There is no key yet; `finops keys create NAME` makes one.")
        return
    now = datetime.now(UTC)
    table = Table("Name", "Id", "Role", "Sees", "State", "Made", "Expires", "Last used")
    for key in found:
        state = key.state(now)
        times = (_time(t) for t in (key.created_at, key.expires_at, key.last_used_at))
        table.add_row(key.name, key.key_id, key.role, str(key.scope), state, *times)
    console.print(table)


def revoke_and_say(settings: Settings, console: Console, named: str) -> None:
    """End a key at once. Raises KeyNameError."""
    for key in keys.revoke(settings.paths.access, named, datetime.now(UTC)):
        console.print(f"{key.name} ({key.key_id}) is revoked.")


def rotate_and_show(
    settings: Settings, console: Console, named: str, keep_hours: int, days: int | None
) -> None:
    """Make the key that follows one, and print it. Raises KeyNameError."""
    now = datetime.now(UTC)
    text = keys.rotate(
        settings.paths.access, named, keep=timedelta(hours=keep_hours), expires_at=_ends(now, days), now=now
    )
    _show(settings, console, text)
    console.print(f"The old one ends in {keep_hours} hours." if keep_hours else "The old one has ended.")


def _show(settings: Settings, console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    console.print("Keep it now: it is not shown again. Send it as `Authorization: Bearer <key>`.")
    if not settings.access.api_keys:
        console.print("The API takes keys once [access] api_keys = true stands in finops.toml.", markup=False)


def _tags(settings: Settings, given: Sequence[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: dict[str, list[str]] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or key not in settings.tag_keys:
            raise ConfigError(
                f"--tag: expected key=value with a key of tag_keys ({', '.join(settings.tag_keys)}), "
                f"found {text!r}."
            )
        found.setdefault(key, []).append(value)
    return tuple((key, tuple(values)) for key, values in found.items())


def _ends(now: datetime, days: int | None) -> datetime | None:
    return None if days is None else now + timedelta(days=days)


def _time(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M}"
