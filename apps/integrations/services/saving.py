"""Test and save: what somebody entered is stored if the service takes it, and nothing of it if not.

The service is asked first, with what is not stored yet. Storing writes to the account's audit trail, whose end stays
locked until the transaction is over: whoever asked a slow service meanwhile would keep the whole account waiting.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.integrations.models import Integration
from apps.integrations.oauth.trial import ConsentNeeded
from apps.integrations.services.connections import change, draft, draft_change, store
from apps.integrations.services.outcomes import keep_failure
from apps.integrations.services.trying import (
    Outcome,
    TooManyTests,
    count_try,
    note_outcome,
    told,
    try_credentials,
)


class NotSaved(Exception):
    """The service did not take what was entered, so it is not stored; ``outcome`` says why."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


def connect_if_it_works(
    *,
    actor: Actor,
    category: str,
    provider_name: str,
    credentials: Mapping[str, Any],
    settings: Mapping[str, Any],
    name: str = "",
) -> Integration:
    """Store a connection after a successful test of it.

    Raises NotSaved, TooManyTests, PermissionDenied, ValidationError naming each wrong field.
    """
    row = draft(
        actor=actor,
        category=category,
        provider_name=provider_name,
        credentials=credentials,
        settings=settings,
        name=name,
    )
    outcome = _tried(row, row)
    if not outcome.ok:
        raise _refused(outcome, actor, row.label, None)
    return _noted(store(row, actor=actor), outcome, actor)


def connect_anyway(*, actor: Actor, **values: Any) -> Integration:
    """Store a connection whatever its test says, and with it what it said. Takes what ``connect_if_it_works`` takes.

    Raises PermissionDenied, ValidationError naming each wrong field.
    """
    row = draft(actor=actor, **values)
    outcome = _tried_if_allowed(row, row)
    return _noted(store(row, actor=actor), outcome, actor)


def change_if_it_works(row: Integration, *, actor: Actor, **values: Any) -> Integration:
    """``change`` after a successful test of what it would come to. ``row`` should be locked.

    Raises NotSaved, TooManyTests, PermissionDenied, ValidationError naming each wrong field.
    """
    after = draft_change(row, actor=actor, **values)
    outcome = _tried(after, row)
    if not outcome.ok:
        raise _refused(outcome, actor, row.label, row)
    return _noted(change(row, actor=actor, **values), outcome, actor)


def change_anyway(row: Integration, *, actor: Actor, **values: Any) -> Integration:
    """``change`` whatever the test says, and keep what it said. ``row`` should be locked.

    Raises PermissionDenied, ValidationError naming each wrong field.
    """
    after = draft_change(row, actor=actor, **values)
    outcome = _tried_if_allowed(after, row)
    return _noted(change(row, actor=actor, **values), outcome, actor)


def _tried(row: Integration, counted: Integration) -> Outcome:
    count_try(counted)
    known = {} if row is counted else counted.credentials
    return try_credentials(row, row.credentials, row.settings, instead_of=known)


def _tried_if_allowed(row: Integration, counted: Integration) -> Outcome | None:
    """None when it was tested often enough for now, or nobody was asked since another consent is needed first.

    The connection says "not tested" then, until somebody does.
    """
    try:
        outcome = _tried(row, counted)
    except TooManyTests:
        return None
    return None if isinstance(outcome.error, ConsentNeeded) else outcome


def _noted(row: Integration, outcome: Outcome | None, actor: Actor) -> Integration:
    if outcome is not None:
        note_outcome(row, outcome)
        if outcome.error is not None:
            keep_failure(row.id, outcome.error, who=actor.label)
        audit.record("integration.tested", actor=actor, entity=row, label=row.label, changes=told(outcome))
    return row


def _refused(outcome: Outcome, actor: Actor, label: str, known: Integration | None) -> NotSaved:
    audit.record_refusal("integration.tested", actor=actor, entity=known, label=label, changes=told(outcome))
    return NotSaved(outcome)
