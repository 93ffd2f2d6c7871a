"""A mail server on loopback that takes, refuses or loses mails as a test wants (RFC 5321)."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any


@dataclass
class MailServer:
    """What it is to say, and what it was given."""

    port: int = 0
    to_recipient: str = "250 OK"
    to_data: str = "250 OK"
    hang_up_after_data: bool = False
    mails: list[Message] = field(default_factory=list)


class _Session(socketserver.StreamRequestHandler):
    server: Any

    def handle(self) -> None:
        state: MailServer = self.server.state
        self._say("220 stand-in")
        while line := self.rfile.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"RCPT":
                self._say(state.to_recipient)
            elif verb == b"DATA":
                self._say("354 go on")
                state.mails.append(message_from_bytes(b"".join(iter(self.rfile.readline, b".\r\n"))))
                if state.hang_up_after_data:
                    return
                self._say(state.to_data)
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 OK")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True


@contextmanager
def running(settings: Any) -> Iterator[MailServer]:
    """Start it, and let the product send its mails there."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        state = MailServer(server.server_address[1])
        server.state = state  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        send_to(settings, state.port)
        yield state
        server.shutdown()


def send_to(settings: Any, port: int) -> None:
    """Let the product send its mails to this port of this machine; 1 is one where nobody listens."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
