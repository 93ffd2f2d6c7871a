"""What conversations add to other pages, in a real browser: the index, word search, facts, and marked hits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from apps.accounts.actors import Actor
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.chat.indexing.reindexing import KIND, hurry, queue_indexing
from apps.chat.models import Conversation
from apps.chat.services.conversations import lock_conversation, open_conversation
from apps.chat.services.memories import remember
from apps.chat.services.messages import receive_message
from tests.browser.conftest import Visitor
from tests.factories import Cast, make_contact
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.covers("P-05", "P-06")]
Visit = Callable[..., Visitor]
WrongWith = Callable[[Visitor], list[str]]
SYSTEM = Actor.system("test")


@pytest.fixture
def talk(cast: Cast) -> Conversation:
    """Somebody of whom two things are known asks about an invoice."""
    assert work_off(cast.account, "project.provision") == ["done"]
    ann = make_contact(cast.account, name="Ann Archer")
    with tenant(cast.account):
        conversation = open_conversation(actor=SYSTEM, contact=ann)
        receive_message(lock_conversation(conversation.pk), "The invoice is wrong: charged twice.", actor=SYSTEM)
        for fact in ("Has two cats.", "Their bookkeeper checks every invoice."):
            remember(ann, actor=SYSTEM, content=fact)
    return conversation


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (380, "dark")])
def test_the_index_is_followed_to_its_end_and_rebuilt_after_asking(
    visit: Visit, wrong_with: WrongWith, cast: Cast, talk: Conversation, width: int, theme: str
) -> None:
    visitor = visit(width, theme)
    visitor.sign_in(cast.members[Role.ADMIN])
    page = visitor.open(f"/app/{cast.account.slug}/ai/")
    part = page.locator("#index")
    expect(part).to_contain_text("0 of 1 message indexed")
    with tenant(cast.account):
        hurry()
        queue_indexing(SYSTEM)
    assert work_off(cast.account, KIND) == ["done"]
    expect(part).to_contain_text("Up to date")  # it asks by itself
    expect(part).not_to_have_attribute("hx-trigger", "every 2s")
    page.get_by_text("What the numbers give away").click()
    faults = wrong_with(visitor)
    page.get_by_role("link", name="Rebuild…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The one message is read again")
    faults += wrong_with(visitor)
    dialog.get_by_role("button", name="Rebuild the index").click()
    expect(part).to_contain_text("Re-indexing")
    page.get_by_label("Language of most messages").select_option("german")
    page.get_by_role("button", name="Save word search").click()
    expect(page.locator("#words-state")).to_contain_text("Being made")
    assert faults == []


@pytest.mark.parametrize(("width", "theme"), [(1440, "dark"), (380, "light")])
def test_facts_are_changed_by_keyboard_and_what_was_looked_for_is_marked(
    visit: Visit, wrong_with: WrongWith, cast: Cast, talk: Conversation, width: int, theme: str
) -> None:
    visitor = visit(width, theme)
    visitor.sign_in(cast.members[Role.MEMBER])
    page = visitor.open(f"/app/{cast.account.slug}/contacts/{talk.contact_id}/")
    faults = wrong_with(visitor)
    page.get_by_role("link", name="Change: Has two cats.").press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What to remember").fill("Has three cats.")
    dialog.get_by_label("How important it is").select_option("5")
    faults += wrong_with(visitor)
    dialog.get_by_role("button", name="Save").press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator("#remembered")).to_contain_text("Has three cats.")
    page.get_by_label("A fact to remember").fill("Prefers letters.")
    page.get_by_role("button", name="Remember", exact=True).press("Enter")
    expect(page.locator("#remembered")).to_contain_text("Prefers letters.")
    faults += wrong_with(visitor)
    page.get_by_role("link", name="Search in them").click()
    expect(page.get_by_label("Only with Ann Archer")).to_be_checked()
    page.get_by_label("What was said").fill("invoices")
    page.get_by_label("How", exact=True).select_option("words")
    expect(page.locator("#found mark")).to_have_text("invoice")
    assert faults + wrong_with(visitor) == []
