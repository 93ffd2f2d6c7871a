"""``…/database/events``: what happened, with the caller's own time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, QuerySet
from django.utils import timezone

from apps.integrations.models import ZeroEvent
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.endpoint import rfc3339
from apps.integrations.zerodb.server.errors import event_not_found
from apps.integrations.zerodb.server.fields import Fields
from apps.integrations.zerodb.server.identifiers import new_event_id
from apps.integrations.zerodb.server.scopes import ProjectReference

_FROM = ("start_date", "start_time", "since", "from")
_TO = ("end_date", "end_time", "until", "to")


def create(call: Call, scope: ProjectReference) -> tuple[int, dict[str, Any]]:
    """``POST …/events``. The time is answered as it was written."""
    body = call.body
    event_type = body.text("event_type", required=True, blank=False, trim=True, maximum=100)
    data = body.mapping("data", "event_data", required=True)
    source = body.text("source", maximum=100)
    written = body.text("timestamp", maximum=64) or ""
    happened_at = _moment(body, "timestamp") if written.strip() else timezone.now()
    if happened_at and written.strip() and "t" not in written.lower():
        body.fail(
            "timestamp",
            "Input should be a date with a time (ISO8601, RFC 3339), such as 2026-01-31T12:00:00Z",
            "datetime_parsing",
            code="INVALID_TIMESTAMP",
        )
    body.finish()
    with call.project(scope, writes=True):
        event = ZeroEvent.objects.create(
            public_id=new_event_id(),
            event_type=event_type,
            data=data,
            source=source or "",
            happened_at=happened_at,
            written=written.strip() or rfc3339(happened_at or timezone.now()),
        )
    return 201, {
        "event_id": event.public_id,
        "id": event.public_id,
        "event_type": event.event_type,
        "data": event.data,
        "timestamp": event.written,
        "status": "created",
        "created_at": event.created_at,
    }


def _moment(fields: Fields, *names: str) -> datetime | None:
    """A date and time; a bare date is its midnight."""
    return fields.moment(*names, code="INVALID_TIMESTAMP")


def event_answer(event: ZeroEvent) -> dict[str, Any]:
    """A whole event."""
    return {
        "event_id": event.public_id,
        "id": event.public_id,
        "event_type": event.event_type,
        "data": event.data,
        "timestamp": event.written,
        "source": event.source or None,
        "created_at": event.created_at,
    }


def list_all(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``GET …/events``, newest first."""
    query = call.query
    limit = query.integer("limit", default=100, minimum=1, maximum=1000)
    offset = query.integer("offset", "skip", default=0, minimum=0)
    rows = _wanted(query)
    query.finish()
    with call.project(scope):
        found = ZeroEvent.objects.filter(**rows)
        page = list(found.order_by("-happened_at", "-id")[offset : offset + limit])
        total = found.count()
    return {"events": [event_answer(event) for event in page], "total": total, "limit": limit, "offset": offset}


def _wanted(query: Fields) -> dict[str, Any]:
    since, until = _moment(query, *_FROM), _moment(query, *_TO)
    types = query.text("event_types")
    wanted = {
        "event_type": query.text("event_type"),
        "event_type__in": types.split(",") if types else None,
        "source": query.text("source"),
        "happened_at__gte": since,
        "happened_at__lte": until,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def show(call: Call, scope: ProjectReference, event_id: str) -> dict[str, Any]:
    """``GET …/events/{event_id}``."""
    with call.project(scope) as project:
        event = ZeroEvent.objects.filter(public_id=event_id).first()
        if event is None:
            raise event_not_found(event_id)
        return event_answer(event) | {"project_id": project.public_id}


def stats(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``GET …/events/stats``: how many of each type, from when to when."""
    query = call.query
    wanted = _wanted(query)
    query.finish()
    with call.project(scope):
        rows: QuerySet[ZeroEvent] = ZeroEvent.objects.filter(**wanted)
        whole = rows.aggregate(total=Count("id"), first=Min("happened_at"), last=Max("happened_at"))
        by_type = dict(rows.values_list("event_type").annotate(count=Count("id")).order_by("event_type"))
    return {
        "total": whole["total"],
        "total_events": whole["total"],
        "by_type": by_type,
        "first_event_at": whole["first"],
        "last_event_at": whole["last"],
    }
