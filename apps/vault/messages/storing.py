"""Putting what was said into the vault, and reading a page of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.vault.fields import open_columns
from apps.vault.messages.hashing import hashers
from apps.vault.messages.models import SealedMessage
from apps.vault.messages.setting import Setting, account_in_scope, setting_to_write_by

_CONTENT = ("content", "fingerprint", "is_searchable", "words", "updated_at")


def store_content(message: SealedMessage, text: str, *, searchable: bool = True) -> None:
    """Store a new ``message`` with ``text``, or change the text of one.

    One that is not ``searchable`` is not found by its words.
    """
    fill_contents([(message, text)], searchable=searchable)
    if message._state.adding:
        message.save(force_insert=True)
    else:
        message.save(update_fields=_CONTENT)


def fill_contents(texts: Iterable[tuple[SealedMessage, str]], *, searchable: bool = True) -> None:
    """Give messages of the account in scope their texts, ready for ``bulk_create``; two queries for all."""
    setting = setting_to_write_by()
    account_id = account_in_scope()
    for message, text in texts:
        message.is_searchable = searchable
        message.take_content(text, words_for(account_id, text, setting) if searchable else [])


def words_for(account_id: UUID, text: str, setting: Setting) -> list[int] | None:
    """What ``text`` is found by under the account's current key; None while word search is off."""
    return hashers(account_id)[0].numbers(text, setting.language) if setting.enabled else None


def load_contents(model: type[SealedMessage], ids: Iterable[UUID]) -> dict[UUID, str]:
    """The texts of these messages by id, in one query. Ids of no message of the account are left out."""
    account_id = account_in_scope()
    rows = list(model.objects.filter(pk__in=list(ids)).values_list("id", "content"))  # type: ignore[attr-defined]
    return dict(open_columns(model, account_id, rows, {1: "content"}))  # type: ignore[arg-type]


def said_before(model: type[SealedMessage], text: str) -> Q:
    """The condition that a message says the same as ``text``, but for case and spacing: by its fingerprint."""
    field: Any = model._meta.get_field("fingerprint")
    return Q(fingerprint__in=field.candidates(account_in_scope(), text))
