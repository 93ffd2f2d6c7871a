"""What people read when a call fails: what happened and what to do, never what a library called it."""

from __future__ import annotations

import logging
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pytest_httpserver import HTTPServer
from werkzeug import Response

from apps.integrations.outbound import errors
from apps.integrations.outbound.addresses import Address, AllowList
from apps.integrations.outbound.breaker import FAILURES, Breaker, close_all
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.outbound.guard import GuardedTransport
from apps.integrations.outbound.http import HttpClient
from apps.integrations.providers import errors as provider_errors
from apps.integrations.providers import provider

pytestmark = pytest.mark.covers("I-05", "P-10")

OPEN = AllowList.of(["127.0.0.0/8", "localhost"])
TECHNICAL = re.compile(r"Error|Timeout|errno|\bGET\b|\bPOST\b|SSL|HTTP[^A-Z]|None|JSON|OUTBOUND|\{|\(|\b[345]\d\d\b")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    close_all()
    yield
    close_all()


def failure(url: str, transport: httpx2.BaseTransport | None = None, **options: Any) -> OutboundError:
    """What a GET of ``url`` ends in."""
    transport = transport or GuardedTransport(OPEN)
    with (
        HttpClient(
            url, headers=options.pop("headers", {}), judge=lambda _: None, transport=transport, **options
        ) as http,
        pytest.raises(OutboundError) as raised,
    ):
        http.call("GET", "", repeatable=True)
    return raised.value


@contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port at which ``serve`` gets each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    serve(connection)

        threading.Thread(target=run, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        return int(unused.getsockname()[1])


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    built = built.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "cert.pem").write_bytes(built.sign(key, SHA256()).public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


class _Raises(httpx2.BaseTransport):
    def __init__(self, error: Exception) -> None:
        self.error = error

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        raise self.error


def test_no_connection() -> None:
    port = free_port()
    error = failure(f"http://127.0.0.1:{port}", attempts=1)
    assert type(error) is errors.NotConnected
    assert (str(error), error.code) == (f"127.0.0.1:{port} could not be reached.", "unreachable")
    assert error.todo == "Check the address, or try again in a few minutes."
    assert "ConnectionRefusedError" in error.technically


def test_a_connection_that_nobody_answers() -> None:
    error = failure("https://api.example.com/v1", _Raises(httpx2.ConnectTimeout("timed out")), attempts=1)
    assert (type(error), str(error)) == (errors.NotConnected, "api.example.com could not be reached.")
    assert "ConnectTimeout" in error.technically


def test_a_name_that_leads_nowhere() -> None:
    def nowhere(host: str, port: int) -> list[Address]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for transport in (GuardedTransport(OPEN, resolve=nowhere), GuardedTransport(OPEN, resolve=lambda host, port: [])):
        error = failure("https://api.exmaple.com:8443/v1", transport, attempts=1)
        assert type(error) is errors.NameNotFound
        assert str(error) == "There is no server by the name of api.exmaple.com."
        assert "typing error" in error.todo


def test_a_certificate_that_proves_nothing(tmp_path: Path) -> None:
    with HTTPServer(host="localhost", ssl_context=self_signed(tmp_path)) as untrusted:
        error = failure(f"https://localhost:{untrusted.port}", attempts=1)
    assert type(error) is errors.NotTrusted
    assert str(error).startswith(f"localhost:{untrusted.port} could not prove who it is")
    assert "renew its certificate" in error.todo
    assert "self-signed" in error.technically


def test_a_server_without_tls() -> None:
    with server(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        error = failure(f"https://127.0.0.1:{port}", attempts=1)
    assert (type(error), error.code) == (errors.NotSecured, "not_secured")
    assert "https://" in error.todo


def test_an_address_inside() -> None:
    error = failure("http://10.1.2.3", GuardedTransport(AllowList()))
    assert type(error) is errors.AddressRefused
    assert str(error) == "10.1.2.3 belongs to a private network, and calls go to the public Internet only."
    assert "operator" in error.todo
    assert "OUTBOUND_ALLOW" in error.technically


def test_silence() -> None:
    over = threading.Event()
    with server(lambda _: over.wait(60) and None) as port:
        error = failure(f"http://127.0.0.1:{port}", attempts=1, maximum_seconds=0.2)
        over.set()
    assert (type(error), str(error)) == (errors.NoAnswer, f"127.0.0.1:{port} did not answer in time.")
    assert error.maybe_done


def test_a_connection_that_breaks() -> None:
    with server(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")) as port:
        error = failure(f"http://127.0.0.1:{port}", attempts=1)
    assert type(error) is errors.BrokenOff
    assert str(error) == f"127.0.0.1:{port} ended the connection before its answer was complete."


def test_an_answer_that_is_too_large(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(b"x" * (3 * 1024 * 1024))
    error = failure(httpserver.url_for("/"), maximum_answer=2 * 1024 * 1024, attempts=1)
    assert type(error) is errors.TooLarge
    assert str(error) == f"The answer of localhost:{httpserver.port} is too large: it has more than 2 MB."


def test_an_answer_that_can_not_be_unpacked(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(b"no gzip", headers={"Content-Encoding": "gzip"})
    error = failure(httpserver.url_for("/"), attempts=1)
    assert (type(error), error.code) == (errors.BadAnswer, "bad_answer")
    assert str(error) == f"localhost:{httpserver.port} gave an answer that can't be used."


def test_too_many_calls_of_our_own() -> None:
    error = failure("https://api.example.com", _Raises(httpx2.PoolTimeout("")), attempts=1)
    assert (type(error), error.code) == (errors.Busy, "busy")


@pytest.mark.parametrize("url", ["ftp://api.example.com", "api.example.com", "http://[::1"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(errors.BadAddress) as raised, HttpClient(url, headers={}, judge=lambda _: None) as http:
        http.call("GET", "", repeatable=True)
    assert str(raised.value) == "The address can't be read."


@pytest.mark.parametrize("value", ["caf\u00e9 \u2603", "two\nlines"])
def test_a_credential_that_can_not_be_sent(httpserver: HTTPServer, value: str) -> None:
    with pytest.raises(errors.NotSendable) as raised:
        raise failure(httpserver.url_for("/"), headers={"Authorization": value})
    assert value not in f"{raised.value} {raised.value.technically}"


def test_a_server_that_is_left_alone() -> None:
    breaker = Breaker("api.example.com")
    for _ in range(FAILURES):
        breaker.failed()
    error = failure("https://api.example.com", breaker=breaker)
    assert type(error) is errors.CircuitOpen
    assert str(error) == "api.example.com failed several times in a row, so it is left alone for 30 seconds."


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (302, provider_errors.Redirected, "Stripe sends callers on to another address, and calls don’t follow."),
        (400, provider_errors.Refused, "Stripe refused the request."),
        (401, provider_errors.CredentialRefused, "Stripe does not accept the credential."),
        (403, provider_errors.NotPermitted, "Stripe does not let this credential do that."),
        (404, provider_errors.Missing, "Stripe has nothing by that name."),
        (429, provider_errors.RateLimited, "Stripe takes no more calls for now."),
        (500, provider_errors.Unavailable, "Stripe has trouble of its own just now."),
    ],
)
def test_a_service_that_refuses_without_a_word(
    httpserver: HTTPServer, settings: Any, status: int, kind: type[OutboundError], words: str
) -> None:
    settings.PROVIDER_URLS = {"stripe": httpserver.url_for("/v1")}
    settings.OUTBOUND_ALLOW = ["localhost"]
    httpserver.expect_request("/v1/balance").respond_with_response(Response(status=status))
    definition = provider("stripe")
    with (
        definition.client_class(
            definition, {"secret_key": "sk_test_4eC39HqLyjWDarjtT1zdp7dc"}, {}, attempts=1
        ) as client,
        pytest.raises(OutboundError) as raised,
    ):
        client.test()
    assert (type(raised.value), str(raised.value)) == (kind, words)
    assert raised.value.technically == f"answered {status}"


def kinds(of: type[OutboundError] = OutboundError) -> Iterator[type[OutboundError]]:
    yield of
    for kind in of.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize("kind", sorted(set(kinds()), key=lambda kind: f"{kind.__module__}.{kind.__name__}"))
def test_every_kind_of_error_has_plain_words_and_says_what_to_do(kind: type[OutboundError]) -> None:
    facts = {"who": "api.example.com", "what": "a private network", "limit": "2 MB", "seconds": 30, "detail": "no."}
    words, todo = kind.words.format(**facts), kind.todo
    for text in (words, todo):
        assert text.endswith(".") and (text[0].isupper() or text.startswith("api.example.com")), text
        assert not TECHNICAL.search(text), text
    assert re.fullmatch("[a-z_]+", kind.code)


def test_the_log_says_what_happened_technically_and_people_are_told_in_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = free_port()
    with caplog.at_level(logging.INFO, "apps.integrations.outbound"):
        error = failure(f"http://127.0.0.1:{port}/people/ada@example.com", attempts=2, sleep=lambda _: None)
    first, second = (record.getMessage() for record in caplog.records if "failed" in record.getMessage())
    assert first.startswith("GET 127.0.0.1 failed (ConnectError: ConnectionRefusedError")
    assert "attempt 2 follows" in first and "no attempt follows" in second
    assert "ada@" not in caplog.text
    assert not TECHNICAL.search(str(error))
