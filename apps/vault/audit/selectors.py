"""Reading a trail: newest first, filtered, decrypted a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.vault.fields import open_columns
from apps.vault.keys.account_keys import PLATFORM_OWNER
from apps.vault.models import AuditEntry, PlatformAuditEntry

ACTOR_KINDS = ("user", "api_key", "staff", "system", "anonymous")

_COLUMNS = (
    "id",
    "seq",
    "at",
    "action",
    "actor_kind",
    "actor_id",
    "entity_type",
    "entity_id",
    "request_id",
    "hash",
    "payload",
)


@dataclass(frozen=True)
class Criteria:
    """What to read. All given conditions must hold.

    ``entity`` is a type (``contact``), an id, or ``type:id``; ``actor`` an id, a kind (``staff``) or the e-mail
    of a person; ``action`` a whole action or a resource with a dot and star (``contact.*``). ``since`` is
    inclusive, ``until`` exclusive. ``without`` is a whole action that is left out.
    """

    entity: str = ""
    actor: str = ""
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None
    without: str = ""


ANYTHING = Criteria()


class Line(NamedTuple):
    """One entry as people and programs read it. ``changes`` maps a field to ``[before, after]`` or to a fact."""

    id: UUID
    seq: int
    at: datetime
    action: str
    actor: str
    actor_kind: str
    actor_id: UUID | None
    entity_type: str
    entity_id: str
    entity: str
    changes: dict[str, Any]
    ip: str | None
    user_agent: str
    request_id: str
    hash: str


def entries(trail: UUID, criteria: Criteria = ANYTHING, *, before: int | None = None, limit: int = 50) -> list[Line]:
    """The newest ``limit`` entries of ``trail`` that meet ``criteria``, older than sequence number ``before``.

    ``trail`` is the account in scope (or any, in the platform scope), or PLATFORM_OWNER in the platform scope.
    Raises DecryptionFailed.
    """
    rows = _matching(trail, criteria)
    if before is not None:
        rows = rows.filter(seq__lt=before)
    return _lines(trail, rows.order_by("-seq")[:limit])


def entries_after(trail: UUID, criteria: Criteria, *, after: int, upto: int, limit: int) -> list[Line]:
    """The oldest ``limit`` entries between two sequence numbers (the first exclusive): a piece of a report."""
    rows = _matching(trail, criteria).filter(seq__gt=after, seq__lte=upto)
    return _lines(trail, rows.order_by("seq")[:limit])


def entry(trail: UUID, entry_id: UUID) -> Line | None:
    """One entry of ``trail``, or None."""
    return next(iter(_lines(trail, _trail(trail).filter(pk=entry_id))), None)


def last_seq(trail: UUID) -> int:
    """The sequence number of the newest entry; 0 in an empty trail."""
    return _trail(trail).order_by("-seq").values_list("seq", flat=True).first() or 0


def about(words: str) -> Q:
    """What one search box finds: a whole action, who did it, or what it was done to."""
    wanted = words.strip()
    return Q(action=wanted) | _of_actor(wanted) | _of_entity(wanted)


def actions_seen(trail: UUID) -> list[str]:
    """The different actions in ``trail``, for a filter's choices."""
    return list(_trail(trail).order_by("action").values_list("action", flat=True).distinct())


def _model(trail: UUID) -> Any:
    return PlatformAuditEntry if trail == PLATFORM_OWNER else AuditEntry


def _trail(trail: UUID) -> QuerySet[Any]:
    rows: QuerySet[Any] = _model(trail).objects.all()
    return rows if trail == PLATFORM_OWNER else rows.filter(account_id=trail)


def _matching(trail: UUID, criteria: Criteria) -> QuerySet[Any]:
    rows = _trail(trail)
    for condition in _conditions(criteria):
        rows = rows.filter(condition)
    return rows


def _conditions(criteria: Criteria) -> Iterator[Q]:
    if criteria.entity:
        yield _of_entity(criteria.entity)
    if criteria.actor:
        yield _of_actor(criteria.actor)
    if criteria.action.endswith(".*"):
        # A range instead of LIKE: row security lets an index answer comparisons of text, not patterns.
        resource = criteria.action.removesuffix("*")
        yield Q(action__gte=resource, action__lt=resource[:-1] + "/")
    elif criteria.action:
        yield Q(action=criteria.action)
    if criteria.since is not None:
        yield Q(at__gte=criteria.since)
    if criteria.until is not None:
        yield Q(at__lt=criteria.until)
    if criteria.without:
        yield ~Q(action=criteria.without)


def _of_entity(wanted: str) -> Q:
    kind, separator, identity = wanted.partition(":")
    if separator:
        return Q(entity_type=kind, entity_id=identity)
    return Q(entity_id=wanted) if _as_uuid(wanted) else Q(entity_type=wanted)


def _of_actor(wanted: str) -> Q:
    if wanted in ACTOR_KINDS:
        return Q(actor_kind=wanted)
    identity = _as_uuid(wanted)
    if identity is None:
        identity = User.objects.filter(email__iexact=wanted).values_list("id", flat=True).first()
    # Nobody has this address: nothing matches, as for somebody who did nothing here.
    return Q(actor_id=identity) if identity else Q(pk__in=[])


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _lines(trail: UUID, rows: QuerySet[Any]) -> list[Line]:
    opened = open_columns(_model(trail), trail, list(rows.values_list(*_COLUMNS)), {len(_COLUMNS) - 1: "payload"})
    return [_line(*values) for values in opened]


def _line(
    entry_id: UUID,
    seq: int,
    at: datetime,
    action: str,
    actor_kind: str,
    actor_id: UUID | None,
    entity_type: str,
    entity_id: str,
    request_id: str,
    digest: bytes,
    payload: dict[str, Any],
) -> Line:
    return Line(
        id=entry_id,
        seq=seq,
        at=at,
        action=action,
        actor=payload["actor"],
        actor_kind=actor_kind,
        actor_id=actor_id,
        entity_type=entity_type,
        entity_id=entity_id,
        entity=payload["entity"],
        changes=payload["changes"],
        ip=payload["ip"],
        user_agent=payload["user_agent"],
        request_id=request_id,
        hash=bytes(digest).hex(),
    )
