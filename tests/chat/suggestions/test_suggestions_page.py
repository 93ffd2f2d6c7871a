"""Suggested replies beside a conversation."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Account
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform, tenant
from apps.chat.models import CannedResponse, Conversation, ReplyOffer
from apps.chat.services.canned_responses import create_canned_response
from apps.chat.services.conversations import lock_conversation
from apps.chat.services.messages import receive_message
from tests.accounts.pages.conftest import signed_in
from tests.chat.conftest import SYSTEM, Say
from tests.factories import Cast
from tests.isolation.objects import owner
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-06")]

PARCEL = "Your parcel left our warehouse. You can follow it with the tracking number in your e-mail."


@pytest.fixture
def talk(cast: Cast, say: Say) -> Conversation:
    assert work_off(cast.account, "project.provision") == ["done"]
    with tenant(cast.account):
        create_canned_response(actor=owner(cast.account), short_code="parcel", content=PARCEL)
    return say(cast.account, "Where is my parcel?")


def at(cast: Cast, talk: Conversation, part: str = "suggestions/") -> str:
    return f"/app/{cast.account.slug}/inbox/{talk.pk}/{part}"


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def test_the_page_comes_first_and_the_suggestions_after_it(cast: Cast, talk: Conversation) -> None:
    client = signed_in(cast.members[Role.MEMBER])
    page = text_of(client.get(at(cast, talk, "")))
    assert 'id="suggested"' in page and 'aria-busy="true"' in page and PARCEL not in page
    part = text_of(client.get(at(cast, talk)))
    assert f'data-insert="{PARCEL}"' in part and "/parcel" in part
    with tenant(cast.account):
        assert len(ReplyOffer.objects.get().shown) == 1


def test_what_is_shown_already_is_not_sent_again(cast: Cast, talk: Conversation) -> None:
    client = signed_in(cast.alice)
    seen = seen_of(client, cast, talk)
    assert client.get(at(cast, talk), {"seen": seen}).status_code == 204
    with tenant(cast.account):
        receive_message(lock_conversation(talk.pk), "The parcel is late.", actor=SYSTEM)
    assert seen_of(client, cast, talk, seen=seen) != seen


def seen_of(client: Client, cast: Cast, talk: Conversation, **asked: str) -> str:
    found = re.search(r'"seen": "(\w+)"', text_of(client.get(at(cast, talk), asked)))
    assert found
    return found[1]


def test_a_click_is_kept_and_marked(cast: Cast, talk: Conversation) -> None:
    client = signed_in(cast.members[Role.MEMBER])
    with tenant(cast.account):
        canned = CannedResponse.objects.get()
    body = {"canned_response": str(canned.pk), "choice": "accepted"}
    assert client.post(at(cast, talk), body).status_code == 204
    assert "Taken for this message" in text_of(client.get(at(cast, talk)))
    with tenant(cast.account):
        assert ReplyOffer.objects.get().accepted_id == canned.pk
    for wrong in ({}, body | {"choice": "perhaps"}, body | {"canned_response": str(talk.pk)}):
        assert client.post(at(cast, talk), wrong).status_code == 404


def test_who_can_not_answer_is_offered_nothing(cast: Cast, talk: Conversation) -> None:
    viewer = signed_in(cast.members[Role.VIEWER])
    assert 'id="suggested"' not in text_of(viewer.get(at(cast, talk, "")))
    assert viewer.get(at(cast, talk)).status_code == 403


def test_without_canned_responses_it_says_how_to_get_some(cast: Cast, talk: Conversation) -> None:
    with tenant(cast.account):
        CannedResponse.objects.all().delete()
    part = text_of(signed_in(cast.alice).get(at(cast, talk)))
    assert "There are no canned responses yet." in part and "inbox/canned/" in part


def test_without_a_project_it_says_what_is_waited_for(cast: Cast, say: Say) -> None:
    talk = say(cast.account, "Where is my parcel?")
    part = text_of(signed_in(cast.alice).get(at(cast, talk)))
    assert "Smart suggestions" in part and "data-insert" not in part and f"/app/{cast.account.slug}/ai/" in part


def test_in_a_suspended_account_nothing_is_offered_or_kept(cast: Cast, talk: Conversation) -> None:
    with platform("test"):
        Account.objects.filter(pk=cast.account.pk).update(status=Account.Status.SUSPENDED)
    client = signed_in(cast.alice)
    assert 'id="suggested"' not in text_of(client.get(at(cast, talk, "")))
    assert client.post(at(cast, talk), {"choice": "accepted"}).status_code == 403
    with tenant(cast.account):
        assert not ReplyOffer.objects.exists()
