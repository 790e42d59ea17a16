"""The commands of the lock: API keys, and the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from finops_assets.cli_errors import console, plain_errors
from finops_assets.settings import current_settings

keys_app = typer.Typer(help="API keys: who may ask the API, for what, and until when.", no_args_is_help=True)


@keys_app.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What it is for: it stands in the audit log.")],
    role: Annotated[str, typer.Option(help="viewer, analyst or admin.")] = "viewer",
    source: Annotated[list[str] | None, typer.Option(help="A source that it may see, repeated.")] = None,
    account: Annotated[
        list[str] | None, typer.Option(help="A SubAccountId or BillingAccountId, repeated.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="key=value of one of tag_keys, repeated.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires; never by default.")] = None,
) -> None:
    """Make a key and show it, once. Sources, accounts and tags must all hold; without them it sees all."""
    from finops_assets.running.keys import create_and_show

    with plain_errors():
        create_and_show(current_settings(), console, name, role, source, account, tag, days)


@keys_app.command("list")
def list_keys() -> None:
    """Show every key: its role, what it may see, until when, and when it was last used."""
    from finops_assets.running.keys import print_keys

    with plain_errors():
        print_keys(current_settings(), console)


@keys_app.command("revoke")
def revoke_key(key: Annotated[str, typer.Argument(help="A name or an id.")]) -> None:
    """End a key at once."""
    from finops_assets.running.keys import revoke_and_say

    with plain_errors():
        revoke_and_say(current_settings(), console, key)


@keys_app.command("rotate")
def rotate_key(
    key: Annotated[str, typer.Argument(help="A name or an id.")],
    keep: Annotated[int, typer.Option(min=0, help="Hours that the old one stays good.")] = 24,
    days: Annotated[
        int | None, typer.Option(min=1, help="Days until it expires; by default as many as the old one had.")
    ] = None,
) -> None:
    """Make a new key like this one and show it, once; the old one ends a little later."""
    from finops_assets.running.keys import rotate_and_show

    with plain_errors():
        rotate_and_show(current_settings(), console, key, keep, days)


def audit(
    principal: Annotated[str | None, typer.Option(help="One key's name, or a person.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="From this day on.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest.")] = 50,
) -> None:
    """Show who saw and changed what, where the lock is on."""
    from finops_assets.running.audit import print_audit

    with plain_errors():
        print_audit(current_settings(), console, principal, since, limit)
