"""What is metered: lines of units, and for whom and for what they were used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from apps.accounts.actors import Actor
from apps.accounts.tenancy.scope import NoScope, current_account_id

_QUANTUM, _MOST = Decimal("0.000001"), Decimal(10) ** 17
CALLS = "calls"
"""The unit of requests as such. What services bill has units of its own: tokens, messages, searches."""

VECTORS, SEARCHES, MEMORY = "vectors", "searches", "memory_gb"
HELD = frozenset({VECTORS, MEMORY})
"""Units of what is kept rather than done: a month costs what was held in it at most, beyond what is free."""


def unit_for(unit: str, value: Decimal) -> str:
    """The unit as it stands after a number: "input tokens", "1 search"."""
    words = unit.replace("_", " ")
    if value != 1:
        return words
    return words.removesuffix("es" if words.endswith(("ches", "shes", "sses", "xes")) else "s")


@dataclass(frozen=True)
class Line:
    """``quantity`` of ``unit``: ``Line("input_tokens", 1200, "anthropic/claude-sonnet-4")``.

    ``item`` is what the price depends on: "provider" or "provider/product". Raises ValueError for what has no count.
    """

    unit: str
    quantity: Decimal | int | float = 1
    item: str = ""

    def __post_init__(self) -> None:
        amount = Decimal(str(self.quantity))
        if not amount.is_finite() or not 0 <= amount < _MOST:
            raise ValueError(f"{self.quantity} {self.unit} can't be counted.")
        if not self.unit or len(self.unit) > 40 or len(self.item) > 120:
            raise ValueError(f"A unit has 1 to 40 characters, an item at most 120: {self.unit!r}, {self.item!r}.")
        object.__setattr__(self, "quantity", amount.quantize(_QUANTUM, ROUND_HALF_UP))

    @property
    def amount(self) -> Decimal:
        """The quantity, always as a decimal number."""
        return Decimal(self.quantity)

    def to_json(self) -> list[str]:
        """As a reservation's row keeps it."""
        return [self.unit, str(self.quantity), self.item]

    @classmethod
    def from_json(cls, stored: list[Any]) -> Line:
        """What ``to_json`` wrote."""
        return cls(stored[0], Decimal(stored[1]), stored[2])


@dataclass(frozen=True)
class Work:
    """For whom and for what something is used; the fields are those of ``models.usage.Attributed``."""

    account_id: UUID
    source: str
    subject: UUID | None = None
    cause: str = ""
    cause_subject: UUID | None = None
    user_id: UUID | None = None
    api_key_id: UUID | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """As rows keep it, besides the account."""
        names = ("source", "subject", "cause", "cause_subject", "user_id", "api_key_id")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def of(cls, row: Any) -> Work:
        """Of a reservation, an event or another Attributed row."""
        names = ("account_id", "source", "subject", "cause", "cause_subject", "user_id", "api_key_id")
        return cls(**{name: getattr(row, name) for name in names})


@dataclass(frozen=True)
class _Cause:
    source: str
    subject: UUID | None
    actor: Actor | None


_cause: ContextVar[_Cause | None] = ContextVar("metering_cause", default=None)


@contextmanager
def caused_by(source: str, subject: UUID | None = None, *, actor: Actor | None = None) -> Iterator[None]:
    """All that is metered inside is done on behalf of this: limits of both hold, and reports count it there.

    ``with caused_by("workflows", workflow.id, actor=actor): …`` around a run; the outermost cause counts.
    """
    outer = _cause.get()
    token = _cause.set(outer or _Cause(source, subject, actor))
    try:
        yield
    finally:
        _cause.reset(token)


def work_of(
    source: str, subject: UUID | None, actor: Actor | None, account: Any = None, api_key_id: UUID | None = None
) -> Work:
    """The work that ``actor`` (else the cause's) has done in the account (else the one in scope). Raises NoScope."""
    account_id = current_account_id() if account is None else getattr(account, "id", account)
    if account_id is None:
        raise NoScope("What is metered belongs to an account: name one, or open its scope.")
    cause = _cause.get()
    if cause is not None and (actor is None or actor.kind == "system"):
        actor = cause.actor or actor
    if cause is not None and (cause.source, cause.subject) == (source, subject):
        cause = None
    return Work(
        account_id,
        source,
        subject,
        cause.source if cause else "",
        cause.subject if cause else None,
        actor.user_id if actor and actor.kind in {"user", "api_key"} else None,
        api_key_id or (actor.id if actor and actor.kind == "api_key" else None),
    )
