"""Where conversations come in: making, changing and removing inboxes."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.names import check_name
from apps.accounts.permissions import require
from apps.chat.models import Conversation, Inbox

FIELDS = ("name", "channel", "enabled")
_TAKEN = "Another inbox has this name."
DEFAULT_NAME = "Direct"


def create_inbox(*, actor: Actor, **values: Any) -> Inbox:
    """Make an inbox with any of FIELDS. Raises PermissionDenied, ValidationError naming each wrong field."""
    require(actor, "inboxes.manage")
    inbox = Inbox()
    _set(inbox, values)
    _save(inbox, force_insert=True)
    audit.record(
        "inbox.created", actor=actor, entity=inbox, label=inbox.name, changes={"channel": [None, inbox.channel]}
    )
    return inbox


def update_inbox(inbox: Inbox, *, actor: Actor, **values: Any) -> Inbox:
    """Change any of FIELDS. Raises PermissionDenied, ValidationError naming each wrong field."""
    require(actor, "inboxes.manage")
    before = {name: getattr(inbox, name) for name in FIELDS}
    _set(inbox, values)
    changes = {name: [before[name], getattr(inbox, name)] for name in FIELDS if before[name] != getattr(inbox, name)}
    if changes:
        _save(inbox)
        audit.record("inbox.updated", actor=actor, entity=inbox, label=inbox.name, changes=changes)
    return inbox


def delete_inbox(inbox: Inbox, *, actor: Actor) -> None:
    """Remove an inbox that holds nothing. Raises PermissionDenied, ValidationError while it has conversations."""
    require(actor, "inboxes.manage")
    if Conversation.objects.filter(inbox=inbox).exists():
        raise ValidationError({"inbox": ValidationError("It has conversations. Switch it off instead.", code="in_use")})
    audit.record("inbox.deleted", actor=actor, entity=inbox, label=inbox.name)
    inbox.delete()


def default_inbox() -> Inbox:
    """The inbox of conversations that name none: the oldest that is switched on, made when there is none."""
    inbox: Inbox | None = Inbox.objects.filter(enabled=True).order_by("id").first()
    return inbox or Inbox.objects.get_or_create(name=DEFAULT_NAME, defaults={"channel": Inbox.Channel.API})[0]


def _set(inbox: Inbox, values: dict[str, Any]) -> None:
    for name in FIELDS:
        if name in values:
            setattr(inbox, name, values[name].strip() if isinstance(values[name], str) else values[name])
    inbox.clean_fields(exclude=["account"])
    check_name(inbox.name)


def _save(inbox: Inbox, **options: Any) -> None:
    try:
        with transaction.atomic():
            inbox.save(**options)
    except IntegrityError as error:
        raise ValidationError({"name": ValidationError(_TAKEN, code="unique")}) from error
