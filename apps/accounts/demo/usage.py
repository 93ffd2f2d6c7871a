"""What the demo companies used in the last weeks, and a budget for it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.identifiers import uuid7
from apps.accounts.metering.limits import set_limit
from apps.accounts.metering.lines import Line
from apps.accounts.metering.settling import write_usage
from apps.accounts.models import Account, APIKey, Membership, Reservation

DAYS, A_DAY = 45, 6


def add_usage(*, account: Account, actor: Actor, **_: Any) -> None:
    """Into the account in scope: some pieces of work a day, a budget of the month, and one of its chat."""
    chance = random.Random(account.slug)  # noqa: S311 - the same demo every time
    people = list(Membership.objects.order_by("created_at").values_list("user_id", flat=True))
    keys = list(APIKey.objects.order_by("created_at").values_list("id", flat=True))
    now = timezone.now()
    for back in range(DAYS):
        for at in _moments(now - timedelta(days=back), now, chance):
            _work(account.id, at, chance, people, keys)
    set_limit(actor=actor, amount=Decimal(320), allow_unpriced=True)
    set_limit(actor=actor, amount=Decimal(10), scope="source", source="chat", allow_unpriced=True, hard=False)


def _moments(day: datetime, now: datetime, chance: random.Random) -> Iterator[datetime]:
    for _ in range(A_DAY):
        at = day.replace(hour=chance.randint(7, 19), minute=chance.randint(0, 59))
        if at < now:
            yield at


def _work(account_id: UUID, at: datetime, chance: random.Random, people: list[UUID], keys: list[UUID]) -> None:
    source = chance.choice(["chat", "chat", "workflows", "api"])
    model = chance.choice(["anthropic/claude-sonnet-4-6", "openai/gpt-6.1-terra", "openai/gpt-6-luna"])
    row = Reservation(
        id=uuid7(),
        account_id=account_id,
        source=source,
        user_id=chance.choice(people),
        api_key_id=chance.choice(keys) if source == "api" else None,
        at=at,
    )
    lines = [
        Line("calls", 1, model.partition("/")[0]),
        Line("input_tokens", chance.randint(5_000, 120_000), model),
        Line("output_tokens", chance.randint(500, 9_000), model),
    ]
    write_usage(row, lines, ok=chance.random() > 0.04, duration_ms=chance.randint(600, 9_000))
