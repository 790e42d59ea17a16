"""The record of alerts in a terminal, and a message that tries a channel."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table as RichTable

from finops_assets.alert_settings import Alerts, ChannelError
from finops_assets.decisions.alerts import Alert


def print_alerts(alerts: list[Alert], console: Console, limit: int) -> None:
    """The newest so many, the newest first; what a channel's first run found over is only counted."""
    told = [a for a in alerts if a.status != "seen"]
    if len(told) < len(alerts):
        console.print(f"{len(alerts) - len(told):,} were over when a channel first ran, and were not told.")
    if not told:
        console.print("Nobody has been told anything.")
        return
    table = RichTable(title=f"Alerts, the newest of {len(told):,}")
    for heading in ("Since (UTC)", "Channel", "Mode", "Status", "Tries", "What", "Last error"):
        table.add_column(heading, overflow="fold")
    for alert in reversed(told[-limit:]):
        mark = "[red]" if alert.status in {"failed", "given_up"} else ""
        table.add_row(
            f"{alert.created_at:%Y-%m-%d %H:%M}",
            alert.channel,
            alert.mode,
            f"{mark}{alert.status}",
            str(alert.attempts),
            alert.title.replace("[", r"\["),
            alert.error.replace("[", r"\["),
        )
    console.print(table)


def send_test(settings: Alerts, name: str) -> None:
    """Send a message that says it is a test. Raises ChannelError that says what is wrong, without secrets."""
    from finops_assets.notify.deliver import send

    if name not in settings.channels:
        known = ", ".join(settings.channels) or "none; add [alerts.channels.<name>] to finops.toml"
        raise ChannelError(f"No channel is called {name}; there are {known}.")
    text = f"This is a test of the channel {name}. Alerts of the FinOps platform will look like this.\n"
    error = send(settings.channels[name], "FinOps platform: test", f"{text}{settings.dashboard}")
    if error:
        raise ChannelError(f"{name}: {error}")
