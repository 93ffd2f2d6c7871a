"""Opening conversations, putting them into somebody's hands, and ending them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import Membership
from apps.accounts.permissions import require
from apps.accounts.roles import Role
from apps.chat.models import Conversation, ConversationLabel, Inbox, Label
from apps.chat.services.activity import tell_changes
from apps.chat.services.inboxes import default_inbox
from apps.chat.signals import conversation_changed, conversation_removed
from apps.vault.contact_values import clean_values
from apps.vault.models import Contact

FIELDS = ("subject", "status", "snoozed_until", "assignee", "custom_attributes")
MOST_SUBJECT_LETTERS = 200
Status = Conversation.Status


def open_conversation(
    *,
    actor: Actor,
    contact: Contact,
    inbox: Inbox | None = None,
    labels: Iterable[Label] = (),
    at: datetime | None = None,
    **values: Any,
) -> Conversation:
    """Begin a conversation with ``contact``, with any of FIELDS; in the default inbox when none is given.

    ``at``: when it began, if that was not now. Raises PermissionDenied, ValidationError naming each wrong field.
    """
    require(actor, "conversations.create")
    inbox = inbox or default_inbox()
    if not inbox.enabled:
        raise ValidationError({"inbox": ValidationError("This inbox is switched off.", code="disabled")})
    conversation = Conversation(inbox=inbox, contact=contact, last_activity_at=at or timezone.now())
    _set(conversation, values)
    conversation.resolved_at = conversation.last_activity_at if conversation.status == Status.RESOLVED else None
    conversation.save(force_insert=True)
    ConversationLabel.objects.bulk_create(ConversationLabel(conversation=conversation, label=label) for label in labels)
    audit.record(
        "conversation.opened",
        actor=actor,
        entity=conversation,
        label=conversation.subject,
        changes={"contact": str(contact.id), "inbox": inbox.name},
    )
    conversation_changed.send(sender=Conversation, conversation=conversation, fields=("opened",), actor=actor)
    return conversation


def change_conversation(conversation: Conversation, *, actor: Actor, **values: Any) -> Conversation:
    """Change any of FIELDS. ``conversation`` should be locked (``lock_conversation``).

    Raises PermissionDenied, ValidationError naming each wrong field.
    """
    require(actor, "conversations.update")
    before = _shown(conversation)
    _set(conversation, values)
    after = _shown(conversation)
    changes = {name: [before[name], after[name]] for name in before if before[name] != after[name]}
    if not changes:
        return conversation
    if "status" in changes:
        conversation.resolved_at = timezone.now() if conversation.status == Status.RESOLVED else None
    conversation.save(
        update_fields=[
            *(name for name in FIELDS if name in changes or name == "snoozed_until"),
            "resolved_at",
            "updated_at",
        ]
    )
    audit.record("conversation.changed", actor=actor, entity=conversation, label=conversation.subject, changes=changes)
    tell_changes(conversation, changes, actor=actor)
    conversation_changed.send(sender=Conversation, conversation=conversation, fields=tuple(changes), actor=actor)
    return conversation


def label_conversation(conversation: Conversation, labels: Iterable[Label], *, actor: Actor) -> None:
    """Let ``conversation`` carry exactly ``labels``. Raises PermissionDenied."""
    require(actor, "conversations.update")
    wanted = {label.id: label for label in labels}
    carried = {row.label_id: row for row in conversation.labellings.select_related("label")}
    added = [label for key, label in wanted.items() if key not in carried]
    dropped = [row for key, row in carried.items() if key not in wanted]
    if not added and not dropped:
        return
    ConversationLabel.objects.filter(pk__in=[row.pk for row in dropped]).delete()
    ConversationLabel.objects.bulk_create(ConversationLabel(conversation=conversation, label=label) for label in added)
    names = [sorted(row.label.name for row in carried.values()), sorted(label.name for label in wanted.values())]
    audit.record(
        "conversation.labelled",
        actor=actor,
        entity=conversation,
        label=conversation.subject,
        changes={"labels": names},
    )
    conversation_changed.send(sender=Conversation, conversation=conversation, fields=("labels",), actor=actor)


def mark_seen(conversation: Conversation, *, actor: Actor) -> None:
    """Somebody of the team has it open: what came in so far is read. Not worth an entry in the trail."""
    if actor.role is None or actor.role == Role.VIEWER or not conversation.is_unread:
        return
    conversation.seen_at = timezone.now()
    conversation.save(update_fields=["seen_at"])
    conversation_changed.send(sender=Conversation, conversation=conversation, fields=("seen_at",), actor=actor)


def delete_conversation(conversation: Conversation, *, actor: Actor) -> None:
    """Remove a conversation and all that was said in it. There is no way back. Raises PermissionDenied."""
    require(actor, "conversations.delete")
    audit.record(
        "conversation.deleted",
        actor=actor,
        entity=conversation,
        label=conversation.subject,
        changes={"contact": str(conversation.contact_id), "messages": conversation.messages.count()},
    )
    conversation_removed.send(sender=Conversation, conversation=conversation, actor=actor)
    conversation.delete()


def lock_conversation(conversation_id: Any) -> Conversation:
    """The conversation, held until the transaction ends. Raises Conversation.DoesNotExist."""
    conversation: Conversation = Conversation.objects.select_for_update().get(pk=conversation_id)
    return conversation


def _set(conversation: Conversation, values: dict[str, Any]) -> None:
    """Put ``values`` into ``conversation``. Raises ValidationError naming each wrong field, TypeError for no field."""
    if unknown := set(values) - set(FIELDS):
        raise TypeError(f"Not a value of a conversation: {', '.join(sorted(unknown))}")
    wrong: dict[str, ValidationError] = {}
    for name, value in values.items():
        try:
            setattr(conversation, name, _CLEANERS[name](value))
        except ValidationError as error:
            wrong[name] = error
    # One that is about to wake can be changed in other ways: only who says when hears about the time.
    if not wrong and not values.keys().isdisjoint({"status", "snoozed_until"}):
        wrong = _snoozing(conversation, values)
    if wrong:
        raise ValidationError(wrong)  # type: ignore[arg-type]


def _snoozing(conversation: Conversation, values: dict[str, Any]) -> dict[str, ValidationError]:
    """Snoozed conversations wake at a time to come, or when the customer writes; others have no such time."""
    if conversation.status != Status.SNOOZED:
        if conversation.snoozed_until is not None and "status" not in values:
            words = "Only a snoozed conversation has such a time. Send the status snoozed, too."
            return {"snoozed_until": ValidationError(words, code="not_snoozed")}
        conversation.snoozed_until = None
        return {}
    if conversation.snoozed_until is not None and conversation.snoozed_until <= timezone.now():
        return {"snoozed_until": ValidationError("Choose a time to come.", code="past")}
    return {}


def _subject(value: Any) -> str:
    if value is not None and not isinstance(value, str):
        raise ValidationError("The subject must be text.", code="not_text")
    text = " ".join((value or "").split())
    if len(text) > MOST_SUBJECT_LETTERS:
        words = f"Use at most {MOST_SUBJECT_LETTERS} characters; this has {len(text)}."
        raise ValidationError(words, code="max_length")
    return text


def _status(value: Any) -> str:
    if value not in Status.values:
        raise ValidationError(f"Choose one of {', '.join(Status.values)}.", code="invalid_choice")
    return str(value)


def _assignee(value: Membership | UUID | None) -> Membership | None:
    """A member who may answer: viewers read only."""
    member = Membership.objects.filter(pk=value).first() if isinstance(value, UUID) else value
    if value is not None and member is None:
        raise ValidationError("There is no such member.", code="not_found")
    if member is not None and member.role == Role.VIEWER:
        raise ValidationError("Viewers can't be in charge of a conversation.", code="viewer")
    return member


def _attributes(value: Any) -> dict[str, Any]:
    try:
        cleaned = clean_values({"custom_attributes": value}, region=None)["custom_attributes"]
    except ValidationError as error:
        raise error.error_dict["custom_attributes"][0] from None
    return cleaned or {}


_CLEANERS: dict[str, Any] = {
    "subject": _subject,
    "status": _status,
    "snoozed_until": lambda value: value,
    "assignee": _assignee,
    "custom_attributes": _attributes,
}


def _shown(conversation: Conversation) -> dict[str, Any]:
    until = conversation.snoozed_until
    return {
        "subject": conversation.subject,
        "status": conversation.status,
        "snoozed_until": until.isoformat() if until else None,
        "assignee": conversation.assignee.user.email if conversation.assignee else None,
        "custom_attributes": conversation.custom_attributes or {},
    }
