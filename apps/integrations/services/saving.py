"""Test and save: what somebody entered is stored if the service takes it, and nothing of it if not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.tenancy.scope import current_account_id
from apps.integrations.models import Integration
from apps.integrations.services.connections import change, connect
from apps.integrations.services.trying import Outcome, count_try, note_outcome, told, try_credentials


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
    count_first = Integration(account_id=current_account_id(), category=category, provider=provider_name)

    def make() -> Integration:
        return connect(
            actor=actor,
            category=category,
            provider_name=provider_name,
            credentials=credentials,
            settings=settings,
            name=name,
        )

    return _saved(make, count_first, actor)


def change_if_it_works(row: Integration, *, actor: Actor, **values: Any) -> Integration:
    """``change`` after a successful test of what it would come to. ``row`` should be locked.

    Raises NotSaved, TooManyTests, PermissionDenied, ValidationError naming each wrong field.
    """
    before = Integration.objects.get(pk=row.pk)
    return _saved(lambda: change(row, actor=actor, **values), before, actor)


def _saved(save: Callable[[], Integration], counted: Integration, actor: Actor) -> Integration:
    """What ``save`` stores, tested inside of a savepoint that is undone when the test fails."""
    with transaction.atomic():
        row = save()
        count_try(counted)
        outcome = try_credentials(row, row.credentials, row.settings)
        if outcome.ok:
            note_outcome(row, outcome)
            audit.record("integration.tested", actor=actor, entity=row, label=row.label, changes=told(outcome))
            return row
        transaction.set_rollback(True)
    known = None if counted._state.adding else counted
    audit.record_refusal("integration.tested", actor=actor, entity=known, label=counted.label, changes=told(outcome))
    raise NotSaved(outcome)
