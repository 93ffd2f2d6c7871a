"""What was written to the project in scope, by day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import Length, Trunc

from apps.integrations.models import ZeroAgentMemory, ZeroEvent, ZeroFeedback, ZeroMemory, ZeroRow, ZeroVector
from apps.integrations.models.zerodb_owned import ProjectModel

METRICS: Mapping[str, type[ProjectModel]] = {
    "vectors": ZeroVector,
    "memories": ZeroMemory,
    "agent_memories": ZeroAgentMemory,
    "rows": ZeroRow,
    "events": ZeroEvent,
    "feedback": ZeroFeedback,
}
"""Kinds of records, each counted when it was first stored."""


def written(metric: str, since: datetime, until: datetime, unit: str) -> dict[datetime, int]:
    """How many records of a kind were stored in each ``unit`` ('hour', 'day', 'week', 'month') with any."""
    return _counted(METRICS[metric].objects.all(), since, until, unit)


def decisions(since: datetime, until: datetime, unit: str) -> dict[datetime, int]:
    """The same for decisions in the log of agents."""
    return _counted(ZeroAgentMemory.objects.filter(memory_type="decision"), since, until, unit)


def stored_bytes(since: datetime, until: datetime, unit: str) -> dict[datetime, int]:
    """How many bytes of vectors and their texts were stored; four for each number."""
    rows = _between(ZeroVector.objects.all(), since, until, unit)
    return dict(rows.values_list("at").annotate(size=Sum(4 * F("dimensions") + Length("document"))).order_by("at"))


def _counted(rows: QuerySet[Any], since: datetime, until: datetime, unit: str) -> dict[datetime, int]:
    rows = _between(rows, since, until, unit)
    return dict(rows.values_list("at").annotate(count=Count("id")).order_by("at"))


def _between(rows: QuerySet[Any], since: datetime, until: datetime, unit: str) -> QuerySet[Any]:
    return rows.filter(created_at__gte=since, created_at__lt=until).annotate(at=Trunc("created_at", unit))
