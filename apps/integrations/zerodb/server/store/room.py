"""How many vectors a namespace may hold, by the tier of its project."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from apps.integrations.models import ZeroCaller, ZeroProject, ZeroVector
from apps.integrations.zerodb.server.store.vectors import Stored
from apps.integrations.zerodb.server.tiers import TIERS, document_limit_exceeded


def check_room(project: ZeroProject, namespace: str, stored: Iterable[Stored]) -> None:
    """To call after storing, in the same transaction. Raises ApiError 429, with which nothing stays stored.

    A vector that takes the place of one needs no room. Who has no limit of projects has none of vectors.
    """
    tier = TIERS.get(project.tier)
    limit = tier.documents if tier else None
    if not settings.ZERODB_DOCUMENT_LIMITS or limit is None or not any(vector.created for vector in stored):
        return
    if ZeroCaller.objects.filter(pk=project.caller_id, unlimited_projects=True).exists():
        return
    # Counted no further than matters.
    if ZeroVector.objects.filter(namespace=namespace)[: limit + 1].count() > limit:
        raise document_limit_exceeded(project.tier, namespace, limit)
