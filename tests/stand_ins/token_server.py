"""A token endpoint (RFC 6749 section 6) that rotates refresh tokens and ends a grant when one is used again too late.

Services that rotate document one of two mercies for a client that died before it kept the answer: the old token is
taken ``until_used``, that is until the new one was used for the first time (and a second answer replaces the first), or
for some seconds (``leeway``). Anything else is theft to them: the whole grant is over.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


@dataclass
class Family:
    """One grant: what is taken for it."""

    mercy: str
    settled: str
    pending: str = ""
    used: dict[str, float] = field(default_factory=dict)
    access: str = ""
    over: bool = False


@dataclass
class TokenServer:
    """The server's state, as tests arrange and examine it. ``delay`` seconds pass on both sides of its work."""

    url: str = ""
    delay: float = 0.0
    failing: float = 0.0
    """Share of requests that get a 503."""
    leeway: float = 30.0
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    families: dict[str, Family] = field(default_factory=dict)
    _count: int = 0

    def grant(self, name: str, mercy: str = "until_used") -> str:
        """Open a grant; its first refresh token. Names hold no dots."""
        family = Family(mercy, f"{name}.0")
        self.families[name] = family
        return family.settled

    def is_active(self, access: str) -> bool:
        """Whether an access token is the newest of a grant that is not over."""
        return any(family.access == access and not family.over for family in self.families.values())

    def refresh(self, token: str) -> dict[str, Any] | None:
        """The answer to a refresh token; None for ``invalid_grant``."""
        with self.lock:
            self.calls += 1
            family = self.families.get(token.partition(".")[0])
            if family is None or family.over:
                return None
            if not (self._until_used if family.mercy == "until_used" else self._leeway)(family, token):
                family.over = True
                return None
            self._count += 1
            family.pending = f"{token.partition('.')[0]}.{self._count}"
            family.access = f"access-{self._count}"
            return {
                "access_token": family.access,
                "refresh_token": family.pending,
                "expires_in": 3600,
                "token_type": "Bearer",
            }

    @staticmethod
    def _until_used(family: Family, token: str) -> bool:
        if token == family.pending:
            family.settled = token
        return token == family.settled

    def _leeway(self, family: Family, token: str) -> bool:
        first = family.used.setdefault(token, time.monotonic())
        return time.monotonic() - first <= self.leeway


@contextmanager
def token_server(**state: Any) -> Iterator[TokenServer]:
    """A server on a port of its own."""
    server = TokenServer(**state)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            time.sleep(random.uniform(0, server.delay))
            if random.random() < server.failing:
                return self._send(503, {"error": "temporarily_unavailable"})
            answer = server.refresh(form["refresh_token"][0])
            time.sleep(random.uniform(0, server.delay))
            return self._send(400, {"error": "invalid_grant"}) if answer is None else self._send(200, answer)

        def _send(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # who asked is dead

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_port}/token"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
