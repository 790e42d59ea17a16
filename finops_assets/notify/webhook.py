"""Alerts as signed JSON to an address of the receiver's own, in the way of Standard Webhooks.

The receiver checks `webhook-signature` (HMAC-SHA256 of id, time and body) with the secret that both know, and
knows by `webhook-id` what it was told before: an attempt that is repeated has the same one.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

import httpx
from standardwebhooks import Webhook

from finops_assets.alert_settings import Channel, ChannelError
from finops_assets.decisions.alerts import Alert

_PATIENCE_SECONDS = 10


def post(channel: Channel, alerts: Sequence[Alert], now: datetime) -> str:
    """Send these alerts in one request; '' when it was taken, else why not, without address or secret."""
    try:
        address, secret = channel.address().get_secret_value(), channel.secret().get_secret_value()
    except ChannelError as error:
        return str(error)
    message_id = hashlib.sha256(" ".join(a.alert_id for a in alerts).encode()).hexdigest()[:32]
    body = json.dumps({"timestamp": now.isoformat(), "data": [_told(a) for a in alerts]})
    try:
        base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        return f"expected a secret in base64 (whsec_…) in {channel.secret_env}, found another text"
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, body),
    }
    try:
        answer = httpx.post(address, content=body, headers=headers, timeout=_PATIENCE_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"the webhook does not answer ({type(error).__name__})"
    return "" if answer.is_success else f"the webhook answered {answer.status_code}"


def _told(alert: Alert) -> dict[str, str]:
    return {
        "type": f"{alert.subject_kind}.{alert.state}",
        "id": alert.alert_id,
        "subject": alert.subject_id,
        "severity": alert.severity,
        "impact": f"{alert.impact:f}",
        "currency": alert.currency,
        "title": alert.title,
        "text": alert.text,
    }
