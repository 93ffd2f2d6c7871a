"""How the API answers work that a service elsewhere does not do now."""

from __future__ import annotations

from math import ceil

from apps.accounts.api.problems import Problem, declare_made
from apps.integrations.outbound.errors import OutboundError

_WAIT = 30.0
"""Seconds until asking again makes sense, where the service does not say: as long as a circuit stays open."""


def _problem(error: OutboundError) -> Problem:
    wait = _WAIT if error.retry_after is None else error.retry_after
    headers = {} if error.permanent else {"Retry-After": str(max(1, ceil(wait)))}
    return Problem(503, "service_unavailable", str(error), headers=headers)


def declare_all() -> None:
    """At start-up."""
    declare_made(OutboundError, "service_unavailable", _problem, title="A service that this needs does not answer")
