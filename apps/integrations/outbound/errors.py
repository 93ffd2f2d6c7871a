"""What can go wrong with a call to the outside, told by what the caller may do about it."""

from __future__ import annotations


class OutboundError(Exception):
    """A call failed.

    ``permanent``: trying again, now or later, can't help. ``maybe_done``: the other side may have acted although we
    have no answer. ``retry_after``: seconds the other side asked us to wait. The message never holds a credential.
    """

    permanent = False
    maybe_done = False

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotConnected(OutboundError):
    """No connection, so nothing was asked."""


class CircuitOpen(OutboundError):
    """The host failed so often that it is left alone for a while; nothing was asked."""


class NoAnswer(OutboundError):
    """The request was sent, at least in part, and no answer came."""

    maybe_done = True


class BadAnswer(OutboundError):
    """An answer came that can't be used: too large, or not in the agreed form."""

    maybe_done = True


class BadRequest(OutboundError):
    """The call can't be made at all: a wrong address, for example."""

    permanent = True


class AddressRefused(OutboundError):
    """The address is inside this machine or its network; nothing was asked."""

    permanent = True
