"""Suggested replies and similar conversations with a server elsewhere: the same as here, through outages too."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from apps.accounts.models import Account, Job
from apps.accounts.tenancy.scope import tenant
from apps.chat.models import Conversation, ReplyProfile
from apps.chat.suggestions.preparing import sweep as sweep_replies
from apps.chat.suggestions.profiles import KIND
from tests.api_client import ApiClient
from tests.chat.conftest import Say
from tests.chat.remote.conftest import Clock, index, person
from tests.stand_ins.faulty_proxy import Fault, FaultyProxy
from tests.working import work_off

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("elsewhere"),
    pytest.mark.timeout(240),
    pytest.mark.covers("P-06", "P-10", "P-11"),
]

REPLIES = {
    "refund": "Your money is on its way back to your card. It takes five to ten working days to show.",
    "parcel": "Your parcel left our warehouse. You can follow it with the tracking number in your e-mail.",
    "opening-hours": "Our shop is open from nine to five, Monday to Saturday.",
}
OUTAGES: dict[str, Callable[[FaultyProxy], None]] = {
    "the service is gone": lambda proxy: proxy.down(),
    "it fails": lambda proxy: setattr(proxy, "outage", Fault("status", 503)),
    "it loses answers": lambda proxy: setattr(proxy, "outage", Fault("lost_after")),
    "it asks to wait": lambda proxy: setattr(proxy, "outage", Fault("status", 429, headers={"Retry-After": "45"})),
}


def write(api: ApiClient, code: str) -> None:
    assert api.post("canned-responses", {"short_code": code, "content": REPLIES[code]}).status == 201


def prepare(account: Account) -> list[str]:
    """What beat and a worker do."""
    with tenant(account):
        ReplyProfile.objects.exclude(due_at=None).update(due_at="2026-01-01T00:00Z")
    sweep_replies()
    return work_off(account, KIND)


def suggested(api: ApiClient, conversation: Conversation) -> list[str]:
    answer = api.get(f"conversations/{conversation.pk}/suggestions")
    assert answer.status == 200, answer.content
    return [one["canned_response"]["short_code"] for one in answer.json["results"]]


def similar(api: ApiClient, conversation: Conversation) -> list[str]:
    answer = api.get(f"conversations/{conversation.pk}/similar")
    assert answer.status == 200, answer.content
    return [row["conversation"]["id"] for row in answer.json["results"]]


def part(reader: Client, account: Account, conversation: Conversation, name: str) -> str:
    """A part of the page of a conversation, which never fails as a whole."""
    page = reader.get(f"/app/{account.slug}/inbox/{conversation.pk}/{name}/")
    assert page.status_code == 200, page.content
    return page.content.decode()


def test_replies_are_prepared_and_suggested_there(
    account: Account, api: ApiClient, say: Say, proxy: FaultyProxy
) -> None:
    for code in REPLIES:
        write(api, code)
    assert prepare(account) == ["done"]
    assert suggested(api, say(account, "When do I get my money back?"))[0] == "refund"
    assert suggested(api, say(account, "Where is my parcel now?"))[0] == "parcel"
    texts = [one for one in proxy.calls("POST", "embeddings/generate") if one.status == 200]
    assert len(texts) == 3, "all replies at once, and each question"


def test_similar_conversations_are_found_there_without_embedding_anything(
    account: Account, api: ApiClient, say: Say, proxy: FaultyProxy
) -> None:
    asked = say(account, "The boiler makes a knocking noise.", "Thank you, that's all I needed to know.")
    alike = say(account, "My boiler knocks loudly when the heating comes on.")
    say(account, "Can I have the invoice as a PDF?", "Thank you, that's all I needed to know.")
    index(account)
    before = len(proxy.calls("POST", "embeddings/generate"))
    assert similar(api, asked) == [str(alike.pk)]
    assert len(proxy.calls("POST", "embeddings/generate")) == before


@pytest.mark.parametrize("outage", OUTAGES)
def test_through_an_outage_they_say_so_and_come_back(
    account: Account, api: ApiClient, say: Say, proxy: FaultyProxy, clock: Clock, outage: str
) -> None:
    write(api, "refund")
    assert prepare(account) == ["done"]
    asked = say(account, "When do I get my money back?")
    alike = say(account, "I am still waiting to get my money back.")
    index(account)
    assert suggested(api, asked) == ["refund"]
    reader = person(account)

    OUTAGES[outage](proxy)
    assert suggested(api, asked) == ["refund"], "what was embedded before is here"
    write(api, "parcel")
    assert "queued" in prepare(account)
    refused = api.get(f"conversations/{alike.pk}/suggestions")
    assert (refused.status, refused.code) == (503, "service_unavailable") and refused.headers["Retry-After"]
    refused = api.get(f"conversations/{asked.pk}/similar")
    assert (refused.status, refused.code) == (503, "service_unavailable") and refused.headers["Retry-After"]
    assert "does not answer" in part(reader, account, alike, "suggestions")
    assert "does not answer" in part(reader, account, asked, "similar")
    assert reader.get(f"/app/{account.slug}/inbox/{asked.pk}/").status_code == 200

    if outage == "the service is gone":
        proxy.up()
    proxy.outage = None
    clock.forward(330)
    assert set(prepare(account)) == {"done"}
    assert suggested(api, alike) == ["refund"]
    assert suggested(api, say(account, "Where is my parcel now?"))[0] == "parcel"
    assert similar(api, asked) == [str(alike.pk)]
    assert "does not answer" not in part(reader, account, asked, "similar")
    with tenant(account):
        assert not Job.objects.filter(kind=KIND, status=Job.Status.FAILED).exists()
