"""Calling an outside service through a connection of the account: found, timed, counted, and its errors kept.

What a call came to is written beside the caller's transaction (``apart``): it stays true when the caller rolls back,
and no caller holds the connection's row while it does other things.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.accounts.tenancy.apart import apart
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration
from apps.integrations.oauth.access import client_of
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.providers import CATEGORIES
from apps.integrations.selectors import integration_for
from apps.integrations.services.outcomes import record_error, record_usage


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
    started: float = field(default_factory=time.monotonic)
    finished: bool = False

    def finish(self, error: BaseException | None = None) -> None:
        """Keep what the call came to; a second time does nothing. Needs no scope, and opens its own."""
        if self.finished:
            return
        self.finished = True
        self.client.close()
        apart(lambda: self._keep(error))

    def _keep(self, error: BaseException | None) -> None:
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


def begin(job: str, *, actor: Actor, provider: str | None = None, integration: Integration | None = None) -> Call:
    """A call of the connection that does ``job`` ("crm.find_contact") for the account in scope.

    The caller must ``finish`` it; ``calling`` does. Raises PermissionDenied, NotConfigured, and OutboundError when the
    connection's grant gives no access token.
    """
    require(actor, "integrations.use")
    category = job.partition(".")[0]
    row = integration or integration_for(category, provider)
    if row is None or not row.enabled or job not in row.definition.jobs:
        raise NotConfigured(category)
    account_id = row.account_id
    assert account_id is not None
    try:
        client = client_of(row)
    except OutboundError as error:
        _note_no_access(account_id, row.id, error)
        raise
    return Call(job, actor, account_id, row, client)


def _note_no_access(account_id: UUID, row_id: UUID, error: OutboundError) -> None:
    """Keep why there is no access token to call with."""

    def keep() -> None:
        with tenant(account_id):
            record_error(row_id, error)

    apart(keep)


@contextmanager
def calling(
    job: str, *, actor: Actor, provider: str | None = None, integration: Integration | None = None
) -> Iterator[Call]:
    """``begin``, and ``finish`` however the block ends. Raises PermissionDenied, NotConfigured."""
    call = begin(job, actor=actor, provider=provider, integration=integration)
    try:
        yield call
    except BaseException as error:
        call.finish(error)
        raise
    call.finish()
