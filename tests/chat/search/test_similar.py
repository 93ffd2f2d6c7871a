"""Other conversations about the same matter."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.accounts.metering.limits import set_limit
from apps.accounts.metering.prices import price_of
from apps.accounts.models import Account
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.chat.indexing.reindexing import hurry, queue_indexing
from apps.chat.models import Conversation
from apps.chat.services.conversations import delete_conversation, lock_conversation
from apps.integrations.zerodb.usage import month_of_use
from tests.accounts.pages.conftest import signed_in
from tests.api_client import ApiClient, by_key
from tests.chat.conftest import SYSTEM, Say
from tests.factories import Cast
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-06")]


def index(account: Account) -> None:
    with tenant(account):
        hurry()
        queue_indexing(SYSTEM)
    assert work_off(account, "conversations.index") == ["done"]


def at(conversation: Conversation) -> str:
    return f"conversations/{conversation.pk}/similar"


def ids(api: ApiClient, conversation: Conversation, query: str = "") -> list[str]:
    answer = api.get(at(conversation) + query)
    assert answer.status == 200, answer.content
    return [row["conversation"]["id"] for row in answer.json["results"]]


@pytest.fixture
def knocking(account: Account, say: Say) -> list[Conversation]:
    """Three conversations about a knocking boiler, and two about something else; all indexed."""
    made = [
        say(account, "The boiler makes a knocking noise.", "It began last night."),
        say(account, "My boiler knocks loudly when the heating comes on."),
        say(account, "There is a banging sound from the central heating boiler."),
        say(account, "I would like to change the card that I pay with."),
        say(account, "Can I have the invoice as a PDF?"),
    ]
    index(account)
    return made


def test_conversations_about_the_same_matter_are_found_and_others_are_not(
    account: Account, knocking: list[Conversation]
) -> None:
    api, (boiler, radiators, banging, _, _) = by_key(account, Role.VIEWER), knocking
    answer = api.get(at(boiler)).json
    assert {row["conversation"]["id"] for row in answer["results"]} == {str(radiators.pk), str(banging.pk)}
    scores = [row["score"] for row in answer["results"]]
    assert scores == sorted(scores, reverse=True) and 0.5 <= scores[-1] <= scores[0] <= 1
    assert answer["indexed"] is True
    passages = {row["passages"][0]["text"] for row in answer["results"]}
    assert "There is a banging sound from the central heating boiler." in passages
    assert len(ids(api, boiler, "?limit=1")) == 1


def test_nothing_is_embedded_for_it_and_asking_again_costs_nothing(
    account: Account, knocking: list[Conversation]
) -> None:
    api = by_key(account, Role.MEMBER)
    with tenant(account):
        before = month_of_use(timezone.now())
    ids(api, knocking[0])
    ids(api, knocking[0])
    with tenant(account):
        after = month_of_use(timezone.now())
    assert (after.embeddings, after.searches) == (before.embeddings, before.searches + 1)


def test_what_a_page_looks_up_is_in_the_ledger_and_in_no_limit_of_searches(cast: Cast, say: Say) -> None:
    account = cast.account
    assert work_off(account, "project.provision") == ["done"]
    one, other = say(account, "The boiler makes a knocking noise."), say(account, "My boiler makes knocking noises.")
    index(account)
    with tenant(account):
        set_limit(actor=SYSTEM, amount=Decimal(1), measure="quantity", unit="searches")
        before = month_of_use(timezone.now())
    member, api = signed_in(cast.members[Role.MEMBER]), by_key(account, Role.MEMBER)
    part = member.get(f"/app/{account.slug}/inbox/{one.pk}/similar/").content.decode()
    assert f"/inbox/{other.pk}/" in part
    assert api.post("conversations/search", {"query": "boiler", "mode": "meaning"}).json["results"]
    with tenant(account):
        after = month_of_use(timezone.now())
    assert (after.lookups - before.lookups, after.searches - before.searches) == (1, 1)
    assert api.get(at(other)).status == 429, "asked for through the API it is a search"
    assert f"/inbox/{one.pk}/" in member.get(f"/app/{account.slug}/inbox/{other.pk}/similar/").content.decode()


def test_a_lookup_costs_what_the_operator_says_and_else_nothing(account: Account, knocking: list[Conversation]) -> None:
    price = price_of("lookups", "zerodb", timezone.now())
    assert price is not None and price.amount == 0


def test_a_conversation_that_is_gone_is_not_shown(account: Account, knocking: list[Conversation]) -> None:
    api = by_key(account, Role.MEMBER)
    assert str(knocking[1].pk) in ids(api, knocking[0])
    with tenant(account):
        delete_conversation(lock_conversation(knocking[1].pk), actor=SYSTEM)
    assert str(knocking[1].pk) not in ids(api, knocking[0])


def test_what_is_not_indexed_yet_says_so(account: Account, knocking: list[Conversation], say: Say) -> None:
    api, fresh = by_key(account, Role.MEMBER), say(account, "The boiler knocks.")
    assert api.get(at(fresh)).json == {"results": [], "indexed": False}
    index(account)
    assert str(knocking[0].pk) in ids(api, fresh)


def test_switched_off_it_says_so(account: Account, knocking: list[Conversation]) -> None:
    owner = by_key(account, Role.OWNER)
    owner.patch("account/features", {"features": [{"name": "semantic_search", "enabled": False}]})
    refused = owner.get(at(knocking[0]))
    assert (refused.status, refused.json["code"]) == (409, "feature_off")


def test_the_panel_links_them_with_state_and_date(cast: Cast, say: Say) -> None:
    account = cast.account
    assert work_off(account, "project.provision") == ["done"]
    one, other = say(account, "The boiler makes a knocking noise."), say(account, "My boiler makes knocking noises.")
    with tenant(account):
        then = timezone.now() - timedelta(days=40)
        Conversation.objects.filter(pk=other.pk).update(status="resolved", last_activity_at=then)
    index(account)
    viewer = signed_in(cast.members[Role.VIEWER])
    base = f"/app/{account.slug}/inbox/{one.pk}/"
    assert 'id="similar"' in viewer.get(base).content.decode()
    part = viewer.get(f"{base}similar/").content.decode()
    assert f"/inbox/{other.pk}/" in part and "Solved" in part and then.strftime("%Y") in part
    assert f"/inbox/{one.pk}/" not in part


def test_thanks_lead_to_no_conversation_that_only_ended_as_politely(account: Account, say: Say) -> None:
    thanks = "Thank you, that's all I needed to know."
    asked = say(account, "The boiler makes a knocking noise.", thanks, "Perfect, thanks for the quick reply.")
    alike = say(account, "My boiler knocks loudly when the heating comes on.")
    say(account, "Can I have the invoice as a PDF?", thanks)
    only_polite = say(account, thanks)
    index(account)
    api = by_key(account, Role.MEMBER)
    assert ids(api, asked) == [str(alike.pk)]
    assert api.get(at(only_polite)).json == {"results": [], "indexed": True}
