"""Calling an outside service through a connection of the account: found, timed, counted, and its errors kept.

A call is reserved before and counted after (``metering``). What it came to is written beside the caller's transaction
(``apart``): it stays true when the caller rolls back, and no caller holds the connection's row while it does other
things.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.metering import Line, Settled, release, reserve, settle
from apps.accounts.metering.lines import CALLS
from apps.accounts.models import Reservation
from apps.accounts.permissions import require
from apps.accounts.tenancy.apart import apart
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration
from apps.integrations.oauth.access import client_of
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.providers import CATEGORIES
from apps.integrations.selectors import integrations_of
from apps.integrations.services.outcomes import record_error, record_usage
from apps.integrations.usage import SOURCE


class NotConfigured(OutboundError):
    """The account has no enabled connection that does this."""

    permanent = True
    code = "not_configured"

    def __init__(self, category: str) -> None:
        label = CATEGORIES[category].label
        super().__init__(f"No connection for “{label}” is set up.")
        self.todo = f"Connect a service under Integrations › {label}."


@dataclass
class Call:
    """A call under way. ``client`` does the work; ``finish`` says once what it came to."""

    job: str
    actor: Actor
    account_id: UUID
    integration: Integration
    client: Any = field(repr=False)
    reservation: Reservation = field(repr=False)
    expected: tuple[Line, ...] = ()
    used: list[Line] = field(default_factory=list)
    """What the service billed beside the call itself; ``expected`` when nothing is said and all went well."""
    settled: Settled | None = None
    started: float = field(default_factory=time.monotonic)
    finished: bool = False

    @property
    def item(self) -> str:
        """What prices go by."""
        return self.integration.provider

    @property
    def cost(self) -> Decimal | None:
        """What it came to in the platform's currency; None before it is finished, and when any price is unknown."""
        return self.settled.cost if self.settled and not self.settled.unpriced else None

    def finish(self, error: BaseException | None = None) -> None:
        """Keep what the call came to; a second time does nothing. Needs no scope, and opens its own."""
        if self.finished:
            return
        self.finished = True
        milliseconds = round((time.monotonic() - self.started) * 1000)
        try:
            self.client.close()
        finally:
            apart(lambda: self._keep(error, milliseconds))

    def _keep(self, error: BaseException | None, milliseconds: int) -> None:
        used = self.used or (() if error else self.expected)
        lines = (Line(CALLS, 1, self.item), *used)
        self.settled = settle(self.reservation, *lines, ok=error is None, duration_ms=milliseconds)
        with tenant(self.account_id):
            if error is None:
                record_usage(self.integration.id)
            elif isinstance(error, OutboundError):
                record_error(self.integration.id, error, job=self.job, who=self.actor.label)

    def sent_personal_data(self, *names: str) -> None:
        """Record in the trail that data of a person went out: which kinds, never the values. Needs a scope."""
        audit.record(
            "integration.data_sent",
            actor=self.actor,
            entity=self.integration,
            label=self.integration.label,
            changes={"job": self.job, "data": sorted(names)},
        )


def begin(
    job: str,
    *,
    actor: Actor,
    provider: str | None = None,
    integration: Integration | None = None,
    expected: Callable[[Integration], tuple[Line, ...]] = lambda _: (),
) -> Call:
    """A call of the connection that does ``job`` ("crm.find_contact") for the account in scope.

    ``expected``: what it uses at most beside the call itself, which is reserved. The caller must ``finish`` the call;
    ``calling`` does. Raises PermissionDenied, NotConfigured, LimitReached, PriceUnknown, OutboundError.
    """
    require(actor, "integrations.use")
    category = job.partition(".")[0]
    rows = [integration] if integration else integrations_of(category, provider)
    row = next((row for row in rows if row.enabled and job in row.definition.jobs), None)
    if row is None:
        raise NotConfigured(category)
    account_id = row.account_id
    assert account_id is not None
    lines = expected(row)
    reservation = reserve(SOURCE, Line(CALLS, 1, row.provider), *lines, subject=row.id, actor=actor)
    try:
        client = client_of(row)
    except BaseException as error:
        release(reservation)
        if isinstance(error, OutboundError):
            _note_no_access(account_id, row.id, error)
        raise
    return Call(job, actor, account_id, row, client, reservation, lines)


def _note_no_access(account_id: UUID, row_id: UUID, error: OutboundError) -> None:
    """Keep why there is no access token to call with."""

    def keep() -> None:
        with tenant(account_id):
            record_error(row_id, error)

    apart(keep)


@contextmanager
def calling(
    job: str,
    *,
    actor: Actor,
    provider: str | None = None,
    integration: Integration | None = None,
    expected: Callable[[Integration], tuple[Line, ...]] = lambda _: (),
) -> Iterator[Call]:
    """``begin``, and ``finish`` however the block ends. Raises what ``begin`` does."""
    call = begin(job, actor=actor, provider=provider, integration=integration, expected=expected)
    try:
        yield call
    except BaseException as error:
        call.finish(error)
        raise
    call.finish()
