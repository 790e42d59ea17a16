"""AWS on this machine: a real `moto_server`, in a process of its own, on a free loopback port."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3

from finops_assets.sources.aws.access import AwsAccess

REGION = "us-east-1"
ACCOUNT = "123456789012"
"""The account that moto plays."""

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    # Neither the developer's own profiles nor a machine's metadata service.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


SERVE = """
from moto import backends, server
names = tuple(backends.list_of_moto_modules())
backends.list_of_moto_modules = lambda: names
server.main()
"""
"""What the command `moto_server` runs, but that it reads its own folder once and not at every request."""


@dataclass(frozen=True)
class Moto:
    """A running server. What is tested finds CREDENTIALS in the environment, as the server does."""

    url: str

    def access(self, **more: str) -> AwsAccess:
        """How the code under test comes here."""
        return AwsAccess(region=REGION, endpoint_url=self.url, **more)

    def owner(self, service: str) -> Any:
        """A client that may do everything, to lay out what a test needs."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def reset(self) -> None:
        """Forget all buckets, roles and answers."""
        self._post("reset", b"")

    def answer_costs(self, answers: Sequence[dict[str, Any]]) -> None:
        """What GetCostAndUsage answers next, one after the other."""
        body = json.dumps({"results": list(answers)}).encode()
        self._post("static/ce/cost-and-usage-results", body, "application/json")

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Within, IAM decides who may do what."""
        self._post("reset-auth", b"0")
        try:
            yield
        finally:
            self._post("reset-auth", b"inf")

    def _post(self, path: str, body: bytes, content_type: str = "text/plain") -> None:
        request = urllib.request.Request(
            f"{self.url}/moto-api/{path}", data=body, method="POST", headers={"Content-Type": content_type}
        )
        with urllib.request.urlopen(request, timeout=30):
            pass


@contextmanager
def running_moto() -> Iterator[Moto]:
    """A server that answers, until the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | CREDENTIALS
    command = [sys.executable, "-c", SERVE, "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
    )
    try:
        moto = Moto(f"http://127.0.0.1:{port}")
        _wait(moto, server)
        yield moto
    finally:
        server.terminate()
        server.wait(30)


def _wait(moto: Moto, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            moto.reset()
        except urllib.error.URLError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
