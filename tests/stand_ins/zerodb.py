"""A ZeroDB server elsewhere: projects and nothing more, over a real socket, with faults on demand.

It speaks what the vendor's documents promise, and not what our embedded server adds. Faults are queued; each takes one
request: ``lost_before`` and ``lost_after`` drop the connection before or after the server has acted.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

MASTER_KEY = "zerodb_sk_stand_in_master"


@dataclass(frozen=True)
class Fault:
    """What happens to one request. ``method`` None takes any."""

    kind: str
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    seconds: float = 0.0
    method: str | None = None


@dataclass
class StandIn:
    """The server's state, as tests arrange and examine it."""

    url: str = ""
    limit: int | None = None
    keys: set[str] = field(default_factory=lambda: {MASTER_KEY})
    projects: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(self, kind: str, times: int = 1, **details: Any) -> None:
        """Queue ``times`` faults: status, hang, lost_before, lost_after, garbage, half, huge."""
        self.faults.extend(Fault(kind, **details) for _ in range(times))

    def next_fault(self, method: str) -> Fault | None:
        with self.lock:
            if self.faults and self.faults[0].method in (None, method):
                return self.faults.popleft()
        return None

    @property
    def alive(self) -> list[dict[str, Any]]:
        """Projects that are not deleted."""
        return [project for project in self.projects.values() if project["status"] != "DELETED"]

    def count(self, method: str, path: str) -> int:
        """How many such requests came."""
        return sum(1 for request in self.requests if request == (method, path))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    state: StandIn

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: tests look at ``requests``."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        path = self.path.partition("?")[0].removeprefix("/v1/public/")
        self.state.requests.append((self.command, path))
        fault = self.state.next_fault(self.command)
        if fault is None:
            self._answer(*self._act(path, body))
        else:
            getattr(self, f"_{fault.kind}")(fault, path, body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

    # --- faults

    def _status(self, fault: Fault, path: str, body: Any) -> None:
        answer = (
            fault.body if fault.body is not None else {"detail": "Please wait", "error_code": "SERVICE_UNAVAILABLE"}
        )
        self._answer(fault.status, answer, fault.headers)

    def _hang(self, fault: Fault, path: str, body: Any) -> None:
        self._act(path, body)
        time.sleep(fault.seconds)
        self.close_connection = True

    def _lost_before(self, fault: Fault, path: str, body: Any) -> None:
        self.close_connection = True

    def _lost_after(self, fault: Fault, path: str, body: Any) -> None:
        self._act(path, body)
        self.close_connection = True

    def _garbage(self, fault: Fault, path: str, body: Any) -> None:
        self._act(path, body)
        self._send(200, b"<html>not json</html>", {})

    def _half(self, fault: Fault, path: str, body: Any) -> None:
        self._act(path, body)
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"id": ')
        self.close_connection = True

    def _huge(self, fault: Fault, path: str, body: Any) -> None:
        self._send(200, b'{"id": "' + b"x" * 3_000_000 + b'"}', {})

    # --- the API

    def _act(self, path: str, body: Any) -> tuple[int, Any]:
        key = self.headers.get("X-API-Key", "")
        parts = path.split("/")
        project = self.state.projects.get(parts[1]) if len(parts) > 1 else None
        if key not in self.state.keys and not (project and project["api_key"] == key):
            return 401, {"detail": "Invalid API key", "error_code": "INVALID_API_KEY"}
        if path == "projects":
            return self._create(body) if self.command == "POST" else self._list()
        if parts[0] != "projects" or project is None or project["status"] == "DELETED":
            return 404, {"detail": f"Not found: {path}", "error_code": "NOT_FOUND"}
        return self._on(project, parts[2:], body)

    def _create(self, body: Any) -> tuple[int, Any]:
        with self.state.lock:
            if self.state.limit is not None and len(self.state.alive) >= self.state.limit:
                return 429, {
                    "detail": "Project limit exceeded for tier 'pro': please upgrade to 'enterprise'.",
                    "error_code": "PROJECT_LIMIT_EXCEEDED",
                }
            project = {
                "id": str(uuid4()),
                "name": body["name"],
                "status": "ACTIVE",
                "tier": body.get("tier", "free"),
                "settings": body.get("settings", {}),
                "metadata": body.get("metadata", {}),
                "usage": {"vectors_stored": 0},
                "api_key": f"zerodb_sk_{uuid4().hex}",
            }
            self.state.projects[project["id"]] = project
            return 201, project

    def _list(self) -> tuple[int, Any]:
        query = dict(part.split("=") for part in self.path.partition("?")[2].split("&") if part)
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 100))
        short = [{name: project[name] for name in ("id", "name", "status", "tier")} for project in self.state.alive]
        return 200, {"projects": short[offset : offset + limit], "total": len(short)}

    def _on(self, project: dict[str, Any], rest: list[str], body: Any) -> tuple[int, Any]:
        if not rest and self.command == "DELETE":
            project["status"] = "DELETED"
            return 200, {"id": project["id"], "status": "DELETED", "deleted": True}
        if rest == ["settings"]:
            project["settings"] = {**project["settings"], **body}
        elif rest == ["status"]:
            project["status"] = body["status"].upper()
        elif rest:
            return 404, {"detail": "The path was not found", "error_code": "PATH_NOT_FOUND"}
        return 200, {name: value for name, value in project.items() if name != "api_key"}

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._send(status, content, headers or {})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what these tests are about."""


@contextmanager
def running(port: int = 0) -> Iterator[StandIn]:
    """A stand-in that serves on loopback until the block ends."""
    state = StandIn()
    server = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"state": state}))
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1/public"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
