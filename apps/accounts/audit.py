"""The port to the audit trail.

What happens in an account is recorded in the transaction in which it happens, or it does not happen. The
trail itself lives a floor above (``apps/vault/audit``), which plugs its writer in here at start-up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import models

from apps.accounts.actors import Actor
from apps.accounts.tenancy.scope import current_account_id


class NotAudited(RuntimeError):
    """No trail took the entry, so its cause must not happen."""


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    ``action`` is ``resource.verb`` in the past or present the page shows ("contact.created").
    ``changes`` maps a field to ``[before, after]`` or to a plain fact; never a secret.
    ``account_id`` None means the platform's own trail.
    """

    action: str
    actor: Actor
    account_id: UUID | None
    entity_type: str = ""
    entity_id: str = ""
    entity_label: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)


_writer: Callable[[Event], None] | None = None
_deferred: ContextVar[list[Event] | None] = ContextVar("deferred_audit_events", default=None)


def set_writer(writer: Callable[[Event], None]) -> None:
    """Plug the trail in; the vault's AppConfig does this once."""
    global _writer
    _writer = writer


def write(event: Event) -> None:
    """Write ``event`` now, in the current transaction. Raises NotAudited, or whatever stopped the writing."""
    if _writer is None:
        raise NotAudited(f"{event.action}: no audit trail is plugged in")
    _writer(event)


def record(
    action: str,
    *,
    actor: Actor,
    entity: models.Model | None = None,
    label: str = "",
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Record in the trail of the account in scope (of the platform, outside of one) what is being done."""
    write(
        Event(
            action=action,
            actor=actor,
            account_id=current_account_id(),
            entity_type=entity._meta.model_name or "" if entity is not None else "",
            entity_id=str(entity.pk) if entity is not None else "",
            entity_label=label,
            changes=dict(changes or {}),
        )
    )


def record_refusal(
    action: str,
    *,
    actor: Actor,
    entity: models.Model | None = None,
    label: str = "",
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Record an attempt that was refused: outlives the rollback of the request that made it.

    Inside a request the entry is written after the request's transaction has ended; elsewhere at once.
    """
    event = Event(
        action=action,
        actor=actor,
        account_id=current_account_id(),
        entity_type=entity._meta.model_name or "" if entity is not None else "",
        entity_id=str(entity.pk) if entity is not None else "",
        entity_label=label,
        changes=dict(changes or {}),
    )
    queue = _deferred.get()
    if queue is None:
        write(event)
    else:
        queue.append(event)


def changed_fields(before: models.Model, after: models.Model, names: list[str]) -> dict[str, list[Any]]:
    """``{field: [before, after]}`` of those ``names`` whose value differs."""
    return {
        name: [getattr(before, name), getattr(after, name)]
        for name in names
        if getattr(before, name) != getattr(after, name)
    }
