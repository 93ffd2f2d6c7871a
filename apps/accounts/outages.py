"""A server of ours that is away is not a fault of the request's, nor of the code's: 503, and come back."""

from __future__ import annotations

import redis
from django.db import InterfaceError, OperationalError

RETRY_AFTER = 5
"""Seconds after which trying again is worth it: a server that restarts needs about as long."""

_KINDS = (OperationalError, InterfaceError, redis.ConnectionError, redis.TimeoutError)


def is_outage(exception: BaseException | None) -> bool:
    """Whether database or cache did not answer, or could not do it now (out of connections, a deadlock)."""
    return isinstance(exception, _KINDS)
