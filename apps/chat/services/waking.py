"""Opening snoozed conversations when their time has come."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import platform, tenant
from apps.chat.models import Conversation
from apps.chat.services.conversations import change_conversation

ACTOR = Actor.system("snoozing")
AT_ONCE = 200
"""Conversations of one transaction; the rest of an account's are done by the next sweep."""


def sweep() -> int:
    """Wake what is due in each active account. Returns how many conversations woke."""
    with platform("find accounts with conversations to wake"):
        due = Conversation.objects.filter(snoozed_until__lte=timezone.now())
        ids = list(due.order_by().values_list("account_id", flat=True).distinct())
        active = list(Account.objects.filter(pk__in=ids, status=Account.Status.ACTIVE).values_list("id", flat=True))
    return sum(_wake(account_id) for account_id in active)


def _wake(account_id: UUID) -> int:
    """One that somebody has in their hands just now waits for the next sweep."""
    with tenant(account_id):
        now = timezone.now()
        due = Conversation.objects.filter(status=Conversation.Status.SNOOZED, snoozed_until__lte=now)
        rows = list(due.select_for_update(skip_locked=True).order_by("snoozed_until", "id")[:AT_ONCE])
        for conversation in rows:
            # Lists have the latest activity first: who asked to be reminded should see it.
            conversation.last_activity_at = now
            conversation.save(update_fields=["last_activity_at"])
            change_conversation(conversation, actor=ACTOR, status=Conversation.Status.OPEN)
        return len(rows)
