"""Telling the floors above of what arrived, until they took it."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from apps.accounts.models import Account
from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.models import ReceivedEvent
from apps.integrations.signals import provider_event_received

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 10
_FIRST, _LONGEST = timedelta(seconds=30), timedelta(hours=6)


def send(account_id: UUID) -> None:
    """Have a worker hand on what waits. A message that gets lost is made up for by the sweep."""
    from apps.integrations.tasks import hand_on_events

    try:
        hand_on_events.delay(str(account_id))
    except (OperationalError, OSError) as error:
        logger.warning("Events are stored but the broker did not take the message (%s); the sweep will.", error)


def hand_on(account_id: UUID) -> int:
    """Tell of every event of the account whose time has come, oldest first. Opens its scopes. Returns how many."""
    done = 0
    while _hand_on_next(account_id):
        done += 1
    return done


def sweep() -> int:
    """Hand on what was left over in any account. Returns how many events."""
    with platform("find accounts with events that nobody was told of"):
        due = ReceivedEvent.objects.filter(handed_on_at=None, next_attempt_at__lte=timezone.now())
        due = due.filter(account__status=Account.Status.ACTIVE)  # those of others wait, as their jobs do
        accounts = list(due.order_by().values_list("account_id", flat=True).distinct()[:500])
    return sum(hand_on(account_id) for account_id in accounts)


def _hand_on_next(account_id: UUID) -> bool:
    with tenant(account_id):
        if not Account.objects.filter(pk=account_id, status=Account.Status.ACTIVE).exists():
            return False
        now = timezone.now()
        due = ReceivedEvent.objects.filter(handed_on_at=None, next_attempt_at__lte=now)
        event = due.select_for_update(skip_locked=True).order_by("next_attempt_at", "id").first()
        if event is None:
            return False
        event.attempts += 1
        try:
            with transaction.atomic():
                provider_event_received.send(ReceivedEvent, integration=event.integration, event=event)
        except Exception as error:
            logger.exception("Nobody could take the event %s (attempt %s).", event.pk, event.attempts)
            event.last_error = type(error).__name__[:200]
            wait = min(_LONGEST, _FIRST * 2 ** (event.attempts - 1))
            event.next_attempt_at = None if event.attempts >= MOST_ATTEMPTS else now + wait
        else:
            event.handed_on_at, event.next_attempt_at, event.last_error = now, None, ""
        event.save(update_fields=["attempts", "handed_on_at", "next_attempt_at", "last_error", "updated_at"])
    return True
