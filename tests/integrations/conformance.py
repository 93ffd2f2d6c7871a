"""What every provider must do, tried against a server on loopback that answers as the service documents.

A provider's test file inherits ``Conformance``, says which credential it tests with and what its connection test asks,
and adds tests of its own jobs. Recorded answers lie in the provider's folder: ``answers/test.json`` is what the
connection test gets, ``answers/refused.json`` what the service says to a wrong credential.
"""

from __future__ import annotations

import logging
import re
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, quote_plus, urlsplit

import orjson
import pytest
from django.conf import LazySettings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

import apps.integrations
from apps.integrations.outbound.breaker import close_all
from apps.integrations.outbound.errors import BadAnswer, NoAnswer, OutboundError
from apps.integrations.providers import Provider, provider
from apps.integrations.providers.client import Tested
from apps.integrations.providers.errors import (
    CredentialRefused,
    NotPermitted,
    ProviderError,
    RateLimited,
    Unavailable,
)
from apps.integrations.providers.oauth import OneToken

ANY_PATH = "/"


class Conformance:
    """Inherit as ``class TestStripe(Conformance)`` and fill in the class variables."""

    name: ClassVar[str]
    credentials: ClassVar[Mapping[str, str]]
    settings: ClassVar[Mapping[str, Any]] = {}
    asks: ClassVar[tuple[str, str]]
    """Method and path (without the base address's own) of the connection test."""
    access_token: ClassVar[str] = "an-access-token-of-the-service"
    """What a client with a grant calls with."""
    identity: ClassVar[str]
    """Whose credential the test finds it to be, by ``answers/test.json``."""
    in_address: ClassVar[tuple[str, ...]] = ()
    """Credentials that the service takes in the address of a call."""

    @pytest.fixture(autouse=True)
    def _loopback(self, httpserver: HTTPServer, settings: LazySettings) -> Iterator[None]:
        """The provider lives on loopback for the test, which the operator allows."""
        close_all()
        path = urlsplit(provider(self.name).base_url).path
        settings.PROVIDER_URLS = {self.name: httpserver.url_for(path)}
        settings.OUTBOUND_ALLOW = ["localhost", "127.0.0.1"]
        yield
        close_all()

    @property
    def definition(self) -> Provider:
        return provider(self.name)

    @property
    def by_grant(self) -> bool:
        """Whether the client calls with a grant, and not with a credential that stands in for one."""
        oauth = self.definition.oauth
        return oauth is not None and not any(name in self.credentials for name in oauth.stands_in)

    def client(self, *, attempts: int = 1) -> Any:
        """A client with one attempt; of a provider that gives grants, with a token at hand."""
        source = OneToken(self.access_token) if self.by_grant else None
        definition, own = self.definition, {"source": source} if source else {}
        return definition.client_class(definition, self.credentials, self.settings, attempts=attempts, **own)

    def answer(self, name: str) -> Any:
        return orjson.loads((Path(self.definition.icon).parent / "answers" / f"{name}.json").read_bytes())

    def secrets(self) -> list[str]:
        fields = {entry.name: entry for entry in self.definition.credentials}
        tokens = [self.access_token] if self.by_grant else []
        return [*(value for name, value in self.credentials.items() if fields[name].secret), *tokens]

    def tried(self, httpserver: HTTPServer, answer: Callable[[Request], Response]) -> Tested | OutboundError:
        """The connection test's result when every request gets ``answer``."""
        self.serve(httpserver, answer)
        with self.client() as client:
            try:
                return client.test()
            except OutboundError as error:
                return error

    def serve(self, httpserver: HTTPServer, answer: Callable[[Request], Response]) -> None:
        """Every request gets ``answer``."""
        httpserver.expect_request(_Any()).respond_with_handler(answer)

    def script(self, httpserver: HTTPServer, *answers: Any) -> None:
        """Answer one request after the other: a Response, (status, JSON), or JSON for 200."""
        left = list(answers)

        def respond(_: Request) -> Response:
            if not left:
                return Response(b'{"message": "One request too many."}', status=418, mimetype="application/json")
            answer = left.pop(0)
            if isinstance(answer, Response):
                return answer
            status, body = answer if isinstance(answer, tuple) else (200, answer)
            return Response(orjson.dumps(body), status=status, mimetype="application/json")

        self.serve(httpserver, respond)

    def asked(self, httpserver: HTTPServer) -> list[Request]:
        """The requests that came."""
        return [request for request, _ in httpserver.log]

    def success(self) -> Response:
        """What the connection test gets; override where the service does not speak JSON."""
        return Response(orjson.dumps(self.answer("test")), mimetype="application/json")

    def test_its_definition_is_sane(self) -> None:
        assert self.definition.faults() == []
        assert self.definition.clean_credentials(self.credentials) == dict(self.credentials)
        assert self.definition.clean_settings(self.settings) == {**self.definition.defaults, **self.settings}

    def test_every_setting_is_used_by_some_code(self) -> None:
        """Whoever fills a field in may expect that it does something, here or where its help says."""
        names = {entry.name for entry in self.definition.settings} - READ_ELSEWHERE
        assert {name for name in names if not re.search(f"[\"']{name}[\"']", _code())} == set()

    def test_it_can_do_what_it_declares(self) -> None:
        missing = {job for job in self.definition.jobs if not hasattr(self.definition.client_class, job.split(".")[1])}
        assert not missing
        if self.definition.webhooks:
            assert callable(import_module(f"{self.definition.package}.webhook").receive)

    def test_a_connection_test_makes_the_documented_call(self, httpserver: HTTPServer) -> None:
        tested = self.tried(httpserver, lambda _: self.success())
        assert isinstance(tested, Tested), tested
        assert tested.identity == self.identity
        request, *others = self.asked(httpserver)
        path = urlsplit(self.definition.base_url).path.rstrip("/") + self.asks[1]
        assert (request.method, request.path) == (self.asks[0], path)
        assert others == []

    @pytest.mark.parametrize(
        ("status", "kind"), [(401, CredentialRefused), (403, NotPermitted), (500, Unavailable), (503, Unavailable)]
    )
    def test_a_refusal_is_told_by_what_to_do_about_it(
        self, httpserver: HTTPServer, status: int, kind: type[ProviderError]
    ) -> None:
        error = self.tried(httpserver, lambda _: self.refusal(status))
        assert type(error) is kind, repr(error)
        assert self.definition.label in str(error)
        assert kind.todo

    def refusal(self, status: int) -> Response:
        """How the service refuses with this status; override where its errors have another shape."""
        return Response(orjson.dumps(self.answer("refused")), status=status, mimetype="application/json")

    def test_too_many_calls_say_how_long_to_wait(self, httpserver: HTTPServer) -> None:
        def limited(_: Request) -> Response:
            return Response(b"{}", status=429, headers={"Retry-After": "17"}, mimetype="application/json")

        error = self.tried(httpserver, limited)
        assert isinstance(error, RateLimited)
        assert error.retry_after == 17

    def test_an_answer_that_is_not_json_is_no_success(self, httpserver: HTTPServer) -> None:
        error = self.tried(httpserver, lambda _: Response(b"<html>Maintenance</html>", status=200))
        assert isinstance(error, BadAnswer)

    def test_an_answer_of_something_else_is_no_success(self, httpserver: HTTPServer) -> None:
        """A proxy's page or another service at the same address may well answer 200, and in JSON."""
        error = self.tried(httpserver, lambda _: Response(b'{"hello": "world"}', mimetype="application/json"))
        assert isinstance(error, OutboundError), error

    def test_an_answer_without_end_is_not_read_to_its_end(self, httpserver: HTTPServer) -> None:
        def endless() -> Iterator[bytes]:
            for _ in range(64):
                yield b" " * 1024 * 1024

        error = self.tried(httpserver, lambda _: Response(endless(), mimetype="application/json"))
        assert isinstance(error, BadAnswer | NoAnswer)

    def test_silence_ends_in_time(self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("apps.integrations.providers.client.MAXIMUM_SECONDS", 0.2)
        over = threading.Event()

        def silent(_: Request) -> Response:
            over.wait(60)
            return Response(b"{}")

        error = self.tried(httpserver, silent)
        over.set()
        self.wait_for_the_end(httpserver)
        assert isinstance(error, NoAnswer)

    def wait_for_the_end(self, httpserver: HTTPServer) -> None:
        """Until the stand-in is through with what nobody waited for: it would run on into the next test."""
        until = time.monotonic() + 60
        while not self.asked(httpserver) and time.monotonic() < until:
            time.sleep(0.005)

    def test_a_redirect_is_not_followed_with_the_credential(self, httpserver: HTTPServer) -> None:
        error = self.tried(
            httpserver, lambda _: Response(status=302, headers={"Location": "http://169.254.169.254/latest/"})
        )
        assert isinstance(error, ProviderError)
        assert len(self.asked(httpserver)) == 1

    @pytest.mark.parametrize("status", [200, 400, 401, 500])
    def test_the_secret_is_in_no_log_error_or_repr(
        self, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture, status: int
    ) -> None:
        """Even of a service that quotes it back, as it is or as it stood in an address."""
        words = " ".join([*self.credentials.values(), *self.secrets(), *map(quote_plus, self.secrets())])
        quoted = orjson.dumps({"error": {"message": words}, "message": self.secrets()[0]})
        with caplog.at_level(logging.DEBUG):
            result = self.tried(httpserver, lambda _: Response(quoted, status=status, mimetype="application/json"))
            with self.client() as client:
                told = [repr(client), repr(vars(client).get("http")), repr(result), str(result)]
        self.assert_untold(told, caplog)

    @pytest.mark.parametrize("end", ["answered", "refused", "failed", "silent", "redirected", "gone"])
    def test_the_secret_is_not_told_however_a_call_ends(
        self,
        end: str,
        httpserver: HTTPServer,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
        settings: LazySettings,
    ) -> None:
        """Some services take their key in the address of a call, which logs, errors and tracebacks like to show."""
        monkeypatch.setattr("apps.integrations.outbound.http.delay", lambda attempt: 0.0)
        over = threading.Event()
        if end == "silent":
            monkeypatch.setattr("apps.integrations.providers.client.MAXIMUM_SECONDS", 0.05)
        if end == "gone":
            path = urlsplit(self.definition.base_url).path
            settings.PROVIDER_URLS = {self.name: f"http://127.0.0.1:1{path}"}  # a port that nobody listens on

        def answer(request: Request) -> Response:
            if end == "silent":
                over.wait(60)
            if end == "redirected":
                return Response(status=307, headers={"Location": request.url})
            return {"answered": self.success, "refused": lambda: self.refusal(401)}.get(
                end, lambda: Response(b"{}", status=503, mimetype="application/json")
            )()

        self.serve(httpserver, answer)
        told = []
        with caplog.at_level(logging.DEBUG):
            try:
                with self.client(attempts=1 if end == "silent" else 2) as client:
                    told.append(repr(client.test()))
            except OutboundError as error:
                told += [repr(error), *traceback.format_exception(error)]
            finally:
                over.set()
        if end != "gone":
            self.wait_for_the_end(httpserver)
        self.assert_untold(told, caplog)
        if self.in_address and end != "gone":
            addresses = [request.url for request in self.asked(httpserver)]
            assert addresses
            for name in self.in_address:
                assert all(quote_plus(self.credentials[name]) in address for address in addresses)

    def test_a_credential_that_can_not_be_sent_is_told(self, httpserver: HTTPServer) -> None:
        """Stored before its field had rules, or written by a program: letters that no header takes."""
        self.serve(httpserver, lambda _: self.refusal(401))
        for name, value in self.credentials.items():
            odd = {**self.credentials, name: f"{value}é☃\n"}
            told = ""
            try:
                with self.definition.client_class(self.definition, odd, self.settings, attempts=1) as client:
                    client.test()
            except OutboundError as error:
                told = str(error)
            assert "é" not in told

    def assert_untold(self, told: list[str], caplog: pytest.LogCaptureFixture) -> None:
        """No secret in ``told`` or in a log line, as it is or as it stands in an address."""
        formatter = logging.Formatter("%(name)s %(message)s")
        # The stand-in logs what it was asked; that is the service's own log.
        lines = [formatter.format(record) for record in caplog.records if record.name != "werkzeug"]
        for secret in self.secrets():
            for form in {secret, quote(secret, safe=""), quote_plus(secret)}:
                assert not [text for text in (*told, *lines) if form in text]


READ_ELSEWHERE = {"default_sender", "style_url", "sync_frequency"}
"""Settings of the first source system that programs read through the API: what they draw, send or run goes by them."""


@cache
def _code() -> str:
    """What is written of connections, without what only declares a setting or shows one."""
    files = Path(apps.integrations.__file__).parent.rglob("*.py")
    text = "".join(file.read_text() for file in files if "demo" not in file.parts)
    return re.sub(r'\b(name|main_setting)="\w+"', "", text)


class _Any(str):
    """A path that equals every path."""

    __slots__ = ()

    def __new__(cls) -> _Any:
        return super().__new__(cls, "/")

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0
