"""The address guard: connections go outside, and only there.

The guard sits where the connection is made, not where the address is written: it resolves the name, judges every
address it got, and connects to a judged address itself. So nothing is left to happen between judging and connecting
(DNS rebinding), every spelling of an address is judged by what it means, and a redirect is a new connection that is
judged like the first. TLS still checks the certificate against the name.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

import httpcore2
import httpx2

from apps.integrations.outbound.addresses import Address, AllowList, inside, parse_address
from apps.integrations.outbound.deadline import BoundStream, left
from apps.integrations.outbound.errors import AddressRefused

logger = logging.getLogger(__name__)

Resolve = Callable[[str, int], list[Address]]
"""Name and port to addresses, best first. Raises OSError when there are none."""


def system_resolve(host: str, port: int) -> list[Address]:
    """Ask the system, as any connection would. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(parse_address(str(entry[4][0])) for entry in found))


class NoAddress(httpcore2.ConnectError):
    """The name leads nowhere."""


class GuardedBackend(httpcore2.SyncBackend):
    """Makes connections to judged addresses only, and holds them to the deadline of the call."""

    def __init__(self, allowed: AllowList, resolve: Resolve = system_resolve) -> None:
        self._allowed = allowed
        self._resolve = resolve

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **options: Any
    ) -> httpcore2.NetworkStream:
        """Connect to the first judged address that answers. Raises AddressRefused before anything is sent."""
        failure: Exception = NoAddress(f"no address for {host}")
        for address in self._judged(host, port):
            try:
                return BoundStream(super().connect_tcp(str(address), port, left(timeout), *args, **options))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    def connect_unix_socket(self, path: str, *args: Any, **options: Any) -> httpcore2.NetworkStream:
        """Never: a socket file is this machine. Raises AddressRefused."""
        raise AddressRefused.about("A socket file", path, what="this machine")

    def _judged(self, host: str, port: int) -> list[Address]:
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise NoAddress(f"no address for {host}") from error
        for address in addresses:
            what = inside(address)
            # One address inside is enough: a name that points to both sides is a trap or a mistake.
            if what and not self._allowed.opens(host, port, address):
                logger.warning("Refused to connect to %s:%s, which is %s (%s).", host, port, address, what)
                raise AddressRefused.about(host, f"{host}:{port} is {address}, see OUTBOUND_ALLOW", what=what)
        return addresses


class GuardedTransport(httpx2.HTTPTransport):
    """httpx's transport over the guard's connections. No proxy: one would connect where the guard can't see."""

    def __init__(self, allowed: AllowList, *, resolve: Resolve = system_resolve) -> None:
        context = httpx2.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=30.0,
            network_backend=GuardedBackend(allowed, resolve),
        )
