"""The demo's inbox: full, plausible, the same every time, and quick to make."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.demo.build import build
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import platform, tenant
from apps.chat.models import CannedResponse, ContactMemory, Conversation, Message
from apps.integrations.zerodb.usage import month_of_use, quantity
from apps.vault.messages import search
from apps.vault.models import AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.covers("C-13")]


def test_the_demo_inbox_reads_like_a_real_one() -> None:
    build("http://localhost")
    now = timezone.now()
    with platform("look at the demo"):
        accounts = list(Account.objects.filter(slug__in=["harbour-pine", "acme-cloud"]))
    for account in accounts:
        with tenant(account):
            rows = list(Conversation.objects.select_related("assignee"))
            assert 250 <= len(rows) <= 600
            assert {row.status for row in rows} >= {"open", "pending", "resolved"}
            assert sum(row.is_unread for row in rows) >= 3
            assert any(row.status == "open" and row.assignee_id is None for row in rows)
            assert min(row.created_at for row in rows) < now - timedelta(days=90)
            assert max(row.last_activity_at for row in rows) <= now
            messages = list(Message.objects.order_by("id"))
            assert [m.created_at for m in messages] == sorted(m.created_at for m in messages)
            assert {m.message_type for m in messages} == {"incoming", "outgoing", "note", "activity"}
            replies = [m for m in messages if m.message_type == "outgoing" and m.created_at < now - timedelta(days=2)]
            assert all(9 <= m.created_at.hour < 18 and m.created_at.weekday() < 5 for m in replies)
            resolved = [row for row in rows if row.status == "resolved"]
            assert all(row.resolved_at and row.waiting_since is None for row in resolved)
            assert CannedResponse.objects.count() == 50
            facts = list(ContactMemory.objects.select_related("source_message"))
            assert 25 <= len(facts) <= 120
            assert all(fact.source_message.content and fact.content for fact in facts)
            assert min(fact.created_at for fact in facts) < now - timedelta(days=40)
            month = month_of_use(now)
            assert 100 < sum(quantity(day, "searches") for day in month.days) < 1000
            # One line in the trail for all of it.
            about = AuditEntry.objects.filter(action__startswith="conversation")
            assert [entry.action for entry in about] == ["conversation_import.finished"]
            assert search(Message, "deposit" if account.slug == "harbour-pine" else "invoice").hits
