"""Remembering facts about a contact, changing them, and forgetting them."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.features import require_feature
from apps.accounts.permissions import require
from apps.accounts.tenancy.scope import current_account_id
from apps.chat.features import AGENT_MEMORY
from apps.chat.models import ContactMemory, Message
from apps.vault.models import Contact

FIELDS = ("content", "importance", "tags", "state")
MOST_LETTERS, MOST_TAGS, MOST_TAG_LETTERS, MOST_FACTS = 1_000, 10, 40, 500
State, Origin = ContactMemory.State, ContactMemory.Origin


def remember(
    contact: Contact,
    *,
    actor: Actor,
    content: str,
    importance: int = 3,
    tags: Any = (),
    source_message: Message | None = None,
    origin: str = Origin.HAND,
) -> ContactMemory:
    """Keep a fact about ``contact``; a proposal unless it is told by hand. The same fact twice is kept once.

    Raises PermissionDenied, FeatureOff, ValidationError naming each wrong field.
    """
    require(actor, "memories.manage")
    _require_on()
    memory = ContactMemory(contact=contact, origin=origin, source_message=source_message)
    memory.state = State.REMEMBERED if origin == Origin.HAND else State.PROPOSED
    _set(memory, {"content": content, "importance": importance, "tags": tags})
    # Facts are encrypted, so no constraint can tell twins: who tells the same at the same time waits here.
    Contact.objects.select_for_update(no_key=True, of=("self",)).filter(pk=contact.pk).values_list("pk").get()
    known = list(ContactMemory.objects.filter(contact=contact))
    twin = next((row for row in known if _same(row.content, memory.content)), None)
    if twin is not None:
        return _accepted(twin, actor) if memory.state == State.REMEMBERED else twin
    if len(known) >= MOST_FACTS:
        words = f"There are {MOST_FACTS} facts about this contact. Forget some first."
        raise ValidationError({"content": ValidationError(words, code="too_many")})
    memory.save(force_insert=True)
    audit.record(f"memory.{memory.state}", actor=actor, entity=contact, changes={"importance": memory.importance})
    return memory


def change_memory(memory: ContactMemory, *, actor: Actor, **values: Any) -> ContactMemory:
    """Change any of FIELDS; ``state`` accepts or dismisses a proposal. ``memory`` should be locked.

    Raises PermissionDenied, FeatureOff, ValidationError naming each wrong field.
    """
    require(actor, "memories.manage")
    _require_on()
    before = {name: getattr(memory, name) for name in FIELDS}
    _set(memory, values)
    changed = [name for name in FIELDS if before[name] != getattr(memory, name)]
    if not changed:
        return memory
    if "content" in changed:
        memory.embedding = None
    memory.save()
    # What the fact says is kept in one place; the trail names what of it was changed.
    audit.record("memory.changed", actor=actor, entity=memory.contact, changes={"fields": changed})
    return memory


def forget(memory: ContactMemory, *, actor: Actor) -> None:
    """Remove a fact. There is no way back, also while the feature is off. Raises PermissionDenied."""
    require(actor, "memories.manage")
    audit.record("memory.forgotten", actor=actor, entity=memory.contact)
    memory.delete()


@transaction.atomic
def forget_all(contact: Contact, *, actor: Actor) -> int:
    """Remove all facts about ``contact``, as they asked for. Returns how many. Raises PermissionDenied."""
    require(actor, "memories.manage")
    count, _ = ContactMemory.objects.filter(contact=contact).delete()
    if count:
        audit.record("memory.all_forgotten", actor=actor, entity=contact, changes={"facts": count})
    return count


def lock_memory(memory_id: Any) -> ContactMemory:
    """The fact, held until the transaction ends. Raises ContactMemory.DoesNotExist."""
    memory: ContactMemory = ContactMemory.objects.select_for_update(of=("self",)).get(pk=memory_id)
    return memory


def _accepted(memory: ContactMemory, actor: Actor) -> ContactMemory:
    if memory.state != State.REMEMBERED:
        memory.state = State.REMEMBERED
        memory.save(update_fields=["state", "updated_at"])
        audit.record("memory.remembered", actor=actor, entity=memory.contact)
    return memory


def _require_on() -> None:
    account_id = current_account_id()
    assert account_id is not None, "Memories belong to an account."
    require_feature(AGENT_MEMORY.name, account_id)


def _same(one: str, other: str) -> bool:
    return one.casefold().rstrip(".") == other.casefold().rstrip(".")


def _set(memory: ContactMemory, values: dict[str, Any]) -> None:
    wrong: dict[str, ValidationError] = {}
    for name, value in values.items():
        try:
            setattr(memory, name, _CLEANERS[name](value))
        except ValidationError as error:
            wrong[name] = error
    if wrong:
        raise ValidationError(wrong)  # type: ignore[arg-type]


def _content(value: Any) -> str:
    text = " ".join(str(value or "").split())
    if not text:
        raise ValidationError("Write what should be remembered.", code="required")
    if len(text) > MOST_LETTERS:
        raise ValidationError(f"Use at most {MOST_LETTERS:,} characters; this has {len(text):,}.", code="max_length")
    return text


def _importance(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 5:
        raise ValidationError("Choose a number from 1 (nice to know) to 5 (never forget).", code="invalid")
    return value


def _tags(value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(tag, str) for tag in value):
        raise ValidationError("Give a list of words.", code="invalid")
    tags = list(dict.fromkeys(tag.strip().lower() for tag in value if tag.strip()))
    if len(tags) > MOST_TAGS or any(len(tag) > MOST_TAG_LETTERS for tag in tags):
        raise ValidationError(f"Use at most {MOST_TAGS} tags of {MOST_TAG_LETTERS} characters each.", code="max_length")
    return tags


def _state(value: Any) -> str:
    if value not in State.values:
        raise ValidationError(f"Choose one of {', '.join(State.values)}.", code="invalid_choice")
    return str(value)


_CLEANERS: dict[str, Any] = {"content": _content, "importance": _importance, "tags": _tags, "state": _state}
