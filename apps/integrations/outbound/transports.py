"""The way out for addresses that an account chose.

Connections stay open between calls and are shared within a process, but only among calls that may go to the same
places: one that the operator opened for one account is never there for another.
"""

from __future__ import annotations

import os
from functools import lru_cache

import httpx2
from django.conf import settings

from apps.integrations.outbound.addresses import AllowList
from apps.integrations.outbound.guard import GuardedTransport


class _Shared(httpx2.BaseTransport):
    """A transport that outlives the clients that use it."""

    def __init__(self, transport: httpx2.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._transport.handle_request(request)

    def close(self) -> None:
        """Nothing: others use it too."""


def public_internet(allowed: AllowList = AllowList()) -> httpx2.BaseTransport:  # noqa: B008 - frozen
    """For addresses that an account chose: the public Internet, what the operator opens for all, and ``allowed``."""
    opened = AllowList.of(settings.OUTBOUND_ALLOW)
    return _guarded(AllowList(opened.networks | allowed.networks, opened.hosts | allowed.hosts), os.getpid())


@lru_cache(maxsize=256)
def _guarded(allowed: AllowList, process: int) -> httpx2.BaseTransport:
    # Per process: a connection that a fork took along would be read by both.
    return _Shared(GuardedTransport(allowed))
