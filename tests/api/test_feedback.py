"""Feedback through the API: taken in, shown at once, refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from finops_api.app import create_app
from finops_api.v1.anomalies.schemas import AnomaliesAnswer, FeedbackAnswer
from finops_assets.settings import Paths, Settings

LIST, EVENT = "/api/v1/anomalies", "/api/v1/anomalies/spike"


@pytest.fixture
def client(built: Settings, tmp_path: Path) -> Iterator[TestClient]:
    """The shared warehouse, beside a store of this test's own."""
    (tmp_path / "warehouse").symlink_to(built.paths.warehouse)
    with TestClient(create_app(built.model_copy(update={"paths": Paths(data=tmp_path)}))) as client:
        yield client


def listed(client: TestClient) -> dict[str, Any]:
    body = AnomaliesAnswer.model_validate(client.get(LIST).json())
    return {a.id: (a.verdict, a.note) for a in body.anomalies}


def test_a_word_counts_at_once_and_until_the_next(client: TestClient) -> None:
    assert listed(client)["spike"] == (None, None)
    before = client.get(LIST).headers["ETag"]
    assert client.get(LIST, headers={"If-None-Match": before}).status_code == 304
    first = client.post(f"{EVENT}/feedback", json={"verdict": "real"})
    assert first.status_code == 201
    again = client.get(LIST, headers={"If-None-Match": before})
    assert again.status_code == 200
    second = client.post(
        f"{EVENT}/feedback", json={"verdict": "planned", "note": "Load test, ticket 4711", "author": "kim"}
    )
    assert second.json() | {"id": "", "said_at": ""} == {
        "id": "",
        "anomaly_id": "spike",
        "kind": "spike",
        "first_day": "2026-02-10",
        "last_day": "2026-02-12",
        "impact": "1500",
        "currency": "USD",
        "verdict": "planned",
        "note": "Load test, ticket 4711",
        "author": "kim",
        "said_at": "",
    }
    assert client.get(LIST, headers={"If-None-Match": again.headers["ETag"]}).status_code == 200
    assert listed(client) == {
        "spike": ("planned", "Load test, ticket 4711"),
        "spike-aws": (None, None),
        "level-shift": (None, None),
        "drop": (None, None),
    }
    assert client.get(EVENT).json()["anomaly"]["verdict"] == "planned"
    history = FeedbackAnswer.model_validate(client.get(f"{EVENT}/feedback").json())
    assert [f.verdict for f in history.feedback] == ["planned", "real"]
    assert client.get(f"{LIST}/drop/feedback").json()["feedback"] == []


@pytest.mark.parametrize(
    ("body", "parameter", "says"),
    [
        ({"verdict": "bad"}, "verdict", "'expected', 'planned', 'real' or 'resolved'"),
        ({"note": "why"}, "verdict", "required"),
        ({"verdict": "real", "by": "kim"}, "by", "no such field"),
        ({"verdict": "real", "note": "x" * 2001}, "note", "at most 2000"),
    ],
)
def test_what_cannot_be_taken_is_named(
    client: TestClient, body: dict[str, Any], parameter: str, says: str
) -> None:
    found = client.post(f"{EVENT}/feedback", json=body)
    assert found.status_code == 422
    assert found.headers["Content-Type"] == "application/problem+json"
    assert [e["parameter"] for e in found.json()["errors"]] == [parameter]
    assert says in found.json()["detail"]
    assert client.get(f"{EVENT}/feedback").json()["feedback"] == []


def test_an_unknown_event_has_no_feedback(client: TestClient) -> None:
    for found in (
        client.get(f"{LIST}/nothing/feedback"),
        client.post(f"{LIST}/nothing/feedback", json={"verdict": "real"}),
    ):
        assert found.status_code == 404
        assert found.json()["type"] == "not-found"
        assert "No anomaly is called 'nothing'" in found.json()["detail"]
