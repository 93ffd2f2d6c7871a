"""The inbox's pages, asked as a browser asks: what roles see, what is refused, what files become."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.chat.models import Attachment, Conversation, Message
from apps.chat.services.conversations import delete_conversation, open_conversation
from apps.chat.services.messages import receive_message
from apps.vault import uploads
from apps.vault.messages import change_setting
from tests.factories import Cast, make_contact
from tests.isolation.objects import owner

pytestmark = [pytest.mark.django_db, pytest.mark.covers("C-13")]


@pytest.fixture
def talk(cast: Cast) -> Conversation:
    """Ann asks about a parcel."""
    ann = make_contact(cast.account, name="Ann Example", email="ann@mail.example")
    with tenant(cast.account):
        actor = owner(cast.account)
        made = open_conversation(actor=actor, contact=ann, subject="A parcel")
        receive_message(made, "Where is my parcel? <b>Now</b>", actor=actor)
    return made


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(cast: Cast, talk: Conversation, rest: str = "") -> str:
    return f"/app/{cast.account.slug}/inbox/{talk.id}/{rest}"


def test_who_opens_a_conversation_reads_it_and_a_viewer_does_not(cast: Cast, talk: Conversation) -> None:
    page = signed_in(cast.members[Role.VIEWER]).get(url(cast, talk)).content.decode()
    assert "Where is my parcel? &lt;b&gt;" in page and 'id="composer"' not in page and "conversation-solve" not in page
    with tenant(cast.account):
        assert Conversation.objects.get(pk=talk.pk).is_unread
    assert 'id="composer"' in signed_in(cast.alice).get(url(cast, talk)).content.decode()
    with tenant(cast.account):
        assert not Conversation.objects.get(pk=talk.pk).is_unread


def test_a_refused_message_comes_back_with_what_was_typed(cast: Cast, talk: Conversation) -> None:
    client = signed_in(cast.alice)
    empty = client.post(url(cast, talk, "say/"), {"content": " ", "note": "1"}, headers={"HX-Request": "true"})
    assert empty.status_code == 422 and "Write a message." in empty.content.decode()
    bad = SimpleUploadedFile("run.exe", b"MZ")
    refused = client.post(url(cast, talk, "say/"), {"content": "Here it is", "files": bad})
    assert (
        refused.status_code == 422
        and "Here it is" in refused.content.decode()
        and "run.exe" in refused.content.decode()
    )
    with tenant(cast.account):
        assert Message.objects.filter(conversation=talk).count() == 1


def test_files_are_stored_encrypted_given_out_for_keeping_and_destroyed_with_the_conversation(
    cast: Cast, talk: Conversation, django_capture_on_commit_callbacks: Any, settings: Any
) -> None:
    client = signed_in(cast.alice)
    page = b"<script>alert(1)</script>"
    sent = SimpleUploadedFile("../Ärger.txt", page, content_type="text/html")
    assert client.post(url(cast, talk, "say/"), {"content": "", "files": sent}).status_code == 302
    with tenant(cast.account):
        file = Attachment.objects.get()
        assert file.file_name == "Ärger.txt" and file.message.content == "Ärger.txt"
    stored = settings.UPLOAD_DIR / str(cast.account.id) / f"{file.upload_id}.bin"
    assert page not in stored.read_bytes()
    answer = client.get(url(cast, talk, f"files/{file.id}/"))
    assert answer.content == page and answer["Content-Type"] == "text/plain"
    assert answer["Content-Disposition"].startswith("attachment") and answer["X-Content-Type-Options"] == "nosniff"
    with tenant(cast.account):
        assert uploads.is_held(file.upload_id)
    with django_capture_on_commit_callbacks(execute=True), tenant(cast.account):
        delete_conversation(Conversation.objects.get(pk=talk.pk), actor=owner(cast.account))
    assert not stored.exists()


def test_a_file_that_is_too_large_is_named(cast: Cast, talk: Conversation, settings: Any) -> None:
    settings.ATTACHMENT_MAX_BYTES = 2_000_000
    sent = SimpleUploadedFile("map.pdf", b"x" * 2_000_001)
    answer = signed_in(cast.alice).post(url(cast, talk, "say/"), {"content": "The map", "files": sent})
    assert answer.status_code == 422 and "“map.pdf” is larger than 2 MB." in answer.content.decode()


def test_the_thread_answers_only_what_is_new(cast: Cast, talk: Conversation) -> None:
    client, asks = signed_in(cast.alice), {"HX-Request": "true"}
    with tenant(cast.account):
        last = Message.objects.get(conversation=talk)
        seen = Conversation.objects.get(pk=talk.pk)
    told = {"last": str(last.id), "head": seen.updated_at.isoformat()}
    assert client.get(url(cast, talk, "lines/"), told, headers=asks).status_code == 204
    client.post(url(cast, talk, "say/"), {"content": "On its way."}, headers=asks)
    news = client.get(url(cast, talk, "lines/"), told, headers=asks).content.decode()
    assert "On its way." in news and "Where is my parcel" not in news


def test_the_facts_beside_a_conversation_follow_its_messages(cast: Cast, talk: Conversation) -> None:
    client, asks = signed_in(cast.alice), {"HX-Request": "true"}
    assert "Waits since" in client.get(url(cast, talk)).content.decode()
    client.post(url(cast, talk, "say/"), {"content": "On its way."}, headers=asks)
    with tenant(cast.account):
        asked = Message.objects.filter(conversation=talk).earliest("id")
    news = client.get(url(cast, talk, "lines/"), {"last": str(asked.id)}, headers=asks).content.decode()
    assert 'id="conversation-facts" hx-swap-oob="true"' in news and "Waits since" not in news


def test_a_dialog_leads_back_to_the_list_it_was_opened_over(cast: Cast, talk: Conversation) -> None:
    client = signed_in(cast.alice)
    page = f"http://testserver{url(cast, talk)}?tab=all&status=any#about"
    asks = {"HX-Request": "true", "HX-Current-URL": page}
    answer = client.post(url(cast, talk, "snooze/"), {"until": "2199-05-04T09:00"}, headers=asks)
    assert answer["HX-Redirect"] == url(cast, talk) + "?tab=all&status=any"
    shown = client.get(url(cast, talk)).content.decode()
    assert "asleep until Saturday 4 May 2199, 09:00" in shown
    assert "<dt>Asleep until</dt><dd>Saturday 4 May 2199, 09:00</dd>" in shown
    assert ">ann<wbr>@mail.example</a>" in shown


def test_a_conversation_is_begun_with_a_contact_by_its_email(cast: Cast, talk: Conversation) -> None:
    client, address = signed_in(cast.alice), f"/app/{cast.account.slug}/inbox/new/"
    with tenant(cast.account):
        inbox = Conversation.objects.get(pk=talk.pk).inbox_id
    values = {"contact": "nobody@mail.example", "inbox": inbox, "kind": "reply", "content": "Hello"}
    refused = client.post(address, values)
    assert refused.status_code == 422 and "No contact has exactly that." in refused.content.decode()
    made = client.post(address, {**values, "contact": "ANN@mail.example"})
    assert made.status_code == 302
    assert "Hello" in client.get(made["Location"]).content.decode()


def test_one_is_begun_with_a_contact_who_has_nothing_but_a_name(cast: Cast, talk: Conversation) -> None:
    client, address = signed_in(cast.alice), f"/app/{cast.account.slug}/inbox/new/"
    nameless = make_contact(cast.account, name="Ben Example", email="", phone="", identifier="")
    assert f'value="{nameless.id}"' in client.get(f"{address}?contact={nameless.id}").content.decode()
    with tenant(cast.account):
        inbox = Conversation.objects.get(pk=talk.pk).inbox_id
    values = {"contact": str(nameless.id), "inbox": inbox, "kind": "incoming", "content": "Good morning"}
    made = client.post(address, values)
    assert made.status_code == 302 and "Ben Example" in client.get(made["Location"]).content.decode()


def test_a_first_conversation_is_not_begun_before_there_is_a_contact(cast: Cast) -> None:
    page = signed_in(cast.alice).get(f"/app/{cast.account.slug}/inbox/new/").content.decode()
    assert "No contacts yet" in page and f"/app/{cast.account.slug}/contacts/new/" in page


def test_a_search_says_how_much_was_found_and_what_else_to_try(cast: Cast, talk: Conversation) -> None:
    client, address = signed_in(cast.alice), f"/app/{cast.account.slug}/inbox/search/"
    found = client.get(address, {"q": "parcel", "mode": "words"}).content.decode()
    assert "1 conversation, the best fit first" in found and "<mark>parcel</mark>" in found
    nothing = client.get(address, {"q": "boiler", "mode": "words"}, headers={"HX-Request": "true"}).content.decode()
    assert 'id="found-says" hx-swap-oob="innerHTML">Nothing found<' in nothing
    assert "mode=meaning" in nothing and "mode=words" not in nothing


def test_a_search_that_can_look_into_nothing_says_so_instead_of_finding_nothing(cast: Cast, talk: Conversation) -> None:
    client, address = signed_in(cast.alice), f"/app/{cast.account.slug}/inbox/search/"
    with tenant(cast.account):
        change_setting(actor=owner(cast.account), enabled=False)
    by_words = client.get(address, {"q": "parcel", "mode": "words"}).content.decode()
    assert "Word search is switched off" in by_words and "Nothing found" not in by_words
    by_meaning = client.get(address, {"q": "parcel", "mode": "meaning"})
    assert by_meaning.status_code == 200 and 'value="parcel"' in by_meaning.content.decode()
    both = client.get(address, {"q": "parcel"}).content.decode()
    assert "Nothing like that was said" not in both and "found by their words" not in both
    assert f'href="/app/{cast.account.slug}/ai/"' in both


@pytest.mark.parametrize(
    ("kind", "noun"), [("canned", "canned responses"), ("labels", "labels"), ("inboxes", "inboxes")]
)
def test_an_empty_list_says_how_to_begin_and_offers_it_once(cast: Cast, kind: str, noun: str) -> None:
    base = f"/app/{cast.account.slug}/inbox/{kind}/"
    page = signed_in(cast.alice).get(base).content.decode()
    assert f"No {noun} yet" in page and page.count(f'href="{base}new/"') == 1
    looked_at = signed_in(cast.members[Role.VIEWER]).get(base).content.decode()
    assert f"No {noun} yet" in looked_at and f'href="{base}new/"' not in looked_at
