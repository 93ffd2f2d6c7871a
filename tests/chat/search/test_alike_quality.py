"""How often similar conversations are about the same matter: labelled conversations, asked through the API.

A whole inbox of the demo's writing: each matter several times in other words, with answers and the thanks and doubts
that are the same whatever it was about. Figures: docs/performance.md.
"""

from __future__ import annotations

import random

import pytest
from django.utils import timezone

from apps.accounts.models import Account
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.chat.demo.stories import CUSTOMER, Story, signed, stories
from apps.chat.indexing import changes
from apps.chat.models import Conversation, Inbox, Message
from apps.vault.messages import fill_contents
from tests.api_client import by_key
from tests.chat.search.test_similar import index
from tests.factories import make_contact

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-06")]

MATTERS, EACH, SHOWN = 14, 5, 3
MUST, MUST_BE_RIGHT = 0.34, 0.52
"""Measured: 0.38 and 0.57. By the plain mean of the customer's first messages, as it was before: 0.10 and 0.16."""


def test_most_similar_conversations_are_about_the_same_matter_and_not_equally_polite(account: Account) -> None:
    told = _tell(account)
    index(account)
    api = by_key(account, Role.VIEWER)
    right = shown = 0
    for conversation, matter in told.items():
        answer = api.get(f"conversations/{conversation}/similar?limit={SHOWN}")
        assert answer.status == 200 and answer.json["indexed"], answer.content
        found = [told[row["conversation"]["id"]] for row in answer.json["results"]]
        right, shown = right + found.count(matter), shown + len(found)
    share, precision = right / (SHOWN * len(told)), right / max(1, shown)
    assert share >= MUST and precision >= MUST_BE_RIGHT, (round(share, 3), round(precision, 3), shown)


def _tell(account: Account) -> dict[str, str]:
    """Conversations with what each is about."""
    chance = random.Random("alike")
    plots = list(stories("Northwind Outfitters", EACH, chance))
    matters = sorted({plot.subject for plot in plots})[:MATTERS]
    plots = [plot for plot in plots if plot.subject in matters]
    contact, now = make_contact(account), timezone.now()
    with tenant(account):
        inbox = Inbox.objects.create(name="Shop")
        rows = [Conversation(inbox=inbox, contact=contact, last_activity_at=now) for _ in plots]
        said = [one for row, plot in zip(rows, plots, strict=True) for one in _say(row, plot, chance)]
        fill_contents(said)
        Conversation.objects.bulk_create(rows)
        Message.objects.bulk_create(message for message, _ in said)
        changes.note([(message.pk, message.conversation_id) for message, _ in said])
    return {str(row.pk): plot.subject for row, plot in zip(rows, plots, strict=True)}


def _say(row: Conversation, plot: Story, chance: random.Random) -> list[tuple[Message, str]]:
    said = []
    for turn in plot.turns:
        if turn.by == CUSTOMER:
            said.append((Message(conversation=row, message_type="incoming", sender_type="contact"), turn.text))
        elif turn.by == "team":
            text = signed(turn.text, "Anna", "Ben", chance)
            said.append((Message(conversation=row, message_type="outgoing", sender_type="member"), text))
    return said
