"""What every answer has, whatever it is about: compression, limits, the request's id in the log."""

from __future__ import annotations

import gzip
import logging

import pytest
import zstandard
from fastapi.testclient import TestClient

from finops_api.app import create_app
from finops_assets.settings import Services, Settings

URL = "/api/v1/costs?start_date=2026-01-01&end_date=2026-03-31&group_by=ServiceName&granularity=day"


def unzstd(packed: bytes) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(packed) as reader:
        return reader.readall()


def test_answers_are_compressed_as_asked(client: TestClient) -> None:
    plain = client.get(URL, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    unpack = {"gzip": gzip.decompress, "zstd": unzstd}
    for encoding, unpacked in unpack.items():
        with client.stream("GET", URL, headers={"Accept-Encoding": encoding}) as answer:
            packed = b"".join(answer.iter_raw())
        assert answer.headers["Content-Encoding"] == encoding
        assert {"Accept", "Accept-Encoding"} <= set(answer.headers["Vary"].split(", "))
        assert unpacked(packed) == plain.content
        assert len(packed) < len(plain.content) / 5


def test_more_requests_than_allowed_are_refused(built: Settings) -> None:
    few = built.model_copy(update={"services": Services(rate_limit="3/hour")})
    with TestClient(create_app(few)) as client:
        left = [client.get("/api/v1/snapshot").headers["RateLimit"] for _ in range(3)]
        assert [h.split(";")[1] for h in left] == ["r=2", "r=1", "r=0"]
        refused = client.get("/api/v1/snapshot")
        assert refused.status_code == 429
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.headers["RateLimit-Policy"] == '"default";q=3;w=3600'
        assert 0 < int(refused.headers["Retry-After"]) <= 3600
        assert refused.json()["request_id"] == refused.headers["X-Request-ID"]
        assert "[services] rate_limit" in refused.json()["detail"]
        assert client.get("/healthz").status_code == client.get("/metrics").status_code == 200


def test_without_a_limit_nothing_is_counted(built: Settings) -> None:
    free = built.model_copy(update={"services": Services(rate_limit="")})
    with TestClient(create_app(free)) as client:
        assert "RateLimit" not in client.get("/api/v1/snapshot").headers


def test_every_line_of_the_log_names_its_request(built: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("finops_api", "finops_assets"):
        logging.getLogger(name).handlers.clear()
    with TestClient(create_app(built)) as client:
        client.get("/api/v1/snapshot", headers={"X-Request-ID": "report-44"})
    (line,) = [li for li in capfd.readouterr().err.splitlines() if "/api/v1/snapshot" in li]
    assert "INFO finops_api.requests report-44 GET /api/v1/snapshot 200" in line
