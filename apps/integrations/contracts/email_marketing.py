"""People on mailing lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal["subscribed", "pending", "unsubscribed", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    """Who is put on a list."""

    email: str
    name: str = ""
    tags: tuple[str, ...] = ()

    @property
    def first_and_last_name(self) -> tuple[str, str]:
        """The name in two, as lists greet people; a single name is the first one."""
        first, _, last = self.name.strip().rpartition(" ")
        return (first.strip(), last) if first else (last, "")


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """How a person stands to a list. ``pending``: they were asked to confirm (double opt-in)."""

    email: str
    state: State
    audience: str = ""
    id: str = ""


class EmailMarketing(Protocol):
    """What clients of the category offer.

    ``audience`` is the list's id at the service; "" for the one of the settings.
    """

    def subscribe(self, subscriber: Subscriber, *, audience: str = "") -> Subscription:
        """Put the person on the list; one who is on it already stays. Raises OutboundError."""

    def unsubscribe(self, email: str, *, audience: str = "") -> Subscription:
        """Take the person off the list; one who is not on it is no error. Raises OutboundError."""
