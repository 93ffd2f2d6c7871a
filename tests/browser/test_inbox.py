"""The inbox in a real browser: by keyboard alone, on a phone, in the dark, as a viewer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.chat.models import CannedResponse, Conversation, Message
from apps.chat.services.conversations import open_conversation
from apps.chat.services.labels import create_label
from apps.chat.services.messages import receive_message, write_note
from tests.browser.conftest import Visitor
from tests.factories import Cast, make_contact
from tests.isolation.objects import owner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.covers("C-13")]
Visit = Callable[..., Visitor]
WrongWith = Callable[[Visitor], list[str]]


@pytest.fixture
def talk(cast: Cast) -> Conversation:
    """Ann asks about a parcel, in a small inbox with two canned responses."""
    people = [make_contact(cast.account, name=f"{name} Example") for name in ("Ann", "Ben", "Cleo")]
    with tenant(cast.account):
        actor = owner(cast.account)
        for code, text in (("hours", "We are here from nine to five."), ("parcel", "Your parcel comes on Monday.")):
            CannedResponse.objects.create(short_code=code, content=text)
        for person in people[1:]:
            receive_message(open_conversation(actor=actor, contact=person), "Hello?", actor=actor)
        made = open_conversation(actor=actor, contact=people[0], subject="A parcel")
        receive_message(made, "Where is my parcel? " + "x" * 90, actor=actor)
        write_note(made, "Left at the depot.", actor=actor, is_private=True)
    return made


def test_a_conversation_is_answered_noted_and_solved_by_keyboard_alone(
    visit: Visit, cast: Cast, talk: Conversation
) -> None:
    visitor = visit()
    visitor.come_signed_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/inbox/?tab=all")
    page.get_by_role("link", name="Ann Example").focus()
    page.keyboard.press("Enter")
    reply = page.get_by_label("Write to Ann")
    reply.focus()
    page.keyboard.type("Hello Ann. /par")
    expect(page.get_by_role("option", name="/parcel")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(reply).to_have_value("Hello Ann. Your parcel comes on Monday.")
    page.reload()
    expect(reply).to_have_value("Hello Ann. Your parcel comes on Monday.")  # the draft is kept
    reply.focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#thread")).to_contain_text("Hello Ann. Your parcel comes on Monday.")
    expect(reply).to_have_value("")
    expect(reply).to_be_focused()
    page.keyboard.press("Control+Enter")  # nothing was typed
    expect(page.get_by_role("alert")).to_contain_text("Write a message.")
    page.get_by_role("checkbox", name="Note").focus()
    page.keyboard.press("Space")
    reply.focus()
    page.keyboard.type("Only for us")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".sr-msg.note").last).to_contain_text("Note by you, only your team sees it")
    page.get_by_role("button", name="Solve").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Reopen")).to_be_focused()
    expect(page.locator("#thread")).to_contain_text("Alice solved the conversation.")
    with tenant(cast.account):
        assert Conversation.objects.get(pk=talk.pk).status == "resolved"
        assert Message.objects.filter(conversation=talk, message_type="note").count() == 2
    assert visitor.faults == []


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (380, "dark")])
def test_every_state_of_the_inbox(
    visit: Visit, wrong_with: WrongWith, cast: Cast, talk: Conversation, width: int, theme: str
) -> None:
    visitor = visit(width, theme)
    visitor.come_signed_in(cast.alice)
    base = f"/app/{cast.account.slug}/inbox/"
    faults: list[str] = []
    for path in ("", "?tab=all&status=any", f"{talk.id}/", "new/", "search/", "canned/", "labels/", "inboxes/"):
        visitor.open(base + path)
        faults += wrong_with(visitor)
    page = visitor.open(f"{base}{talk.id}/#about")
    expect(page.get_by_role("heading", name="Contact", exact=True)).to_be_visible()
    faults += wrong_with(visitor)
    page = visitor.open(f"{base}{talk.id}/")
    page.get_by_role("button", name="Canned replies").click()
    expect(page.locator("#canned").get_by_role("option")).to_have_count(2)
    faults += wrong_with(visitor)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="More for this conversation").click()
    page.get_by_role("link", name="Choose a time").click()
    page.get_by_role("dialog").get_by_role("button", name="Snooze").click()
    expect(page.get_by_text("Choose a day and a time.")).to_be_visible()
    faults += wrong_with(visitor)
    assert faults == []


def test_on_a_phone_the_list_leads_to_the_conversation_and_back(visit: Visit, cast: Cast, talk: Conversation) -> None:
    visitor = visit(380)
    visitor.come_signed_in(cast.members[Role.VIEWER])
    page = visitor.open(f"/app/{cast.account.slug}/inbox/")
    page.get_by_role("link", name="Ann Example").click()
    expect(page.get_by_text("Where is my parcel?").last).to_be_visible()
    expect(page.get_by_text("You can read along.")).to_be_visible()
    expect(page.get_by_role("button", name="Solve")).to_have_count(0)
    page.get_by_role("link", name="Back to the list").click()
    expect(page.get_by_role("link", name="Cleo Example")).to_be_visible()
    assert visitor.faults == []


def test_a_double_click_sends_a_form_once(visit: Visit, cast: Cast, talk: Conversation) -> None:
    with tenant(cast.account):
        ann = Conversation.objects.get(pk=talk.pk).contact
    visitor = visit()
    visitor.come_signed_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/inbox/new/?contact={ann.id}")
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    page.get_by_label("Text").fill("Good news.")
    page.get_by_role("button", name="Begin conversation").dblclick()
    expect(page.get_by_role("log").get_by_text("Good news.")).to_be_visible()
    assert len([url for url in posted if "/inbox/new/" in url]) == 1
    page = visitor.open(f"/app/{cast.account.slug}/inbox/labels/")
    page.get_by_role("link", name="New label").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Save").dblclick()
    expect(page.get_by_text("Give it a name.")).to_be_visible()
    page.get_by_label("Name").fill("returns")  # a refused form is sent again
    page.get_by_role("dialog").get_by_role("button", name="Save").dblclick()
    expect(page.get_by_text("The label is there.")).to_have_count(1)
    assert len([url for url in posted if "/labels/new/" in url]) == 2
    with tenant(cast.account):
        assert Conversation.objects.filter(contact=ann).count() == 2
    assert visitor.faults == []


def test_labels_are_put_on_from_the_panel(visit: Visit, cast: Cast, talk: Conversation) -> None:
    with tenant(cast.account):
        create_label(actor=owner(cast.account), name="returns")
    visitor = visit()
    visitor.come_signed_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/inbox/{talk.id}/?tab=all")
    page.evaluate("window.stillHere = true")
    for _ in range(2):  # the place of dialogs is still there after the first
        page.get_by_role("link", name="Change labels").click()
        page.get_by_role("dialog").get_by_role("link", name="Cancel").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert page.evaluate("window.stillHere")
    page.get_by_role("link", name="Change labels").click()
    page.get_by_role("dialog").get_by_text("returns").click()
    page.get_by_role("button", name="Save labels").click()
    expect(page.locator("#about-this").get_by_text("returns")).to_be_visible()
    assert page.url.endswith("/?tab=all")
    assert visitor.faults == []


@pytest.mark.parametrize("role", [Role.OWNER, Role.VIEWER])
def test_a_long_list_scrolls_in_its_column_and_not_the_page(visit: Visit, cast: Cast, role: Role) -> None:
    people = [make_contact(cast.account, name=f"Caller {number}") for number in range(20)]
    with tenant(cast.account):
        actor = owner(cast.account)
        for person in people:
            for _ in range(2):
                made = open_conversation(actor=actor, contact=person)
                receive_message(made, "Hello? " * 60, actor=actor)
                write_note(made, "Called before.", actor=actor, is_private=True)
    visitor = visit()
    visitor.come_signed_in(cast.members[role])
    beyond = "document.documentElement.scrollHeight - document.documentElement.clientHeight"
    for path in ("?tab=all", f"{made.id}/?tab=all"):
        page = visitor.open(f"/app/{cast.account.slug}/inbox/{path}")
        expect(page.get_by_role("link", name="Caller 19").first).to_be_visible()
        assert page.evaluate(beyond) == 0
