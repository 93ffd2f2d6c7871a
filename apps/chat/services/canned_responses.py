"""Answers that the team keeps ready: making, changing and removing them."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.chat.models import CannedResponse
from apps.chat.suggestions.profiles import note_replies

FIELDS = ("short_code", "content")
MOST_LETTERS = 5_000
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}", re.ASCII)
_CODE_RULE = "Use up to 50 small letters, digits, - and _, beginning with a letter or digit."
_TAKEN = "Another canned response has this short code."


def create_canned_response(*, actor: Actor, **values: Any) -> CannedResponse:
    """Make a canned response with both FIELDS. Raises PermissionDenied, ValidationError naming each wrong field."""
    require(actor, "canned_responses.manage")
    canned = CannedResponse()
    _set(canned, {"short_code": "", "content": "", **values})
    _save(canned, force_insert=True)
    note_replies([canned.pk])
    audit.record("canned_response.created", actor=actor, entity=canned, label=str(canned))
    return canned


def update_canned_response(canned: CannedResponse, *, actor: Actor, **values: Any) -> CannedResponse:
    """Change any of FIELDS. Raises PermissionDenied, ValidationError naming each wrong field."""
    require(actor, "canned_responses.manage")
    before = {name: getattr(canned, name) for name in FIELDS}
    _set(canned, values)
    changes = {name: [before[name], getattr(canned, name)] for name in FIELDS if before[name] != getattr(canned, name)}
    if changes:
        _save(canned)
        note_replies([canned.pk])
        audit.record("canned_response.updated", actor=actor, entity=canned, label=str(canned), changes=changes)
    return canned


def delete_canned_response(canned: CannedResponse, *, actor: Actor) -> None:
    """Remove a canned response. Replies that used it keep its text. Raises PermissionDenied."""
    require(actor, "canned_responses.manage")
    audit.record(
        "canned_response.deleted",
        actor=actor,
        entity=canned,
        label=str(canned),
        changes={"content": [canned.content, None]},
    )
    canned.delete()


def normal_code(text: str) -> str:
    """A short code as it is stored: small letters, without the slash by which replies call it."""
    return text.strip().removeprefix("/").lower()


def _set(canned: CannedResponse, values: dict[str, Any]) -> None:
    wrong = {}
    if "short_code" in values:
        canned.short_code = normal_code(str(values["short_code"]))
        if not _CODE.fullmatch(canned.short_code):
            wrong["short_code"] = ValidationError(_CODE_RULE, code="invalid")
    if "content" in values:
        canned.content = str(values["content"]).strip()
        if not canned.content:
            wrong["content"] = ValidationError("Write the answer.", code="required")
        elif len(canned.content) > MOST_LETTERS:
            words = f"Use at most {MOST_LETTERS:,} characters; this has {len(canned.content):,}."
            wrong["content"] = ValidationError(words, code="max_length")
    if wrong:
        raise ValidationError(wrong)


def _save(canned: CannedResponse, **options: Any) -> None:
    try:
        with transaction.atomic():
            canned.save(**options)
    except IntegrityError as error:
        raise ValidationError({"short_code": ValidationError(_TAKEN, code="unique")}) from error
