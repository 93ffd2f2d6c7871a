"""Which words of what was found are marked, on the page and through the API; and the page's filters."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Account, Membership
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.chat.models import Conversation
from apps.chat.search.highlighting import Asked, pieces
from tests.api_client import by_key
from tests.chat.conftest import Say

pytestmark = [pytest.mark.covers("P-06", "V-03")]


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("invoices", "An INVOICE, and two invoices.", ["INVOICE", "invoices"]),
        ("the invoice", "The invoice is the thing.", ["invoice"]),
        ("invo*", "Invoicing, invocation and in vogue", ["Invoicing", "invocation"]),
        ('"late delivery" OR refund', "Delivery was late: refunds?", ["Delivery", "late", "refunds"]),
        ("café", "The CAFE and the café.", ["CAFE", "café"]),
        ("ann@shop.example", "Write to Ann@shop.example.", ["Ann@shop.example"]),
        ("OR AND", "Either or and neither.", []),
        ("発送", "商品の発送はまだですか。", ["発送"]),
        ("(", "Nothing is asked <here>.", []),
    ],
)
def test_words_are_marked_in_all_their_endings(query: str, text: str, marked: list[str]) -> None:
    spans = Asked.of(query, "english").spans(text)
    assert [text[start:end] for start, end in spans] == marked
    assert "".join(piece for piece, _ in pieces(text, spans)) == text
    assert [piece for piece, is_meant in pieces(text, spans) if is_meant] == marked


@pytest.mark.django_db(transaction=True)
class TestThePage:
    @pytest.fixture
    def client(self, account: Account) -> Client:
        client = Client()
        with tenant(account):
            client.force_login(Membership.objects.get(role=Role.OWNER).user)
        return client

    def found(self, client: Client, account: Account, **query: str) -> str:
        asked = {"mode": "words", **query}
        return client.get(f"/app/{account.slug}/inbox/search/", asked).content.decode()

    def test_what_was_looked_for_is_marked_and_nothing_in_it_is_markup(
        self, client: Client, account: Account, say: Say
    ) -> None:
        talk = say(account, "<b>My invoices</b> are wrong.")
        page = self.found(client, account, q="invoice")
        assert "&lt;b&gt;My <mark>invoices</mark>&lt;/b&gt; are wrong." in page
        results = by_key(account).post("conversations/search", {"query": "invoice", "mode": "words"}).json["results"]
        (passage,) = results[0]["passages"]
        assert results[0]["conversation"]["id"] == str(talk.pk)
        assert [passage["text"][start:end] for start, end in passage["highlights"]] == ["invoices"]

    def test_it_is_narrowed_by_status_inbox_contact_and_period(
        self, client: Client, account: Account, say: Say
    ) -> None:
        old, new = say(account, "The old invoice."), say(account, "The new invoice.")
        with tenant(account):
            values = {"status": "resolved", "last_activity_at": timezone.now() - timedelta(days=40)}
            Conversation.objects.filter(pk=old.pk).update(**values)
            inbox = str(old.inbox_id)

        def hits(**query: str) -> set[str]:
            page = self.found(client, account, q="invoice", **query)
            return set(re.findall(r"The (old|new) <mark>", page))

        assert hits() == hits(inbox=inbox) == {"old", "new"}
        assert hits(status="resolved") == {"old"}
        assert hits(days="30") == {"new"}
        assert hits(contact=str(new.contact_id)) == {"new"}
        assert hits(status="nonsense", days="-3", contact="x", inbox="y") == {"old", "new"}
        nothing = self.found(client, account, q="invoice", status="snoozed")
        assert "Look everywhere" in nothing and "mode=words" in nothing

    def test_a_hit_far_into_a_message_is_brought_into_sight(self, client: Client, account: Account, say: Say) -> None:
        say(account, f"Good morning. {'We talked about the weather. ' * 6}By the way, where is my invoice now?")
        page = self.found(client, account, q="invoice")
        assert re.search(r"<p class=\"sr-clamp\">… [^<]{20,60} <mark>invoice</mark> now\?</p>", page)

    def test_before_anything_is_asked_it_says_how(self, client: Client, account: Account) -> None:
        page = client.get(f"/app/{account.slug}/inbox/search/").content.decode()
        assert "Say what you look for" in page
