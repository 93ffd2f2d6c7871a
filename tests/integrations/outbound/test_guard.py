"""Nothing inside is reached, however it is spelled, named or hidden."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

import dns.resolver
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.integrations.checks import opened_addresses_are_addresses
from apps.integrations.outbound.addresses import Address, AllowList, inside
from apps.integrations.outbound.errors import AddressRefused, BadRequest, NoAnswer, NotConnected, OutboundError
from apps.integrations.outbound.guard import GuardedTransport, Resolve, system_resolve
from apps.integrations.outbound.http import Answer, HttpClient
from apps.integrations.outbound.transports import public_internet
from tests.integrations.outbound.hostile_urls import INSIDE, ZONE, hostile_urls, spellings_4
from tests.stand_ins.dns import DnsServer, dns_server

OPEN = AllowList.of(["127.0.0.0/8"])


def accept(_: Answer) -> None:
    return None


def fetch(url: str, transport: httpx2.BaseTransport, **options: float) -> Answer:
    with HttpClient(url, headers={}, judge=accept, transport=transport, attempts=1, **options) as client:
        return client.call("GET", "", repeatable=True)


def resolving_at(server: DnsServer) -> Resolve:
    """The system's reading of numbers, and ``server`` for names."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.port

    def resolve(host: str, port: int) -> list[Address]:
        try:
            return system_resolve_numeric(host, port)
        except OSError:
            found: list[Address] = []
            for kind in ("A", "AAAA"):
                try:
                    found += [ip_address(str(record)) for record in resolver.resolve(host, kind)]
                except dns.resolver.NoAnswer:
                    continue
            return found

    return resolve


def system_resolve_numeric(host: str, port: int) -> list[Address]:
    if host.rstrip(".").lower() == "localhost":
        return [ip_address("127.0.0.1")]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


@contextmanager
def listener() -> Iterator[tuple[int, list[str]]]:
    """A port of this machine on all addresses, and the addresses at which it was reached."""
    came: list[str] = []
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:

        def accept_all() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                came.append(connection.getsockname()[0].removeprefix("::ffff:"))
                connection.close()

        thread = threading.Thread(target=accept_all, daemon=True)
        thread.start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)
        thread.join(60)


@pytest.fixture(scope="module")
def names() -> Iterator[DnsServer]:
    with dns_server(ZONE) as server:
        yield server


@pytest.mark.covers("I-05")
def test_of_hundreds_of_hostile_urls_none_reaches_anything(names: DnsServer) -> None:
    urls = list(dict.fromkeys(hostile_urls()))
    assert len(urls) >= 300
    with listener() as (port, came):
        transport = GuardedTransport(AllowList(), resolve=resolving_at(names))
        for url in urls:
            try:
                answer = fetch(url.replace("PORT", str(port)), transport, maximum_seconds=2)
            except (AddressRefused, BadRequest, NotConnected):
                continue
            raise AssertionError(f"{url} was reached: {answer}")
        assert came == []
        # The listener is there to be reached, and the guard's way leads to it when it is open.
        with pytest.raises(OutboundError) as reached:
            fetch(f"http://127.0.0.1:{port}/", GuardedTransport(OPEN))
        assert not isinstance(reached.value, AddressRefused)
        assert came == ["127.0.0.1"]


@pytest.mark.parametrize("dotted", INSIDE.values())
def test_every_spelling_that_the_system_takes_is_refused_for_what_it_means(dotted: str) -> None:
    taken = 0
    for host in spellings_4(IPv4Address(dotted)):
        try:
            found = system_resolve(host.strip("[]"), 80)
        except OSError:
            continue
        taken += 1
        assert all(inside(address) for address in found), host
    assert taken >= 8


def test_a_name_that_changes_its_mind_is_connected_to_where_it_was_judged() -> None:
    """Rebinding: good when it is judged, bad when it is asked again."""
    good = AllowList.of(["127.0.0.2"])
    with listener() as (port, came), dns_server({"rebind.test": ["127.0.0.2", "127.0.0.1"]}) as server:
        transport = GuardedTransport(good, resolve=resolving_at(server))
        with pytest.raises(OutboundError) as hung_up:
            fetch(f"http://rebind.test:{port}/", transport)
        assert not isinstance(hung_up.value, AddressRefused)
        assert server.asked == ["rebind.test"]
        with pytest.raises(AddressRefused):
            fetch(f"http://rebind.test:{port}/", transport)
    assert came == ["127.0.0.2"]


def test_a_redirect_to_the_inside_is_refused(httpserver: HTTPServer) -> None:
    hidden = httpserver.expect_request("/hidden")
    hidden.respond_with_data("secret")
    httpserver.expect_request("/start").respond_with_response(
        Response(status=302, headers={"Location": httpserver.url_for("/hidden").replace("localhost", "127.0.0.1")})
    )
    only_by_name = AllowList.of([f"localhost:{httpserver.port}"])
    start = f"http://localhost:{httpserver.port}/start"
    client = httpx2.Client(transport=GuardedTransport(only_by_name), follow_redirects=True)
    with client, pytest.raises(AddressRefused):
        client.get(start)
    assert [request.path for request, _ in httpserver.log] == ["/start"]


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with listener() as (port, came):
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        client = HttpClient("http://10.0.0.1/", headers={}, judge=accept, attempts=1)
        with client, pytest.raises(AddressRefused):
            client.call("GET", "", repeatable=True)
        assert came == []


@pytest.mark.parametrize("entry", ["127.0.0.1", "127.0.0.0/8", "localhost", "localhost:{port}"])
def test_what_the_operator_allows_is_reached(httpserver: HTTPServer, settings: Any, entry: str) -> None:
    httpserver.expect_request("/").respond_with_data("welcome")
    settings.OUTBOUND_ALLOW = [entry.format(port=httpserver.port)]
    assert fetch(f"http://localhost:{httpserver.port}/", public_internet()).content == b"welcome"
    settings.OUTBOUND_ALLOW = []
    with pytest.raises(AddressRefused):
        fetch(f"http://localhost:{httpserver.port}/", public_internet())


def test_what_is_open_for_one_account_is_closed_for_another_on_a_connection_that_is_still_open(
    httpserver: HTTPServer,
) -> None:
    httpserver.expect_request("/").respond_with_data("welcome")
    url = f"http://localhost:{httpserver.port}/"
    assert fetch(url, public_internet(AllowList.of(["localhost"]))).status == 200
    with pytest.raises(AddressRefused):
        fetch(url, public_internet(AllowList.of(["elsewhere.internal"])))
    with pytest.raises(AddressRefused):
        fetch(url, public_internet())


@pytest.mark.parametrize("entry", ["http://x/", "*", "a b", "x:0", "x:99999", "10.0.0.1/8", "x:port", "@", ":80"])
def test_an_entry_that_can_not_be_meant_is_refused_by_its_name(entry: str) -> None:
    with pytest.raises(ValueError, match="could be allowed") as refused:
        AllowList.of(["crm.internal", entry])
    assert entry in str(refused.value)


def test_a_setting_that_opens_nothing_is_found_before_anything_starts(settings: Any) -> None:
    settings.OUTBOUND_ALLOW = ["10.0.0.1/8"]
    (fault,) = opened_addresses_are_addresses()
    assert "10.0.0.1/8" in fault.msg
    settings.OUTBOUND_ALLOW = ["10.0.0.0/8"]
    assert opened_addresses_are_addresses() == []


def drip(seconds: float) -> Callable[[Request], Response]:
    def answer(_: Request) -> Response:
        def body() -> Iterator[bytes]:
            for _ in range(1000):
                yield b"."
                threading.Event().wait(seconds)

        return Response(body())

    return answer


def test_a_host_that_drips_is_left_when_the_time_is_over(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_handler(drip(0.05))
    with pytest.raises(NoAnswer):
        fetch(f"http://127.0.0.1:{httpserver.port}/", GuardedTransport(OPEN), maximum_seconds=0.3)


def test_headers_that_drip_are_left_too() -> None:
    stop = threading.Event()

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b"X-More: 1\r\n")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        with pytest.raises(NoAnswer):
            fetch(f"http://127.0.0.1:{server.getsockname()[1]}/", GuardedTransport(OPEN), maximum_seconds=0.4)
        stop.set()
        thread.join(60)


@given(st.ip_addresses(v=4))
def test_an_address_wrapped_in_ipv6_is_judged_like_itself(address: IPv4Address) -> None:
    number = int(address)
    for wrapped in (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80 | 1):
        assert (inside(IPv6Address(wrapped)) is None) == (inside(address) is None)


@given(st.ip_addresses(v=4) | st.ip_addresses(network="2000::/3"))
def test_what_python_knows_to_be_no_public_address_is_never_outside(address: Address) -> None:
    if not address.is_global and address not in IPv6Network("2002::/16"):
        assert inside(address)


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "2a00:1450:4001::5e", "172.32.0.1", "100.128.0.1"]
)
def test_the_public_internet_is_outside(text: str) -> None:
    assert inside(ip_address(text)) is None
