"""What can go wrong with a call to the outside, told by what the caller may do about it.

People read these errors: on pages, in answers of the API, in e-mails. So each kind has its sentence (``words``) and the
one thing to do about it (``todo``) here, beside its meaning. What a library or the system said is the ``cause``: for
the log, where an operator reads it.
"""

from __future__ import annotations

from typing import Any, Self


class OutboundError(Exception):
    """A call failed. ``str(error)`` is for people.

    ``permanent``: trying again, now or later, can't help. ``maybe_done``: the other side may have acted although we
    have no answer. ``retry_after``: seconds the other side asked us to wait. ``code`` is for programs. Neither message
    nor ``cause`` ever holds a credential.
    """

    permanent = False
    maybe_done = False
    code = "unreachable"
    words = "{who} could not be asked."
    todo = "Try again in a few minutes."

    def __init__(self, message: str, *, cause: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.cause = cause
        self.retry_after = retry_after

    @classmethod
    def about(cls, who: str, cause: str = "", *, retry_after: float | None = None, **facts: Any) -> Self:
        """The error in its own words. ``who``: the host or the service; ``facts``: what else the words name."""
        return cls(cls.words.format(who=who, **facts), cause=cause, retry_after=retry_after)

    @property
    def technically(self) -> str:
        """What the log says: the cause, or the kind where nobody said more. Never what a service wrote."""
        return self.cause or type(self).__name__


class NotConnected(OutboundError):
    """No connection, so nothing was asked."""

    words = "{who} could not be reached."
    todo = "Check the address, or try again in a few minutes."


class NameNotFound(NotConnected):
    """The host's name leads to no address."""

    code = "name_not_found"
    words = "There is no server by the name of {who}."
    todo = "Check the address for a typing error. If it is right, try again in a few minutes."


class NotTrusted(NotConnected):
    """The certificate does not prove that the server is the one that the address names."""

    code = "certificate_refused"
    words = "{who} could not prove who it is: its certificate is not valid for this address."
    todo = "Check the address. If it is right, whoever runs the server must renew its certificate."


class NotSecured(NotConnected):
    """There was a server, and no agreement on an encrypted connection."""

    code = "not_secured"
    words = "{who} could be reached, but not by a secure connection."
    todo = "Check that the address begins with the right one of https:// and http://, and that its port is right."


class Busy(NotConnected):
    """Too many calls of our own are under way."""

    code = "busy"
    words = "Too many other calls are under way to ask {who} now."
    todo = "Try again in a few minutes."


class CircuitOpen(OutboundError):
    """The host failed so often that it is left alone for a while; nothing was asked."""

    code = "left_alone"
    words = "{who} failed several times in a row, so it is left alone for {seconds} seconds."
    todo = "Wait: the next call after that tries it again."


class NotInTime(OutboundError):
    """What was asked before took all the time there was; this was not asked."""

    code = "not_in_time"
    words = "{who} takes too long to answer."


class NoAnswer(OutboundError):
    """The request was sent, at least in part, and no answer came."""

    maybe_done = True
    code = "no_answer"
    words = "{who} did not answer in time."


class BrokenOff(NoAnswer):
    """The connection ended before the answer did."""

    words = "{who} ended the connection before its answer was complete."


class BadAnswer(OutboundError):
    """An answer came that can't be used: too large, or not in the agreed form."""

    maybe_done = True
    code = "bad_answer"
    words = "{who} gave an answer that can't be used."
    todo = "Check the address: something else may answer there. If it is right, try again in a few minutes."


class TooLarge(BadAnswer):
    """The answer is larger than we read."""

    code = "too_large"
    words = "The answer of {who} is too large: it has more than {limit}."
    todo = "Ask for less at once."


class BadRequest(OutboundError):
    """The call can't be made at all: a wrong address, for example."""

    permanent = True
    code = "bad_request"
    words = "{who} can't be asked for that."
    todo = "Correct what is named."


class BadAddress(BadRequest):
    """The address is none, or of a kind that is not called."""

    code = "bad_address"
    words = "The address can't be read."
    todo = "Enter a whole address, beginning with https://."


class NotSendable(BadRequest):
    """A credential or setting holds what HTTP has no way to send."""

    code = "not_sendable"
    words = "What was entered can't be sent: it holds letters or signs that no service takes."
    todo = "Copy the credential once more from the service, without line breaks."


class AddressRefused(OutboundError):
    """The address is inside this machine or its network; nothing was asked."""

    permanent = True
    code = "address_refused"
    words = "{who} belongs to {what}, and calls go to the public Internet only."
    todo = "Enter a public address, or ask your operator to open this one for you."
