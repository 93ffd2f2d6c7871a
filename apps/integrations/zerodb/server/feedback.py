"""``…/database/rlhf``: rated interactions, and what they come to."""

from __future__ import annotations

from typing import Any

from django.db.models import Avg, Count
from django.db.models.fields.json import KeyTextTransform

from apps.integrations.models import ZeroFeedback
from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.scopes import ProjectReference

MAXIMUM_TEXT = 100_000
RATINGS = range(1, 6)


def create(call: Call, scope: ProjectReference) -> tuple[int, dict[str, Any]]:
    """``POST …/rlhf``."""
    body = call.body
    rating = body.integer("rating", default=RATINGS[0], minimum=RATINGS[0], maximum=RATINGS[-1])
    fields = {
        "interaction_type": body.text("interaction_type", required=True, blank=False, maximum=100),
        "prompt": body.text("prompt", required=True, blank=False, maximum=MAXIMUM_TEXT),
        "response": body.text("response", required=True, blank=False, maximum=MAXIMUM_TEXT),
        "rating": rating if body.has("rating") else None,
        "feedback": body.text("feedback", maximum=MAXIMUM_TEXT) or "",
        "metadata": body.mapping("metadata") or {},
    }
    body.finish()
    with call.project(scope, writes=True) as project:
        stored = ZeroFeedback.objects.create(**fields)
    return 201, {
        "id": stored.id,
        "interaction_id": stored.id,
        "project_id": project.public_id,
        "status": "recorded",
        **fields,
        "created_at": stored.created_at,
    }


def stats(call: Call, scope: ProjectReference) -> dict[str, Any]:
    """``GET …/rlhf/stats``: of one ``account_id``, one ``interaction_type``, a period, as the query names them."""
    query = call.query
    account_id, kind = query.text("account_id"), query.text("interaction_type")
    since = query.moment("start_date", code="INVALID_TIMESTAMP")
    until = query.moment("end_date", code="INVALID_TIMESTAMP")
    query.finish()
    with call.project(scope):
        rows = ZeroFeedback.objects.all()
        if account_id is not None:  # as text: clients store it as a number and ask for it in a query
            rows = rows.annotate(of_account=KeyTextTransform("account_id", "metadata")).filter(of_account=account_id)
        if kind is not None:
            rows = rows.filter(interaction_type=kind)
        if since is not None:
            rows = rows.filter(created_at__gte=since)
        if until is not None:
            rows = rows.filter(created_at__lte=until)
        whole = rows.aggregate(total=Count("id"), average=Avg("rating"))
        per_rating = dict(rows.exclude(rating=None).values_list("rating").annotate(count=Count("id")))
        per_kind = list(
            rows.values("interaction_type")
            .annotate(count=Count("id"), average=Avg("rating"))
            .order_by("interaction_type")
        )
    return {
        "total": whole["total"],
        "total_interactions": whole["total"],
        "count": whole["total"],
        "average_rating": _rounded(whole["average"]),
        "rating_distribution": {str(rating): per_rating.get(rating, 0) for rating in RATINGS},
        "by_type": {
            row["interaction_type"]: {"count": row["count"], "average_rating": _rounded(row["average"])}
            for row in per_kind
        },
    }


def _rounded(average: Any) -> float | None:
    return None if average is None else round(float(average), 3)
