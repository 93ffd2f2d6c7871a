"""What the AI features came to in the demo: facts about contacts, and weeks of searches in the ledger."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db.models import OuterRef, Subquery

from apps.accounts.metering.holding import ITEM, SOURCE
from apps.accounts.metering.lines import SEARCHES
from apps.accounts.metering.prices import price_of
from apps.accounts.models import DailyUsage, Membership
from apps.chat.models import ContactMemory, Message

DAYS, A_DAY, MILLISECONDS = 45, 16, 38
_UNDECIDED = timedelta(days=10)
State = ContactMemory.State


def remember_facts(facts: Iterable[tuple[Message, str]], now: datetime, chance: random.Random) -> None:
    """Keep what customers told of themselves, by message; of the latest a person has yet to decide."""
    rows = [
        ContactMemory(
            contact=message.conversation.contact,
            content=fact,
            importance=chance.choice([2, 3, 3, 3, 4, 5]),
            origin=ContactMemory.Origin.RULES,
            state=State.PROPOSED if message.created_at > now - _UNDECIDED else State.REMEMBERED,
            source_message=message,
        )
        for message, fact in facts
    ]
    ContactMemory.objects.bulk_create(rows)
    told_at = Message.objects.filter(pk=OuterRef("source_message_id")).values("created_at")
    ContactMemory.objects.filter(pk__in=[row.pk for row in rows]).update(created_at=Subquery(told_at))


def add_searches(members: list[Membership], now: datetime, chance: random.Random) -> None:
    """The days' sums, as the ledger keeps them."""
    today, sums = now.astimezone(UTC).date(), []
    price = price_of(SEARCHES, ITEM, now)
    each = price.unit_price if price else Decimal(0)
    for ago in range(DAYS, -1, -1):
        day = today - timedelta(days=ago)
        share = chance.uniform(0.6, 1.5) * (0.2 if day.weekday() >= 5 else 1.0) * (0.5 if ago == 0 else 1.0)
        for member in members:
            number = round(A_DAY * share * chance.uniform(0.3, 1.1) / len(members))
            if number:
                taken = round(number * MILLISECONDS * chance.uniform(0.8, 1.4))
                row = DailyUsage(day=day, source=SOURCE, unit=SEARCHES, item=ITEM, user_id=member.user_id)
                row.quantity, row.calls, row.duration_ms, row.cost = Decimal(number), number, taken, number * each
                sums.append(row)
    DailyUsage.objects.bulk_create(sums)
