"""A proxy on loopback that carries HTTP to a real server, and fails on demand.

Faults are queued and take one request each; ``outage`` takes all requests until it is over. What came through is
counted, and with which key.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Kind = Literal["status", "slow", "lost_before", "lost_after", "half"]
"""``status`` answers itself; ``slow`` sends the answer late; ``lost_before`` and ``lost_after`` drop the connection
before or after the server has acted; ``half`` sends the beginning of the answer alone."""


@dataclass(frozen=True)
class Fault:
    """What happens to one request. ``method`` and ``path`` (a part of it) narrow down which one."""

    kind: Kind
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    method: str = ""
    path: str = ""

    def fits(self, method: str, path: str) -> bool:
        """Whether this request is meant."""
        return self.method in ("", method) and self.path in path


@dataclass(frozen=True)
class Carried:
    """One request that reached the proxy, and what the client was told (0: nothing)."""

    method: str
    path: str
    key: str
    status: int


class FaultyProxy:
    """Serves on a port of its own until it is closed; ``down`` takes the port away meanwhile."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.carried: list[Carried] = []
        self.faults: deque[Fault] = deque()
        self.outage: Fault | None = None
        self._server: _Server | None = None
        self._lock = threading.Lock()
        self.port = 0
        self.up()

    @property
    def url(self) -> str:
        """What a client takes for the service."""
        return f"http://127.0.0.1:{self.port}/zerodb/v1/public"

    def fail(self, kind: Kind, times: int = 1, **details: Any) -> None:
        """Queue ``times`` faults."""
        self.faults.extend(Fault(kind, **details) for _ in range(times))

    def calls(self, method: str = "", path: str = "") -> list[Carried]:
        """The requests whose method and path fit."""
        return [one for one in self.carried if method in ("", one.method) and path in one.path]

    def up(self) -> None:
        """Take connections."""
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = _Server(("127.0.0.1", self.port), handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def down(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def next_fault(self, method: str, path: str) -> Fault | None:
        """What happens to this request."""
        with self._lock:
            if self.outage is not None:
                return self.outage
            for number, fault in enumerate(self.faults):
                if fault.fits(method, path):
                    del self.faults[number]
                    return fault
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: FaultyProxy

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: tests look at ``carried``."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0].removeprefix("/zerodb/v1/public/")
        fault = self.proxy.next_fault(self.command, path)
        status = self._carry(body) if fault is None else self._fail(fault, body)
        self.proxy.carried.append(Carried(self.command, path, self.headers.get("X-API-Key", ""), status))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

    def _fail(self, fault: Fault, body: bytes) -> int:
        self.close_connection = True
        if fault.kind == "status":
            words = b'{"detail": "Please wait", "error_code": "OUT_OF_ORDER"}'
            self._send(fault.status, {"Content-Type": "application/json", **fault.headers}, words)
            return fault.status
        if fault.kind == "lost_before":
            return 0
        status, headers, content = self._ask(body)
        if fault.kind == "half":
            self._send(status, headers, content, part=len(content) // 2)
        if fault.kind == "slow":
            time.sleep(fault.seconds)
            try:
                self._send(status, headers, content)
            except OSError:
                return 0  # nobody listens any more
        return 0

    def _carry(self, body: bytes) -> int:
        try:
            status, headers, content = self._ask(body)
        except OSError:
            self.close_connection = True
            return 0
        self._send(status, headers, content)
        return status

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.target_port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            dropped = {"transfer-encoding", "connection", "content-length"}
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in dropped}
            return answer.status, kept, content
        finally:
            connection.close()

    def _send(self, status: int, headers: dict[str, str], content: bytes, *, part: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if part is None else content[:part])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what these tests are about."""


@contextmanager
def faulty_proxy(target_port: int) -> Iterator[FaultyProxy]:
    """One that serves until the block ends."""
    proxy = FaultyProxy(target_port)
    try:
        yield proxy
    finally:
        proxy.down()
