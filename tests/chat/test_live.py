"""The socket of the inbox: who is let in, what is told to whom, what ends it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction

from apps.accounts.live import announcing, consumer, numbers
from apps.accounts.live.limits import Crowd
from apps.accounts.live.visitors import Closed
from apps.accounts.models import Account, Membership, User
from apps.accounts.permissions import ACTIONS
from apps.accounts.roles import Role
from apps.accounts.services.memberships import remove_member
from apps.accounts.tenancy.scope import platform, tenant
from apps.chat.models import Conversation, Label
from apps.chat.services.conversations import (
    change_conversation,
    delete_conversation,
    label_conversation,
    mark_seen,
    open_conversation,
)
from apps.chat.services.messages import receive_message, write_note
from tests.event_loops import synchronously
from tests.factories import Cast, make_contact
from tests.isolation.objects import owner
from tests.sockets import PATIENCE, Socket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("C-13", "A-05", "A-07")]


def page_of(user: User | None, cast: Cast, **headers: str) -> Socket:
    """A page of the inbox of Alice's account."""
    return Socket(user, f"/app/{cast.account.slug}/live/", **headers)


@pytest.fixture
def talk(cast: Cast) -> Conversation:
    """A conversation that nobody has told anybody of yet."""
    contact = make_contact(cast.account)
    with tenant(cast.account):
        return open_conversation(actor=owner(cast.account), contact=contact)


def number_of(cast: Cast) -> int:
    with tenant(cast.account):
        return numbers.current()


def visit(page: Socket, after: int = 0) -> dict[str, Any]:
    """Open the page, hear the answer to its first word, and close it."""

    @synchronously
    async def run() -> dict[str, Any]:
        answer = await page.resume(after)
        await page.go()
        return answer

    return run()


# Who is let in


@pytest.mark.parametrize("role", Role)
def test_members_of_every_role_may_listen(cast: Cast, role: Role) -> None:
    assert visit(page_of(cast.members[role], cast)) == {"type": "resumed", "seq": 0, "missed": False}


@pytest.mark.parametrize("role", Role)
def test_the_permission_matrix_decides(cast: Cast, role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ACTIONS, "conversations.view", ACTIONS["conversations.delete"])
    answer = visit(page_of(cast.members[role], cast))
    if role in ACTIONS["conversations.delete"]:
        assert answer["type"] == "resumed"
    else:
        assert answer == {"closed": Closed.NOT_ALLOWED}


def test_a_foreign_account_and_a_missing_one_answer_alike(cast: Cast) -> None:
    foreign = visit(page_of(cast.charlie, cast))
    missing = visit(Socket(cast.charlie, "/app/no-such-account/live/"))
    assert foreign == missing == {"closed": Closed.NO_ACCOUNT}


def test_whoever_is_not_signed_in_is_sent_away_before_anything_is_looked_up(cast: Cast) -> None:
    assert visit(page_of(None, cast)) == {"closed": Closed.SIGNED_OUT}
    assert visit(page_of(None, cast, cookie="sessionid=made-up")) == {"closed": Closed.SIGNED_OUT}
    assert visit(Socket(None, "/app/no-such-account/live/")) == {"closed": Closed.SIGNED_OUT}


def test_a_user_who_was_deactivated_is_not_signed_in(cast: Cast) -> None:
    page = page_of(cast.bob, cast)
    User.objects.filter(pk=cast.bob.pk).update(is_active=False)
    assert visit(page) == {"closed": Closed.SIGNED_OUT}


def test_a_changed_password_ends_what_was_signed_in_before(cast: Cast) -> None:
    page = page_of(cast.bob, cast)
    cast.bob.set_password("another-long-password")
    cast.bob.save()
    assert visit(page) == {"closed": Closed.SIGNED_OUT}


def test_a_suspended_account_has_no_live_pages(cast: Cast) -> None:
    suspend(cast)
    assert visit(page_of(cast.alice, cast)) == {"closed": Closed.SUSPENDED}


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "http://evil.example",
        "http://localhost.evil.example",
        "http://localhost:9999",
        "file://",
        "http://[",
    ],
)
def test_pages_from_elsewhere_are_refused_at_the_handshake(cast: Cast, origin: str) -> None:
    page = page_of(cast.alice, cast, origin=origin)
    assert not synchronously(page.open)()


def test_a_trusted_origin_may_open_one_whatever_the_proxy_made_of_the_host(cast: Cast, settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["http://127.0.0.1"]
    assert visit(page_of(cast.alice, cast, origin="http://127.0.0.1", host="inside:8001"))["type"] == "resumed"


def test_an_address_where_no_socket_is_spoken_is_refused(cast: Cast) -> None:
    for path in ("/", f"/app/{cast.account.slug}/", f"/app/{cast.account.slug}/live", "/app/x/live/more/"):
        assert not synchronously(Socket(cast.alice, path).open)(), path


# What is told


def hearing(cast: Cast, *changes: Callable[[], Any]) -> list[dict[str, Any]]:
    """What Bob's page is told of each change."""
    page = page_of(cast.bob, cast)

    @synchronously
    async def run() -> list[dict[str, Any]]:
        await page.resume()
        heard = []
        for change in changes:
            await sync_to_async(change)()
            heard.append(await page.hear_until(lambda message: message["type"] == "changed"))
        await page.go()
        return heard

    return run()


def test_each_change_names_the_conversation_and_the_parts_that_show_it(cast: Cast, talk: Conversation) -> None:
    with tenant(cast.account):
        actor = owner(cast.account)
        label = Label.objects.create(name="Refund")

    def within(change: Callable[..., Any], *values: Any, **options: Any) -> Callable[[], None]:
        def run() -> None:
            with tenant(cast.account):
                change(*values, actor=actor, **options)

        return run

    heard = hearing(
        cast,
        within(receive_message, talk, "A secret question"),
        within(mark_seen, talk),
        within(write_note, talk, "For us"),
        within(label_conversation, talk, [label]),
        within(change_conversation, talk, subject="A parcel"),
        within(change_conversation, talk, status="resolved"),
        within(delete_conversation, talk),
    )
    assert [message["changes"] for message in heard] == [
        [{"subject": str(talk.id), "parts": parts}]
        for parts in (
            ["list", "thread"],
            ["list"],
            ["list", "thread"],
            ["list", "panel"],
            ["list", "panel"],
            ["head", "list", "thread"],
            ["list", "thread"],
        )
    ]
    assert [message["seq"] for message in heard] == list(range(2, 9))


def test_nothing_that_was_said_passes_through_the_redis_server(cast: Cast, talk: Conversation) -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as server, server.pubsub() as listener:
        listener.psubscribe(f"*{cast.account.id}*")
        assert listener.get_message(timeout=PATIENCE)["type"] == "psubscribe"
        with tenant(cast.account):
            receive_message(talk, "Zanzibar parcel 4711", actor=owner(cast.account))
        data = listener.get_message(timeout=PATIENCE)["data"]
    assert str(talk.id).encode() in data
    assert not any(word in data for word in (b"Zanzibar", b"4711", talk.contact.name.encode()))


def say_in_vain(cast: Cast, talk: Conversation) -> None:
    """Something is said, and taken back with the part of the transaction it belongs to."""
    with suppress(ZeroDivisionError), transaction.atomic():
        receive_message(talk, "Never said", actor=owner(cast.account))
        raise ZeroDivisionError


def test_what_is_rolled_back_is_not_told(cast: Cast, talk: Conversation) -> None:
    before = number_of(cast)
    with tenant(cast.account):
        say_in_vain(cast, talk)
        assert number_of(cast) == before
    assert number_of(cast) == before


def test_one_transaction_is_one_announcement_also_around_a_part_that_failed(cast: Cast, talk: Conversation) -> None:
    def several() -> None:
        with tenant(cast.account):
            actor = owner(cast.account)
            say_in_vain(cast, talk)
            receive_message(talk, "One", actor=actor)
            with transaction.atomic():
                receive_message(talk, "Two", actor=actor)

    (heard,) = hearing(cast, several)
    assert heard["changes"] == [{"subject": str(talk.id), "parts": ["list", "thread"]}] and heard["seq"] == 2


def test_a_great_many_changes_are_told_as_everything(cast: Cast) -> None:
    contact = make_contact(cast.account)

    def many() -> None:
        with tenant(cast.account):
            for _ in range(announcing.MOST_CHANGES + 1):
                open_conversation(actor=owner(cast.account), contact=contact)

    (heard,) = hearing(cast, many)
    assert heard["changes"] == []


def test_other_accounts_hear_nothing_of_it(cast: Cast, talk: Conversation) -> None:
    page = Socket(cast.charlie, f"/app/{cast.stranger_account.slug}/live/")
    contact = make_contact(cast.stranger_account)

    def say(account: Account, conversation: Conversation | None) -> None:
        with tenant(account):
            conversation = conversation or open_conversation(actor=owner(account), contact=contact)
            receive_message(conversation, "Hello", actor=owner(account))

    @synchronously
    async def run() -> None:
        await page.resume()
        await sync_to_async(say)(cast.account, talk)
        await sync_to_async(say)(cast.stranger_account, None)
        heard = await page.hear()
        assert heard["seq"] == 1 and heard["changes"][0]["subject"] != str(talk.id)
        await page.go()

    run()


# Coming back


def test_a_page_that_comes_back_is_told_whether_it_missed_anything(cast: Cast, talk: Conversation) -> None:
    last = number_of(cast)
    assert last == 1
    assert visit(page_of(cast.bob, cast), after=last) == {"type": "resumed", "seq": 1, "missed": False}
    with tenant(cast.account):
        receive_message(talk, "While you were away", actor=owner(cast.account))
    assert visit(page_of(cast.bob, cast), after=last) == {"type": "resumed", "seq": 2, "missed": True}
    assert visit(page_of(cast.bob, cast), after=99)["missed"]  # of a database that was restored since


def test_what_got_lost_on_its_way_is_noticed(cast: Cast, talk: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "LOOK_SECONDS", 0.2)
    page = page_of(cast.bob, cast)

    def change_unheard() -> None:
        with tenant(cast.account):
            numbers.following()

    @synchronously
    async def run() -> dict[str, Any]:
        await page.resume(1)
        await sync_to_async(change_unheard)()
        heard = await page.hear_until(lambda message: message["type"] == "stale")
        await page.go()
        return heard

    assert run() == {"type": "stale", "seq": 2}


def test_work_goes_on_without_a_redis_server(cast: Cast, talk: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = redis.Redis(host="127.0.0.1", port=1)
    monkeypatch.setattr(announcing, "_server", lambda: nowhere)
    monkeypatch.setattr(announcing, "_paused_until", 0.0)
    with tenant(cast.account):
        receive_message(talk, "All the same", actor=owner(cast.account))
    assert number_of(cast) == 2
    assert announcing._paused_until > 0
    monkeypatch.undo()


# What ends it


def suspend(cast: Cast) -> None:
    with platform("suspend an account in a test"):
        Account.objects.filter(pk=cast.account.pk).update(status=Account.Status.SUSPENDED)


def end_membership(cast: Cast) -> None:
    with tenant(cast.account):
        remove_member(Membership.objects.get(user=cast.bob), actor=owner(cast.account))


def sign_out(cast: Cast) -> None:
    Session.objects.all().delete()
    from django.core.cache import cache

    cache.clear()


@pytest.mark.parametrize(
    ("end", "code"),
    [(suspend, Closed.SUSPENDED), (end_membership, Closed.NO_ACCOUNT), (sign_out, Closed.SIGNED_OUT)],
)
def test_a_socket_ends_when_its_reason_does(
    cast: Cast, end: Callable[[Cast], None], code: Closed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "LOOK_SECONDS", 0.2)
    page = page_of(cast.bob, cast)

    @synchronously
    async def run() -> dict[str, Any]:
        await page.resume()
        await sync_to_async(end)(cast)
        heard = await page.hear()
        await page.go()
        return heard

    assert run() == {"closed": code}


def test_the_end_of_a_membership_is_noticed_at_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "LOOK_SECONDS", 3600)
    page = page_of(cast.bob, cast)

    @synchronously
    async def run() -> None:
        await page.resume()
        await sync_to_async(end_membership)(cast)
        assert await page.hear() == {"closed": Closed.NO_ACCOUNT}
        await page.go()

    run()


def test_a_page_that_says_nothing_any_more_is_given_up(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(consumer, "IDLE_SECONDS", 0.5)
    page = page_of(cast.bob, cast)

    @synchronously
    async def run() -> dict[str, Any]:
        await page.resume()
        heard = await page.hear()
        await page.go()
        return heard

    assert run() == {"closed": Closed.IDLE}


# What pages may say


def answer_to(cast: Cast, *sent: Any) -> dict[str, Any]:
    """What the last of these messages is answered by."""
    page = page_of(cast.bob, cast)

    @synchronously
    async def run() -> dict[str, Any]:
        await page.resume()
        for content in sent:
            await page.say(content)
        heard = await page.hear()
        await page.go()
        return heard

    return run()


def test_a_ping_is_answered(cast: Cast) -> None:
    assert answer_to(cast, {"type": "ping"}) == {"type": "pong", "seq": 0}


@pytest.mark.parametrize(
    ("sent", "code", "field"),
    [
        ("{", "malformed_json", None),
        ("[1]", "validation_failed", ""),
        ("NaN", "malformed_json", None),
        ({}, "validation_failed", "type"),
        ({"type": "shout"}, "unknown_type", None),
        ({"type": ["ping"]}, "unknown_type", None),
        ({"type": "__class__"}, "unknown_type", None),
        ({"type": "ping", "more": 1}, "validation_failed", "more"),
        ({"type": "resume"}, "validation_failed", "after"),
        ({"type": "resume", "after": -1}, "validation_failed", "after"),
        ({"type": "resume", "after": 2**70}, "validation_failed", "after"),
        ({"type": "resume", "after": "'; --"}, "validation_failed", "after"),
        ({"type": "here", "conversation": "x"}, "validation_failed", "conversation"),
        ({"type": "here", "conversation": None, "writing": "perhaps"}, "validation_failed", "writing"),
    ],
)
def test_what_is_not_understood_is_answered_by_an_error_with_a_code(
    cast: Cast, sent: Any, code: str, field: str | None
) -> None:
    answer = answer_to(cast, sent)
    assert (answer["type"], answer["code"]) == ("error", code)
    assert [error["field"] for error in answer["errors"]] == ([] if field is None else [field])


def test_too_long_too_much_and_bytes_end_it(cast: Cast) -> None:
    assert answer_to(cast, "x" * 3000) == {"closed": Closed.TOO_LARGE}
    assert answer_to(cast, "ü" * 1500) == {"closed": Closed.TOO_LARGE}
    assert answer_to(cast, b"\0") == {"closed": Closed.NO_TEXT}
    page = page_of(cast.bob, cast)

    @synchronously
    async def flood() -> dict[str, Any]:
        await page.resume()
        for _ in range(60):
            await page.say({"type": "ping"})
        heard = await page.hear_until(lambda message: "closed" in message)
        await page.go()
        return heard

    assert flood() == {"closed": Closed.TOO_MANY}


def test_one_person_opens_only_so_many(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "CROWD", Crowd(most=2, burst=100, per_second=1))
    pages = [page_of(cast.bob, cast) for _ in range(3)]
    other, later = page_of(cast.alice, cast), page_of(cast.bob, cast)

    @synchronously
    async def run() -> list[dict[str, Any]]:
        answers = [await page.resume() for page in (*pages, other)]
        for page in (*pages, other):
            await page.go()
        answers.append(await later.resume())
        await later.go()
        return answers

    resumed = {"type": "resumed", "seq": 0, "missed": False}
    assert run() == [resumed, resumed, {"closed": Closed.TOO_MANY}, resumed, resumed]


def test_opening_again_and_again_is_slowed_down(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "CROWD", Crowd(most=5, burst=2, per_second=0.001))
    assert [visit(page_of(cast.bob, cast)).get("closed") for _ in range(3)] == [None, None, Closed.TOO_MANY]


def test_a_page_that_does_not_listen_costs_one_word_in_the_end(cast: Cast) -> None:
    from apps.chat.consumers import InboxConsumer

    slow = InboxConsumer()
    for number in range(1, 1000):
        slow.notice({"kind": "changed", "seq": number, "changes": [[str(uuid4()), ["list"]]]})
    assert slow._outgoing.qsize() <= consumer.MOST_WAITING
    waiting = [slow._outgoing.get_nowait() for _ in range(slow._outgoing.qsize())]
    assert waiting[0]["type"] == "stale" and waiting[-1]["seq"] == 999


# Who else is here


def test_colleagues_see_each_other_come_write_and_go(cast: Cast, talk: Conversation) -> None:
    alice, bob = page_of(cast.alice, cast), page_of(cast.bob, cast)

    def here(**more: Any) -> dict[str, Any]:
        return {"type": "here", "conversation": str(talk.id), **more}

    async def company(page: Socket) -> list[dict[str, Any]]:
        members: list[dict[str, Any]] = (await page.hear_until(lambda said: said["type"] == "presence"))["members"]
        return members

    @synchronously
    async def run() -> None:
        await alice.resume()
        await bob.resume()
        await alice.say(here())
        assert await company(alice) == []
        await bob.say(here())
        assert await company(alice) == [{"name": cast.bob.display_name, "writing": False}]
        while not (seen := await company(bob)):
            pass
        assert seen == [{"name": "Alice", "writing": False}]
        await bob.say(here(writing=True))
        assert await company(alice) == [{"name": cast.bob.display_name, "writing": True}]
        await bob.go()
        assert await company(alice) == []
        await alice.go()

    run()


def test_nobody_is_seen_from_another_account_or_another_conversation(cast: Cast, talk: Conversation) -> None:
    stranger = Socket(cast.charlie, f"/app/{cast.stranger_account.slug}/live/")
    viewer, alice = page_of(cast.members[Role.VIEWER], cast), page_of(cast.alice, cast)

    def at(conversation: UUID) -> dict[str, Any]:
        return {"type": "here", "conversation": str(conversation), "writing": True}

    @synchronously
    async def run() -> None:
        for page in (stranger, viewer, alice):
            await page.resume()
        await alice.say(at(talk.id))
        await alice.hear()
        await stranger.say(at(talk.id))
        assert (await stranger.hear())["members"] == []
        await viewer.say(at(uuid4()))
        assert (await viewer.hear())["members"] == []
        await viewer.say(at(talk.id))
        heard = await alice.hear()
        # Who may not answer does not write, whatever their page says.
        assert heard["members"] == [{"name": cast.members[Role.VIEWER].display_name, "writing": False}]
        for page in (stranger, viewer, alice):
            await page.go()

    run()
