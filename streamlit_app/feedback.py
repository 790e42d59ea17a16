"""What people say of an event: a form under it, and every word so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from finops_assets.decisions import feedback
from finops_assets.decisions.feedback import Verdict
from streamlit_app import data, login
from streamlit_app.format import markdown

_LABELS: dict[Verdict, str] = {
    "expected": "Expected",
    "planned": "Planned change",
    "real": "Real",
    "resolved": "Resolved",
}
_MEANINGS: dict[Verdict, str] = {
    "expected": "It always does that; not raised again.",
    "planned": "A change that was meant; not raised again.",
    "real": "It was an anomaly.",
    "resolved": "It was one, and it is dealt with.",
}


def feedback_form(event: Mapping[str, Any]) -> None:
    """The form under a row of cost_anomalies and what was said of it; a past day shows what it knew."""
    st.subheader("What you say of it")
    day, anomaly_id = data.day_shown(), event["anomaly_id"]
    who = data.principal()
    if day is None and who.may("feedback"):
        with st.form(f"feedback_{anomaly_id}", clear_on_submit=True):
            verdict = st.segmented_control(
                "Verdict",
                list(_LABELS),
                format_func=_LABELS.__getitem__,
                default="expected",
                required=True,
                help=" ".join(f"{_LABELS[v]}: {says}" for v, says in _MEANINGS.items()),
                key=f"verdict_{anomaly_id}",
            )
            note = st.text_input("Note", max_chars=2000, placeholder="Why", key=f"note_{anomaly_id}")
            signed = who.means != "loopback"
            author = (
                who.name if signed else st.text_input("Your name", max_chars=200, key=f"author_{anomaly_id}")
            )
            sent = st.form_submit_button("Save", icon=":material/check:")
        if sent:
            feedback.record(
                data.settings().paths.decisions,
                event,
                verdict,
                note=note,
                author=author,
            )
            login.noted("judge", f"anomalies/{anomaly_id}", f"{verdict} {note}".rstrip())
            st.toast(f"Saved: {_LABELS[verdict]}", icon=":material/check:")
    _history(feedback.said(data.settings().paths.decisions, anomaly_id, until=day))


def _history(words: list[feedback.Feedback]) -> None:
    if not words:
        st.caption("Nobody has said anything of this event.")
    for n, word in enumerate(reversed(words)):
        counts = "" if n else " (counts)"
        by = f", {word.author}" if word.author else ""
        why = f": {word.note}" if word.note else ""
        text = f"{word.said_at:%Y-%m-%d %H:%M} UTC{by} · {_LABELS[word.verdict]}{counts}{why}"
        st.caption(markdown(text))
