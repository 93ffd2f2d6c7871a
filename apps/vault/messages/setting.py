"""Whether the account in scope wants its messages to be found by word, and who may change that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.jobs import enqueue
from apps.accounts.models import Job
from apps.accounts.permissions import require
from apps.accounts.tenancy.scope import NoScope, current_account_id
from apps.vault.messages.models import SealedMessage, SearchWord
from apps.vault.messages.words import DEFAULT_LANGUAGE, languages
from apps.vault.models import MessageSearch

REBUILD = "messages.words"
"""The kind of job that makes or removes the words of all messages."""


@dataclass(frozen=True)
class Setting:
    """What an account chose. While ``building``, not everything is found yet."""

    enabled: bool = True
    language: str = DEFAULT_LANGUAGE
    building: bool = False

    @classmethod
    def of(cls, text: str | None) -> Setting:
        """From what ``asking.SETTING`` gives."""
        if text is None:
            return cls()
        enabled, building, language = text.split(" ", 2)
        return cls(enabled == "true", language, building == "true")


def current_setting() -> Setting:
    """The setting of the account in scope; one query."""
    row = MessageSearch.objects.values_list("enabled", "language", "building").first()
    return Setting(*row) if row else Setting()


def setting_to_write_by() -> Setting:
    """The setting, which stays as it is until the transaction ends: no word is written after the switch is off."""
    _lock(alone=False)
    return current_setting()


def account_in_scope() -> UUID:
    """Raises NoScope outside of an account."""
    account_id = current_account_id()
    if account_id is None:
        raise NoScope("Messages belong to one account: open tenant(account).")
    return account_id


def _lock(*, alone: bool) -> None:
    function = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [f"messages.words {account_in_scope()}"])


def change_setting(*, actor: Actor, enabled: bool | None = None, language: str | None = None) -> Job | None:
    """Switch word search on or off, or change its language. Returns the job that brings the words in line.

    It begins when this transaction has committed. None when nothing changes. Raises PermissionDenied, ValidationError.
    """
    require(actor, "account.update")
    _lock(alone=True)
    before = current_setting()
    after = Setting(
        before.enabled if enabled is None else enabled, before.language if language is None else language, building=True
    )
    if after.language not in languages():
        raise ValidationError({"language": ValidationError("There is no such language.", code="invalid_choice")})
    if (after.enabled, after.language) == (before.enabled, before.language):
        return None
    _save(after)
    changes = {
        name: [getattr(before, name), getattr(after, name)]
        for name in ("enabled", "language")
        if getattr(before, name) != getattr(after, name)
    }
    audit.record("messages.search_changed", actor=actor, label="Word search", changes=changes)
    return enqueue(REBUILD, actor=actor)


def rebuild(*, actor: Actor) -> Job:
    """Make all words anew, as after a change of the index key: search works meanwhile. Raises PermissionDenied."""
    require(actor, "account.update")
    return enqueue(REBUILD, actor=actor, dedupe_key="rebuild")


def note_built() -> None:
    """Everything is found (or nothing, as it was asked for)."""
    MessageSearch.objects.filter(building=True).update(building=False)


def _save(setting: Setting) -> None:
    values = {"enabled": setting.enabled, "language": setting.language, "building": setting.building}
    MessageSearch.objects.update_or_create(account_id=account_in_scope(), defaults=values)


@cache
def words_of(model: type[SealedMessage]) -> Any:
    """The model of the words of these messages. Raises LookupError when they have none."""
    for words in word_models():
        if words.of is model:
            return words
    raise LookupError(f"{model._meta.label} has no table of words.")


def word_models() -> list[Any]:
    """Every model of words there is."""
    return [model for model in apps.get_models() if issubclass(model, SearchWord)]
