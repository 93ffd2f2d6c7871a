"""How much suggestions are used."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Q

from apps.chat.models import ReplyOffer


def answers_since(moment: datetime) -> tuple[int, int]:
    """``(answered, taken)`` of the account in scope: answers for which something had been suggested, and of those the
    ones for which a canned response was taken."""
    answered = ReplyOffer.objects.filter(answered_at__gte=moment).exclude(shown=[])
    found = answered.aggregate(answered=Count("pk"), taken=Count("pk", filter=Q(accepted__isnull=False)))
    return found["answered"], found["taken"]
