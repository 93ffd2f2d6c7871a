"""Sockets of the running product: two web processes on one database, and clients that are not ours."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import Client
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from apps.accounts.live.visitors import Closed
from apps.accounts.models import User
from apps.accounts.tenancy.scope import tenant
from apps.chat.models import Conversation
from apps.chat.services.conversations import open_conversation
from apps.chat.services.messages import receive_message
from tests.factories import Cast, make_contact
from tests.isolation.objects import owner
from tests.live_servers import Server, serving

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("C-13"), pytest.mark.timeout(240)]
PATIENCE = 45.0


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[Server]:
    with serving() as running:
        yield running


def opened(server: Server, user: User, cast: Cast, **options: Any) -> ClientConnection:
    """A socket of a browser in which ``user`` is signed in."""
    client = Client()
    client.force_login(user)
    options.setdefault("origin", server.url)
    options.setdefault("additional_headers", {"Cookie": f"sessionid={client.cookies['sessionid'].value}"})
    return connect(server.socket(f"/app/{cast.account.slug}/live/"), open_timeout=PATIENCE, **options)


def heard(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of this type."""
    deadline = time.monotonic() + PATIENCE
    while True:
        message: dict[str, Any] = json.loads(socket.recv(timeout=max(0.1, deadline - time.monotonic())))
        if message["type"] == kind:
            return message


def resume(socket: ClientConnection, after: int = 0) -> dict[str, Any]:
    socket.send(json.dumps({"type": "resume", "after": after}))
    return heard(socket, "resumed")


def code_of(socket: ClientConnection) -> int | None:
    """With what the other side closed it."""
    try:
        while True:
            socket.recv(timeout=PATIENCE)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


@pytest.fixture
def speak(cast: Cast) -> Callable[[], str]:
    """The customer says something, in a third process: this one. Returns the conversation's id."""
    contact = make_contact(cast.account)

    def say() -> str:
        with tenant(cast.account):
            found = Conversation.objects.first() or open_conversation(actor=owner(cast.account), contact=contact)
            receive_message(found, "Hello?", actor=owner(cast.account))
            return str(found.id)

    return say


def test_tabs_on_two_processes_hear_what_a_third_did_also_after_the_redis_server_dropped_them(
    cast: Cast, server: Server, speak: Callable[[], str]
) -> None:
    with serving() as second, opened(server, cast.bob, cast) as one, opened(second, cast.alice, cast) as other:
        assert resume(one) == resume(other) == {"type": "resumed", "seq": 0, "missed": False}
        talk = speak()
        for socket in (one, other):
            assert heard(socket, "changed")["changes"] == [{"subject": talk, "parts": ["list", "thread"]}]
        one.send(json.dumps({"type": "here", "conversation": talk, "writing": True}))
        heard(one, "presence")
        other.send(json.dumps({"type": "here", "conversation": talk}))
        seen: list[dict[str, Any]] = []
        while not seen:
            seen = heard(other, "presence")["members"]
        assert seen == [{"name": cast.bob.display_name, "writing": True}]
        with redis.Redis.from_url(settings.REDIS_URL) as valkey:
            mine = [client for client in valkey.client_list() if client["name"].startswith("live-")]
            assert len(mine) >= 2
            for client in mine:
                valkey.client_kill_filter(_id=client["id"])
        speak()
        for socket in (one, other):
            # Heard, or found out by the number: whichever came first.
            while True:
                message = json.loads(socket.recv(timeout=PATIENCE))
                if message["type"] in {"changed", "stale"}:
                    break
            assert message["seq"] == 2


def test_the_door_as_browsers_meet_it(cast: Cast, server: Server) -> None:
    for origin in ("http://evil.example", None):
        with pytest.raises(InvalidStatus) as refused:
            opened(server, cast.bob, cast, origin=origin)
        assert refused.value.response.status_code == 403
    with opened(server, cast.charlie, cast) as foreign:
        assert code_of(foreign) == Closed.NO_ACCOUNT
    with opened(server, cast.bob, cast, additional_headers={}) as nobody:
        assert code_of(nobody) == Closed.SIGNED_OUT
    with opened(server, cast.bob, cast) as long:
        long.send("x" * 3000)
        assert code_of(long) == Closed.TOO_LARGE
    with opened(server, cast.bob, cast) as longer:
        longer.send("x" * 100_000)
        assert code_of(longer) == Closed.TOO_LARGE
    with opened(server, cast.bob, cast) as alive:
        assert alive.ping().wait(PATIENCE)
        resume(alive)
        alive.send("{")
        assert heard(alive, "error")["code"] == "malformed_json"


def test_a_server_that_is_told_to_end_says_so_to_its_pages(cast: Cast) -> None:
    with serving() as ending, opened(ending, cast.bob, cast) as socket:
        resume(socket)
        ending.process.send_signal(signal.SIGTERM)
        assert code_of(socket) in {1001, 1012}
        assert ending.process.wait(PATIENCE) is not None
