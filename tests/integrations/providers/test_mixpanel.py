"""Mixpanel."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Response

from apps.integrations.contracts.analytics import TrackedEvent
from apps.integrations.outbound.errors import BadAnswer, BadRequest
from apps.integrations.providers.errors import Refused
from apps.integrations.providers.mixpanel.client import NotTaken, insert_id
from tests.integrations.conformance import Conformance

pytestmark = pytest.mark.covers("I-04", "I-05")
TOKEN = "6b6e4a3a2b1c0d9e8f7a6b5c4d3e2f10"
ID = "29fc2962-6d9c-455d-95ad-95b84f09b9e4"
AT = datetime(2021, 4, 18, 3, 51, 17, tzinfo=UTC)


class TestMixpanel(Conformance):
    name = "mixpanel"
    credentials = {"project_token": TOKEN}
    asks = ("POST", "/import")
    identity = ""

    def success(self) -> Response:
        return Response(orjson.dumps(self.answer("test")), status=400, mimetype="application/json")

    def track(self, **more: Any) -> None:
        event = TrackedEvent(id=ID, name="Signup", subject="91304156", at=AT, **more)
        with self.client(attempts=2) as client:
            client.track(event)

    def test_an_event_is_sent_as_documented(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("taken"))
        self.track(properties={"Referred by": "Friend", "time": "not ours to say"})
        (request,) = self.asked(httpserver)
        assert (request.method, request.path, request.args.to_dict()) == ("POST", "/import", {"strict": "1"})
        assert request.authorization is not None
        assert (request.authorization.username, request.authorization.password) == (TOKEN, "")
        assert request.json == [
            {
                "event": "Signup",
                "properties": {
                    "Referred by": "Friend",
                    "time": 1618717877000,
                    "distinct_id": "91304156",
                    "$insert_id": ID,
                },
            }
        ]

    def test_an_event_is_sent_again_with_the_same_id(
        self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("apps.integrations.outbound.http.delay", lambda attempt: 0.0)
        self.script(httpserver, Response(status=503), self.answer("taken"))
        self.track()
        first, second = (request.json for request in self.asked(httpserver))
        assert first == second

    def test_an_event_that_was_not_taken_says_why(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, (400, self.answer("test")))
        with pytest.raises(NotTaken, match="must be specified as seconds since epoch"):
            self.track()

    def test_a_test_stores_nothing(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, (400, self.answer("test")))
        with self.client() as client:
            client.test()
        (event,) = orjson.loads(self.asked(httpserver)[0].data)
        assert event["properties"] == {}, "Without a time, a person and an id no event is taken."

    def test_a_test_event_that_was_taken_is_no_success(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("taken"))
        with self.client() as client, pytest.raises(Refused):
            client.test()

    def test_an_answer_that_is_no_object_is_no_success(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, 1)
        with pytest.raises(BadAnswer):
            self.track()

    def test_the_region_is_the_host(self, settings: LazySettings) -> None:
        settings.PROVIDER_URLS = {}
        for region, host in (("us", "api"), ("eu", "api-eu"), ("in", "api-in")):
            client = self.definition.client_class(self.definition, self.credentials, {"region": region})
            assert client.base_url() == f"https://{host}.mixpanel.com"
        with pytest.raises(BadRequest):
            self.definition.client_class(self.definition, self.credentials, {"region": "evil.example/"})


@given(event_id=st.text(max_size=80))
def test_every_id_becomes_one_that_mixpanel_takes(event_id: str) -> None:
    found = insert_id(event_id)
    assert 1 <= len(found) <= 36
    assert all(letter.isascii() and (letter.isalnum() or letter == "-") for letter in found)
    assert found == insert_id(event_id)
