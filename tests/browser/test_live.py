"""Two people at one inbox, each in a browser, on the product as `make run` serves it: sockets and all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from apps.accounts.models import Membership
from apps.accounts.tenancy.scope import tenant
from apps.chat.models import Conversation
from apps.chat.services.conversations import change_conversation, open_conversation
from apps.chat.services.messages import receive_message
from tests.browser.conftest import Visitor
from tests.factories import Cast, make_contact
from tests.isolation.objects import owner
from tests.live_servers import Server, serving

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.covers("C-13"),
    pytest.mark.timeout(300),
]
Visit = Callable[..., Visitor]
WrongWith = Callable[[Visitor], list[str]]
PATIENCE = 45_000
"""Milliseconds. It takes a fraction of a second; a busy machine is no fault."""


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def talk(cast: Cast) -> Conversation:
    """Ann has much to say, so that there is something to scroll."""
    ann = make_contact(cast.account, name="Ann Example")
    with tenant(cast.account):
        made = open_conversation(actor=owner(cast.account), contact=ann)
        for number in range(25):
            receive_message(made, f"Line {number} of a long story.", actor=owner(cast.account))
    return made


@pytest.fixture
def hear(cast: Cast, talk: Conversation) -> Callable[[str], None]:
    """Ann says something."""

    def say(text: str) -> None:
        with tenant(cast.account):
            receive_message(Conversation.objects.get(pk=talk.pk), text, actor=owner(cast.account))

    return say


def opened(visitor: Visitor, cast: Cast, talk: Conversation) -> Page:
    """The conversation, when its socket stands: two of them see each other only then."""
    page = visitor.open(f"/app/{cast.account.slug}/inbox/{talk.id}/?tab=all")
    page.evaluate("window.stillHere = true")  # gone after a reload
    return page


def test_what_one_writes_the_other_sees_without_losing_the_place_or_a_half_written_answer(
    visit: Visit, server: Server, wrong_with: WrongWith, cast: Cast, talk: Conversation
) -> None:
    first, second = visit(base=server.url), visit(380, "dark", base=server.url)
    first.sign_in(cast.alice)
    second.sign_in(cast.bob)
    alice, bob = opened(first, cast, talk), opened(second, cast, talk)
    name = cast.bob.display_name
    expect(alice.locator("#company")).to_have_text(f"{name} is reading here.", timeout=PATIENCE)
    expect(bob.locator("#company")).to_have_text("Alice is reading here.", timeout=PATIENCE)
    draft = bob.get_by_label("Write to Ann")
    draft.click()
    draft.press_sequentially("Half a thought")
    expect(alice.locator("#company")).to_have_text(f"{name} is writing here.", timeout=PATIENCE)
    assert wrong_with(first) == wrong_with(second) == []

    expect(bob.locator("#conversation-facts")).to_contain_text("Waits since")
    alice.get_by_label("Write to Ann").fill("The whole answer.")
    alice.get_by_role("button", name="Send").click()
    expect(alice.get_by_role("log").get_by_text("The whole answer.")).to_be_visible(timeout=PATIENCE)
    answer = bob.get_by_role("log").get_by_text("The whole answer.")
    expect(answer).to_be_in_viewport(timeout=PATIENCE)  # he was at the end, and is
    expect(bob.locator("#conversation-facts")).not_to_contain_text("Waits since", timeout=PATIENCE)
    expect(draft).to_have_value("Half a thought")
    expect(draft).to_be_focused()

    alice.get_by_role("button", name="Solve").click()
    expect(bob.get_by_role("button", name="Reopen")).to_be_visible(timeout=PATIENCE)
    expect(bob.get_by_role("log").get_by_text("Alice solved the conversation.")).to_be_visible(timeout=PATIENCE)
    expect(draft).to_have_value("Half a thought")
    assert bob.evaluate("window.stillHere") and alice.evaluate("window.stillHere")
    bob.close()
    expect(alice.locator("#company")).to_have_text("", timeout=PATIENCE)
    assert wrong_with(first) == []


def test_whoever_reads_further_up_keeps_their_place_and_is_offered_what_came(
    visit: Visit,
    server: Server,
    wrong_with: WrongWith,
    cast: Cast,
    talk: Conversation,
    hear: Callable[[str], None],
) -> None:
    visitor = visit(base=server.url)
    visitor.sign_in(cast.alice)
    page = opened(visitor, cast, talk)
    page.evaluate("document.querySelector('#thread-scroll').scrollTop = 0")
    offer = page.get_by_role("button", name="New messages")
    expect(page.get_by_text("Line 0 of a long story.")).to_be_in_viewport()
    expect(offer).to_be_hidden()
    hear("One thing more.")
    expect(offer).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Line 0 of a long story.")).to_be_in_viewport()
    expect(page.get_by_role("log").get_by_text("One thing more.")).not_to_be_in_viewport()
    assert wrong_with(visitor) == []
    offer.click()
    expect(page.get_by_role("log").get_by_text("One thing more.")).to_be_in_viewport()
    expect(offer).to_be_hidden()
    assert page.evaluate("window.stillHere")


def test_a_look_that_failed_is_repeated_although_the_socket_stands(
    visit: Visit, server: Server, cast: Cast, talk: Conversation, hear: Callable[[str], None]
) -> None:
    visitor, other = visit(base=server.url), visit(base=server.url)
    visitor.sign_in(cast.alice)
    other.sign_in(cast.bob)
    page = opened(visitor, cast, talk)
    opened(other, cast, talk)
    expect(page.locator("#company")).to_have_text(f"{cast.bob.display_name} is reading here.", timeout=PATIENCE)
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.fulfill(status=503)

    page.route("**/lines/**", refuse, times=1)
    hear("One thing more.")
    expect(page.get_by_role("log").get_by_text("One thing more.")).to_be_visible(timeout=PATIENCE)
    assert len(refused) == 1


def test_the_first_conversation_of_all_replaces_the_welcome(visit: Visit, server: Server, cast: Cast) -> None:
    visitor = visit(base=server.url)
    visitor.sign_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/inbox/?tab=all")
    expect(page.get_by_text("No conversations yet")).to_be_visible()
    contact = make_contact(cast.account, name="Ann Example")
    with tenant(cast.account):
        open_conversation(actor=owner(cast.account), contact=contact)
    expect(page.get_by_role("link", name="Ann Example")).to_be_visible(timeout=PATIENCE)
    assert visitor.faults == []


def test_the_list_and_the_count_in_the_title_follow(
    visit: Visit, server: Server, cast: Cast, talk: Conversation, hear: Callable[[str], None]
) -> None:
    with tenant(cast.account):
        change_conversation(talk, actor=owner(cast.account), assignee=Membership.objects.get(user=cast.alice))
    visitor = visit(base=server.url)
    visitor.sign_in(cast.alice)
    page = visitor.open(f"/app/{cast.account.slug}/inbox/?tab=all")
    page.evaluate("window.stillHere = true")
    row = page.get_by_role("link", name="Ann Example")
    expect(row).to_contain_text("Line 24")
    hear("The latest of all")
    expect(row).to_contain_text("The latest of all", timeout=PATIENCE)
    expect(page).to_have_title("(1) Inbox · Strongroom")
    with tenant(cast.account):
        contact = make_contact(cast.account, name="Ben Example")
        mine = owner(cast.account)
        talk = open_conversation(actor=mine, contact=contact)
        receive_message(talk, "And I?", actor=mine)
    expect(page.get_by_role("link", name="Ben Example")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("window.stillHere")
    assert visitor.faults == []


def test_a_page_without_its_server_says_so_quietly_and_catches_up(
    visit: Visit, cast: Cast, talk: Conversation, hear: Callable[[str], None]
) -> None:
    with serving() as server:
        visitor = visit(base=server.url)
        visitor.sign_in(cast.alice)
        page = opened(visitor, cast, talk)
        draft = page.get_by_label("Write to Ann")
        draft.fill("Half a thought")
    notice = page.get_by_role("status").filter(has_text="Not live")
    expect(notice).to_be_visible(timeout=PATIENCE)
    page.evaluate("document.body.dispatchEvent(new CustomEvent('conversation-changed'))")  # a look that fails
    hear("While you were away")
    with serving(server.port):
        expect(page.get_by_role("log").get_by_text("While you were away")).to_be_visible(timeout=2 * PATIENCE)
        expect(notice).to_be_hidden(timeout=2 * PATIENCE)
        assert page.get_by_role("alert").all_text_contents() == []
        expect(draft).to_have_value("Half a thought")
        assert page.evaluate("window.stillHere")
