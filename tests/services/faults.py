"""A proxy between us and a real server that breaks what it is told to break, and passes on the rest."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Fault:
    """Breaks the next `times` requests whose method and path match `of`.

    With `cut_after` the true answer ends after so many bytes of its body; otherwise `status`, `headers`
    and `body` are the answer.
    """

    of: str
    times: int = 1
    cut_after: int | None = None
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass
class FaultyProxy:
    """Listens on `port` for the server on loopback; `faults` are taken in order, `seen` is every request."""

    port: int
    faults: list[Fault] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"http://127.0.0.1:{self.port}"

    def take(self, request: str) -> Fault | None:
        """The fault due for this request."""
        for fault in self.faults:
            if fault.times > 0 and re.search(fault.of, request):
                fault.times -= 1
                return fault
        return None


@contextmanager
def faulty_proxy(target_port: int) -> Iterator[FaultyProxy]:
    """A proxy before the server on `target_port`."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            request = f"{self.command} {self.path}"
            with lock:
                proxy.seen.append(request)
                fault = proxy.take(request)
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if fault is not None and fault.cut_after is None:
                self._answer(fault.status, list(fault.headers.items()), fault.body.encode(), None)
                return
            target = http.client.HTTPConnection("127.0.0.1", target_port, timeout=60)
            try:
                target.request(self.command, self.path, content, dict(self.headers))
                answer = target.getresponse()
                body = answer.read()
            finally:
                target.close()
            kept = [(k, v) for k, v in answer.getheaders() if k.lower() not in _HOP]
            length = answer.getheader("Content-Length") if self.command == "HEAD" else None
            self._answer(answer.status, kept, body, fault.cut_after if fault else None, length)

        def _answer(
            self,
            status: int,
            headers: list[tuple[str, str]],
            body: bytes,
            cut_after: int | None,
            length: str | None = None,
        ) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", length or str(len(body)))
            self.end_headers()
            self.wfile.write(body[:cut_after] if cut_after is not None else body)
            if cut_after is not None:
                self.wfile.flush()
                self.close_connection = True

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy = FaultyProxy(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


_HOP = {"connection", "content-length", "keep-alive", "server", "date", "transfer-encoding"}
