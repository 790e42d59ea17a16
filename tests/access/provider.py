"""A small identity provider over HTTP: its description, its keys, and tokens that it signs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

AUDIENCE = "finops-api"


class Provider:
    """What the provider knows; `keys` are those that it publishes."""

    def __init__(self) -> None:
        self.issuer = ""
        self.keys: list[RSAKey | ECKey] = [RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})]
        self.asked: list[str] = []
        self.is_down = False

    def answer(self, path: str) -> dict[str, Any] | None:
        self.asked.append(path)
        if self.is_down:
            return None
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
        return {"keys": [key.as_dict(private=False) for key in self.keys]} if path == "/keys" else None

    def token(
        self,
        *,
        key: RSAKey | ECKey | None = None,
        algorithm: str = "RS256",
        kid: str | None = "",
        **claims: Any,
    ) -> str:
        """A token signed now for an hour; claims that are None are left out."""
        signer = key or self.keys[-1]
        now = int(time.time())
        given = {"iss": self.issuer, "aud": AUDIENCE, "sub": "u-1", "email": "ann@example.com", "iat": now,
                 "exp": now + 3600, "groups": ["shop"], **claims}  # fmt: skip
        named = signer.kid if kid == "" else kid
        header = {"alg": algorithm, **({"kid": named} if named else {})}
        return jwt.encode(header, {k: v for k, v in given.items() if v is not None}, signer, [algorithm])


@contextmanager
def provider() -> Iterator[Provider]:
    known = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = known.answer(self.path)
            self.send_response(503 if body is None else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
