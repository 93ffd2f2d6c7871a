"""The vault's names for grants of connections: ``integration:{id}``, and ``integration:{id}:{mark}``."""

from __future__ import annotations

from uuid import UUID

from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat, Substr

from apps.integrations.models import Integration

PREFIX = "integration"
_LENGTH = len(PREFIX) + 1 + 36


def connection_of(kind: str) -> UUID:
    """Which connection a grant of this kind belongs to."""
    return UUID(kind.split(":")[1])


def belongs_to_one_of(rows: QuerySet[Integration]) -> Exists:
    """A condition on grants. Compared as text: there are grants of other kinds too, with no identifier in them."""
    named = rows.annotate(grant=Concat(Value(f"{PREFIX}:"), Cast("pk", CharField())))
    return Exists(named.filter(account_id=OuterRef("account_id"), grant=Substr(OuterRef("kind"), 1, _LENGTH)))
