"""Suggested replies in a real browser: one click puts the text into the answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from apps.accounts.tenancy.scope import tenant
from apps.chat.models import Conversation, Message, ReplyOffer, ReplyProfile
from apps.chat.services.canned_responses import create_canned_response
from apps.chat.services.conversations import lock_conversation, open_conversation
from apps.chat.services.messages import receive_message
from tests.browser.conftest import Visitor
from tests.factories import Cast, make_contact
from tests.isolation.objects import owner
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.covers("P-06")]
Visit = Callable[..., Visitor]
WrongWith = Callable[[Visitor], list[str]]

PARCEL = "Your parcel left our warehouse.\nYou can follow it with the tracking number in your e-mail."


@pytest.fixture
def talk(cast: Cast) -> Conversation:
    """Ann asks about a parcel; there is a canned response for that, and one for something else."""
    assert work_off(cast.account, "project.provision") == ["done"]
    ann = make_contact(cast.account, name="Ann Example")
    with tenant(cast.account):
        actor = owner(cast.account)
        create_canned_response(actor=actor, short_code="parcel", content=PARCEL)
        create_canned_response(actor=actor, short_code="violin", content="Violins are tuned in fifths, from G to E.")
        made = open_conversation(actor=actor, contact=ann, subject="A parcel")
        receive_message(made, "Where is my parcel?", actor=actor)
    return made


def test_one_click_inserts_what_fits_and_sending_it_is_learnt(
    visit: Visit, wrong_with: WrongWith, cast: Cast, talk: Conversation
) -> None:
    visitor = visit()
    visitor.come_signed_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/inbox/{talk.id}/")
    suggested, reply = page.locator("#suggested"), page.get_by_label("Write to Ann")
    expect(suggested.get_by_role("button")).to_have_count(1)
    assert wrong_with(visitor) == []
    suggested.get_by_role("button", name="/parcel").click()
    expect(reply).to_have_value(PARCEL)
    expect(reply).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#thread")).to_contain_text("Your parcel left our warehouse.")
    expect(suggested.get_by_text("Taken,")).to_have_count(1)
    with tenant(cast.account):
        profile = ReplyProfile.objects.get(canned_response__short_code="parcel")
        assert (profile.accepted, profile.ignored) == (1, 0)
        assert ReplyOffer.objects.get().answered_at is not None
    assert visitor.faults == []


def test_a_new_message_brings_new_suggestions(visit: Visit, cast: Cast, talk: Conversation) -> None:
    visitor = visit()
    visitor.come_signed_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/inbox/{talk.id}/")
    suggested = page.locator("#suggested")
    expect(suggested.get_by_role("button", name="/parcel")).to_be_visible()
    with tenant(cast.account):
        for text in ("Never mind.", "Tell me about violins!", "How are violins tuned?", "From G to E?"):
            receive_message(lock_conversation(talk.pk), text, actor=owner(cast.account))
    page.evaluate("document.body.dispatchEvent(new CustomEvent('thread-changed'))")
    expect(suggested.get_by_role("button", name="/violin")).to_be_visible()
    assert visitor.faults == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone_by_keyboard_the_panel_gives_way_to_the_answer(
    visit: Visit, wrong_with: WrongWith, cast: Cast, talk: Conversation, theme: str
) -> None:
    visitor = visit(380, theme)
    visitor.come_signed_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/inbox/{talk.id}/#about")
    button = page.locator("#suggested").get_by_role("button", name="/parcel")
    button.focus()
    expect(button).to_be_focused()
    faults = wrong_with(visitor)
    page.keyboard.press("Enter")
    reply = page.get_by_label("Write to Ann")
    expect(reply).to_be_in_viewport()
    expect(reply).to_have_value(PARCEL)
    expect(page.locator("#about")).to_be_hidden()
    with tenant(cast.account):
        assert Message.objects.filter(conversation=talk, message_type="outgoing").count() == 0  # nothing is sent by it
    assert [*faults, *wrong_with(visitor)] == []
