"""Trying connections: tests, and rotation, where a new credential is tested before it takes the old one's place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.integrations.models import Integration
from apps.integrations.oauth.access import client_of
from apps.integrations.oauth.giving_back import forget_others
from apps.integrations.oauth.trial import drop_tried, source_for
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.providers.client import Tested
from apps.integrations.providers.definition import BadFields
from apps.integrations.services.connections import forget_condition, named, with_new
from apps.integrations.services.outcomes import code_of, condition_after, keep_failure, todo_of

TESTS_PER_MINUTE = 5
"""Of one connection: a test is a call to somebody else's server."""


class TooManyTests(Exception):
    """The connection was tested often enough for now; ``retry_after`` seconds to wait."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"A connection is tested at most {TESTS_PER_MINUTE} times a minute. Wait {retry_after} s.")
        self.retry_after = retry_after


@dataclass(frozen=True)
class Outcome:
    """What a test came to. ``message`` and ``todo`` are for people; ``code`` is for programs."""

    ok: bool
    identity: str = ""
    code: str = ""
    message: str = ""
    todo: str = ""
    error: OutboundError | None = None


def test_connection(row: Integration, *, actor: Actor) -> Outcome:
    """Make a real call with the stored credential and keep what it found. ``row`` should be locked.

    Raises PermissionDenied, TooManyTests.
    """
    require(actor, "integrations.manage")
    count_try(row)
    outcome = try_credentials(row, row.credentials, row.settings)
    note_outcome(row, outcome)
    if outcome.error is not None:
        keep_failure(row.id, outcome.error, who=actor.label)
    audit.record("integration.tested", actor=actor, entity=row, label=row.label, changes=told(outcome))
    return outcome


def rotate(row: Integration, *, credentials: Mapping[str, Any], actor: Actor) -> Outcome:
    """Put a new credential in the old one's place if it works; else the old one goes on serving. ``row`` locked.

    Raises PermissionDenied, TooManyTests, ValidationError naming each wrong field.
    """
    require(actor, "integrations.manage")
    merged = with_new(row.credentials, credentials)
    try:
        cleaned = row.definition.clean_credentials(merged)
        row.definition.check_application(cleaned, row.settings)
    except BadFields as bad:
        raise named(bad, "credentials") from None
    replaced = sorted(name for name in merged if cleaned.get(name, "") != row.credential(name))
    if not replaced:
        raise ValidationError({"credentials": ValidationError("This is the credential in use.", code="unchanged")})
    count_try(row)
    outcome = try_credentials(row, cleaned, row.settings, instead_of=row.credentials)
    if outcome.ok:
        row.credentials = cleaned
        forget_condition(row)
        note_outcome(row, outcome)
        forget_others(row, actor=actor)
        audit.record("integration.rotated", actor=actor, entity=row, label=row.label, changes={"credentials": replaced})
    else:
        changes = {"credentials": replaced, "error": outcome.message}
        audit.record_refusal("integration.rotation_failed", actor=actor, entity=row, label=row.label, changes=changes)
    return outcome


def try_credentials(
    row: Integration,
    credentials: Mapping[str, str],
    settings: Mapping[str, Any],
    *,
    instead_of: Mapping[str, str] | None = None,
) -> Outcome:
    """Call the service once; nothing is stored of what does not work. ``row`` is locked, or not stored yet.

    ``instead_of`` are the credentials that serve now, {} for none; None: it is they that are tried.
    """
    options: dict[str, Any] = {}
    if row.definition.oauth is not None:
        options["source"] = source_for(row, credentials, instead_of)
    try:
        with client_of(row, credentials, settings, **options) as client:
            tested: Tested = client.test()
    except OutboundError as error:
        if instead_of is not None:
            drop_tried(row)
        return Outcome(ok=False, code=code_of(error), message=str(error), todo=todo_of(error), error=error)
    return Outcome(ok=True, identity=tested.identity)


def note_outcome(row: Integration, outcome: Outcome) -> None:
    """Keep what a test found, in the row."""
    row.last_tested_at = timezone.now()
    if outcome.error is None:
        row.condition, row.identity = Integration.Status.CONNECTED, outcome.identity[:200]
        row.last_error_at, row.last_error_message, row.last_error_todo = None, "", ""
    else:
        row.condition = condition_after(outcome.error, known=bool(row.identity))
        row.last_error_at, row.last_error_message, row.last_error_todo = (
            row.last_tested_at,
            outcome.message,
            outcome.todo,
        )
    row.save()


def told(outcome: Outcome) -> dict[str, Any]:
    """What the trail keeps of a test."""
    return {"result": "works"} if outcome.ok else {"result": "does not work", "error": outcome.message}


def count_try(row: Integration) -> None:
    """One more test in this minute. Raises TooManyTests."""
    now = timezone.now()
    minute = int(now.timestamp()) // 60
    # Of one that is not stored yet, all tries of its provider count together: each would be a new one otherwise.
    which = row.provider if row._state.adding else row.id
    name = f"integration-tests:{row.account_id}:{which}:{minute}"
    cache.add(name, 0, 120)
    if cache.incr(name) > TESTS_PER_MINUTE:
        raise TooManyTests(60 - int(now.timestamp()) % 60)
