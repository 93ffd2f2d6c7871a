"""What is remembered, on the pages: beside a conversation by what is talked about, on the contact's page whole."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Account, Membership
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.chat.models import ContactMemory, Conversation
from apps.chat.services.memories import remember
from apps.integrations.outbound.errors import NoAnswer
from apps.integrations.zerodb.client import ProjectClient
from apps.vault.models import AuditEntry
from apps.vault.services.contacts import delete_contact, lock_contact
from tests.accounts.features.conftest import switch
from tests.api_client import by_key
from tests.chat.conftest import SYSTEM, Say
from tests.factories import add_member, make_contact
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P-06")]
PART = {"HX-Request": "true"}
As = Callable[[Role], Client]


@pytest.fixture
def sign_in(account: Account) -> As:
    """A browser of a member of this role."""

    def client_of(role: Role) -> Client:
        with tenant(account):
            found = Membership.objects.filter(role=role).first()
        client = Client()
        client.force_login((found or add_member(account, role)).user)
        return client

    return client_of


def plain(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def know(account: Account, conversation: Conversation, *facts: str) -> list[ContactMemory]:
    with tenant(account):
        return [remember(conversation.contact, actor=SYSTEM, content=fact) for fact in facts]


def _away(*_: Any, **__: Any) -> Any:
    raise NoAnswer("The AI service does not answer.")


def test_beside_a_conversation_what_bears_on_it_comes_first_and_the_page_does_not_wait(
    account: Account, say: Say, sign_in: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = say(account, "My invoice is wrong, the amount was charged twice.")
    know(account, talk, "Their bookkeeper checks every invoice.", "Has two cats called Salt and Pepper.")
    here, viewer = f"/app/{account.slug}/inbox/{talk.pk}/", sign_in(Role.VIEWER)
    with monkeypatch.context() as patch:
        patch.setattr(ProjectClient, "generate", _away)
        page = viewer.get(here)
        assert plain(page).index("cats") < plain(page).index("bookkeeper"), "the newest first"
        assert f'hx-get="{here}memories/recalled/"' in page.content.decode()
        assert viewer.get(f"{here}memories/recalled/", headers=PART).status_code == 204
    found = viewer.get(f"{here}memories/recalled/", headers=PART)
    assert "What bears on this conversation comes first." in plain(found)
    assert plain(found).index("bookkeeper") < plain(found).index("cats")
    assert "Forget" not in found.content.decode()


def test_on_the_contacts_page_facts_are_noted_changed_and_forgotten(account: Account, say: Say, sign_in: As) -> None:
    talk = say(account, "Hello.")
    with tenant(account):
        contact = talk.contact
    page, member = f"/app/{account.slug}/contacts/{contact.pk}/", sign_in(Role.MEMBER)
    assert "Nothing yet." in plain(member.get(page))
    assert member.post(f"{page}memories/", {"content": ""}, headers=PART).status_code == 422
    noted = member.post(f"{page}memories/", {"content": "Prefers the phone."}, headers=PART)
    assert "Prefers the phone." in plain(noted)
    with tenant(account):
        fact = ContactMemory.objects.get()
    edit = f"/app/{account.slug}/memories/{fact.pk}/edit/"
    assert "Prefers the phone." in plain(member.get(edit, headers=PART))
    assert member.post(edit, {"content": "", "importance": "3"}, headers=PART).status_code == 422
    saved = member.post(edit, {"content": "Prefers letters.", "importance": "5", "tags": "Post, calm"}, headers=PART)
    assert saved.status_code == 204 and "memories-changed" in json.loads(saved["HX-Trigger"])
    shown = plain(member.get(page))
    assert "Prefers letters." in shown and "Never forget" in shown and "calm" in shown
    viewer = plain(sign_in(Role.VIEWER).get(page))
    assert "Prefers letters." in viewer and "Forget all" not in viewer and "Note a fact" not in viewer
    assert "1 fact goes" in plain(member.get(f"{page}memories/forget/", headers=PART))
    member.post(f"{page}memories/forget/")
    with tenant(account):
        assert not ContactMemory.objects.exists()


@pytest.mark.parametrize(
    ("said", "says"),
    [("Where is it?", "Nothing new was found in this conversation."), ("I work nights.", "One proposed.")],
)
def test_a_search_for_facts_says_what_it_came_to(account: Account, say: Say, sign_in: As, said: str, says: str) -> None:
    talk, member = say(account, said), sign_in(Role.MEMBER)
    part = f"/app/{account.slug}/inbox/{talk.pk}/memories/"
    looking = member.post(f"{part}propose/", headers=PART).content.decode()
    again = re.search(r'hx-get="([^"]+\?search=[^"]+)"', looking)
    assert again and "Looking for facts" in plain(member.get(again[1], headers=PART))
    assert work_off(account, "memories.propose") == ["done"]
    answer = member.get(again[1], headers=PART)
    assert says in plain(answer) and "Looking for facts" not in plain(answer)
    named = re.findall(r'aria-label="(Remember|Dismiss): [^"]', answer.content.decode())
    assert named == (["Remember", "Dismiss"] if "proposed" in says else []), "each button says which fact"


def test_while_memory_is_off_what_is_kept_is_shown_and_can_be_forgotten(
    account: Account, say: Say, sign_in: As
) -> None:
    talk = say(account, "Hello.")
    know(account, talk, "Prefers the phone.")
    switch(account, "agent_memory", False)
    page, owner = f"/app/{account.slug}/contacts/{talk.contact_id}/", sign_in(Role.OWNER)
    shown = plain(owner.get(page))
    assert "Agent memory is off" in shown and "Prefers the phone." in shown
    assert "Note a fact" not in owner.get(page).content.decode()
    owner.post(f"{page}memories/forget/")
    assert "Remembered" not in plain(owner.get(page))


class TestExport:
    @pytest.mark.covers("A-10", "V-06")
    def test_a_contact_is_exported_with_what_is_remembered_and_what_was_said(
        self, account: Account, say: Say, sign_in: As
    ) -> None:
        talk = say(account, "My parcel is late.", "Where is it?")
        know(account, talk, "Prefers the phone.")
        api = by_key(account, Role.VIEWER)
        document = api.get(f"contacts/{talk.contact_id}/export").json
        assert document["contact"] == api.get(f"contacts/{talk.contact_id}").json
        assert [fact["content"] for fact in document["memories"]] == ["Prefers the phone."]
        (conversation,) = document["conversations"]
        assert [said["content"] for said in conversation["messages"]] == ["My parcel is late.", "Where is it?"]
        file = sign_in(Role.MEMBER).get(f"/app/{account.slug}/contacts/{talk.contact_id}/export/")
        assert "attachment" in file["Content-Disposition"]
        assert {**file.json(), "exported_at": ""} == {**document, "exported_at": ""}
        with tenant(account):
            entries = AuditEntry.objects.filter(action="contact.exported", entity_id=str(talk.contact_id))
            assert entries.count() == 2

    def test_who_may_not_see_a_part_gets_the_document_without_it(self, account: Account, say: Say) -> None:
        talk = say(account, "My parcel is late.")
        know(account, talk, "Prefers the phone.")
        api = by_key(account, Role.ADMIN, scopes=["contacts.view"])
        assert set(api.get(f"contacts/{talk.contact_id}/export").json) == {"exported_at", "contact"}

    def test_anothers_facts_are_not_in_it_and_a_deleted_contact_takes_its_own_along(
        self, account: Account, say: Say
    ) -> None:
        talk, other = say(account, "Mine."), make_contact(account, name="Bo")
        know(account, talk, "Prefers the phone.")
        api = by_key(account)
        assert api.get(f"contacts/{other.pk}/export").json["memories"] == []
        with tenant(account):
            delete_contact(lock_contact(talk.contact_id), actor=SYSTEM)
            assert not ContactMemory.objects.exists()
        assert api.get(f"contacts/{talk.contact_id}/export").status == 404


def test_who_may_only_read_is_not_told_to_note_facts(account: Account, say: Say, sign_in: As) -> None:
    here = f"/app/{account.slug}/inbox/{say(account, 'Hello.').pk}/"
    assert "What you note here is shown in every conversation" in plain(sign_in(Role.MEMBER).get(here))
    seen = plain(sign_in(Role.VIEWER).get(here))
    assert "What members note is shown here, in every conversation" in seen and "What you note" not in seen
