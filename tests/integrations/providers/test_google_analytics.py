"""Google Analytics 4."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Response

from apps.integrations.contracts.analytics import TrackedEvent
from apps.integrations.outbound.errors import BadAnswer, BadRequest
from apps.integrations.providers.errors import Refused, Unavailable
from apps.integrations.providers.google_analytics.payload import client_id, event_name, payload_of
from tests.integrations.conformance import Conformance

pytestmark = pytest.mark.covers("I-04", "I-05")
SECRET = "zK1x0abcDEF-_ghiJKLmno"
NOW = datetime.now(UTC)


def event(name: str = "contact.created", at: datetime = NOW, **properties: Any) -> TrackedEvent:
    return TrackedEvent(id="1", name=name, subject="0190f3c4", at=at, properties=properties)


class TestGoogleAnalytics(Conformance):
    name = "google_analytics"
    credentials = {"measurement_id": "G-ABC1234567", "api_secret": SECRET}
    asks = ("POST", "/debug/mp/collect")
    identity = ""
    in_address = ("api_secret",)

    def track(self, sent: TrackedEvent) -> None:
        with self.client(attempts=3) as client:
            client.track(sent)

    def test_an_event_is_sent_as_documented(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, Response(status=204))
        self.track(event(source="import", rows=12))
        (request,) = self.asked(httpserver)
        assert (request.method, request.path) == ("POST", "/mp/collect")
        assert request.args.to_dict() == {"measurement_id": "G-ABC1234567", "api_secret": SECRET}
        body: Any = request.json
        session = int(NOW.timestamp()) // 1800 * 1800
        assert body == {
            "client_id": client_id("0190f3c4"),
            "user_id": "0190f3c4",
            "timestamp_micros": int(NOW.timestamp() * 1_000_000),
            "events": [
                {
                    "name": "contact_created",
                    "params": {
                        "session_id": str(session),
                        "engagement_time_msec": 1,
                        "source": "import",
                        "rows": 12,
                    },
                }
            ],
        }

    def test_an_event_is_never_sent_twice(self, httpserver: HTTPServer) -> None:
        """Google counts what it gets, and knows no ids."""
        self.script(httpserver, Response(status=503), Response(status=204))
        with pytest.raises(Unavailable):
            self.track(event())
        assert len(self.asked(httpserver)) == 1

    def test_an_event_that_is_too_old_is_refused(self, httpserver: HTTPServer) -> None:
        with pytest.raises(Refused, match="72 hours"):
            self.track(event(at=NOW - timedelta(hours=73)))
        assert self.asked(httpserver) == []

    def test_what_the_validation_server_finds_is_told(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("invalid"))
        with self.client() as client, pytest.raises(Refused, match="must start with an alphabetic character"):
            client.test()

    def test_an_answer_that_judges_nothing_is_no_success(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, {})
        with self.client() as client, pytest.raises(BadAnswer):
            client.test()

    def test_events_can_be_taken_in_within_the_european_union(self, settings: LazySettings) -> None:
        settings.PROVIDER_URLS = {}
        for collection, host in (("eu", "region1"), ("worldwide", "www")):
            client = self.definition.client_class(self.definition, self.credentials, {"collection": collection})
            assert client.base_url() == f"https://{host}.google-analytics.com"
        with pytest.raises(BadRequest):
            self.definition.client_class(self.definition, self.credentials, {"collection": "evil.example"})


@pytest.mark.parametrize(
    "name", ["", "1st", "_private", "a" * 41, "session_start", "ga_x", "firebase_x", "google_x", "Firebase_x", "é"]
)
def test_a_name_that_google_would_drop_is_refused(name: str) -> None:
    with pytest.raises(Refused):
        event_name(name)


def test_properties_keep_to_the_limits() -> None:
    (sent,) = payload_of(event(**{f"p{number}": "x" * 150 for number in range(23)}))["events"]
    assert len(sent["params"]) == 25
    assert {len(value) for name, value in sent["params"].items() if name.startswith("p")} == {100}
    with pytest.raises(Refused, match="23 properties"):
        payload_of(event(**{f"p{number}": 1 for number in range(24)}))
    with pytest.raises(Refused, match="property"):
        payload_of(event(_x=1))


def test_values_of_other_kinds_are_told_as_text() -> None:
    (sent,) = payload_of(event(yes=True, none=None, some=[1, "ä"], price=1.5))["events"]
    told = {name: value for name, value in sent["params"].items() if name not in {"session_id", "engagement_time_msec"}}
    assert told == {"yes": "true", "some": '[1,"ä"]', "price": 1.5}


@given(subject=st.text(max_size=60))
def test_a_client_id_is_two_numbers_that_give_nothing_away(subject: str) -> None:
    found = client_id(subject)
    assert re.fullmatch(r"[0-9]{1,10}\.[0-9]{1,10}", found)
    assert found == client_id(subject)
