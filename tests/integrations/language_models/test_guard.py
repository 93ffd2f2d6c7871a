"""Whatever address an account writes, and whatever library speaks: nothing inside is reached."""

from __future__ import annotations

from typing import Any

import pytest

from apps.integrations.outbound import lent
from apps.integrations.outbound.addresses import AllowList
from apps.integrations.outbound.errors import AddressRefused, BadRequest, NotConnected, OutboundError
from apps.integrations.outbound.guard import GuardedTransport
from tests.event_loops import synchronously
from tests.integrations.language_models.asking import PATHS, ask, client, request
from tests.integrations.outbound.hostile_urls import ZONE
from tests.integrations.outbound.test_guard import listener, resolving_at
from tests.stand_ins.dns import dns_server

pytestmark = pytest.mark.covers("I-05")
HOSTILE = (
    "http://127.0.0.1:PORT",
    "http://localhost:PORT",
    "http://2130706433:PORT",
    "http://0x7f.1:PORT",
    "http://[::1]:PORT",
    "http://[::ffff:127.0.0.1]:PORT",
    "http://169.254.169.254",
    "http://metadata.google.internal",
    "http://inside.test:PORT",
    "http://10.0.0.1",
)


@pytest.mark.parametrize("name", PATHS)
def test_a_hostile_address_reaches_nothing(name: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with dns_server(ZONE) as names, listener() as (port, came):
        guarded = GuardedTransport(AllowList(), resolve=resolving_at(names))
        monkeypatch.setattr(lent, "public_internet", lambda _: guarded)
        for host in HOSTILE:
            settings.PROVIDER_URLS = {name: host.replace("PORT", str(port)) + PATHS[name]}
            with pytest.raises((AddressRefused, NotConnected, BadRequest)):
                ask(name)
    assert came == []


@pytest.mark.parametrize("name", PATHS)
def test_a_name_that_changes_its_mind_is_connected_to_where_it_was_judged(
    name: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding: good when it is judged, bad when it is asked again."""
    good = AllowList.of(["127.0.0.2/32"])
    with listener() as (port, came), dns_server({"rebind.test": ["127.0.0.2", "127.0.0.1"]}) as server:
        guarded = GuardedTransport(good, resolve=resolving_at(server))
        monkeypatch.setattr(lent, "public_internet", lambda _: guarded)
        monkeypatch.setattr(lent, "STALE", 0.0)  # else the listener, which hangs up, is asked again at once
        settings.PROVIDER_URLS = {name: f"http://rebind.test:{port}{PATHS[name]}"}
        with pytest.raises(OutboundError) as hung_up:
            ask(name)
        assert not isinstance(hung_up.value, AddressRefused)
        with pytest.raises(AddressRefused):
            ask(name)
    assert came == ["127.0.0.2"]


@pytest.mark.parametrize("name", PATHS)
def test_by_its_event_loop_side_a_library_takes_the_same_way(name: str, settings: Any) -> None:
    """LangChain's own ``ainvoke`` goes through threads; the libraries' asynchronous clients call nobody."""
    with listener() as (port, came):
        settings.PROVIDER_URLS = {name: f"http://127.0.0.1:{port}{PATHS[name]}"}
        with client(name) as service:
            connection = service.lend()
            model = service.chat_model(request(), connection)
            with pytest.raises(Exception):  # noqa: B017 - the library's own: what counts is that nothing was reached
                synchronously(model.ainvoke)("Hello")
            assert isinstance(connection.error, AddressRefused)
            with pytest.raises(BadRequest):
                synchronously(connection.asynchronous.get)(f"http://127.0.0.1:{port}/")
    assert came == []


@pytest.mark.parametrize("name", PATHS)
def test_what_the_operator_opened_to_the_account_is_open_to_its_models(name: str, settings: Any) -> None:
    settings.OUTBOUND_ALLOW = []
    with listener() as (port, came):
        settings.PROVIDER_URLS = {name: f"http://127.0.0.1:{port}{PATHS[name]}"}
        with pytest.raises(OutboundError) as hung_up:
            ask(name, allowed=AllowList.of([f"127.0.0.1:{port}"]))
        assert not isinstance(hung_up.value, AddressRefused)
    assert set(came) == {"127.0.0.1"}


def test_a_library_can_not_go_elsewhere_with_the_key(settings: Any) -> None:
    with listener() as (port, came):
        settings.OUTBOUND_ALLOW = ["127.0.0.1"]
        with client("openai") as service:
            connection = service.lend()
            with pytest.raises(BadRequest):
                connection.client.get(f"http://127.0.0.1:{port}/")
    assert came == []
