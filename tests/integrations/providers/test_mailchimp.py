"""Mailchimp."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from django.conf import LazySettings
from pytest_httpserver import HTTPServer
from werkzeug import Response

from apps.integrations.contracts.email_marketing import Subscriber, Subscription
from apps.integrations.outbound.errors import BadRequest
from apps.integrations.providers import provider
from apps.integrations.providers.definition import BadFields
from apps.integrations.providers.errors import Missing, Refused
from apps.integrations.providers.mailchimp.client import InComplianceState
from apps.integrations.providers.mailchimp.webhook import receive
from apps.integrations.providers.webhooks import Delivery, NotGenuine, Received
from tests.integrations.conformance import Conformance

pytestmark = pytest.mark.covers("I-04", "I-05")
EMAIL = "Urist.McVankab@freddiesjokes.com"
HASH = hashlib.md5(b"urist.mcvankab@freddiesjokes.com").hexdigest()
LIST = "57afe96172"
MEMBER = f"/3.0/lists/{LIST}/members/{HASH}"
CREDENTIALS = {"api_key": "0123456789abcdef0123456789abcdef-us21", "server_prefix": "us21"}


class TestMailchimp(Conformance):
    name = "mailchimp"
    credentials = CREDENTIALS
    settings = {"default_list_id": LIST}
    asks = ("GET", "/")
    identity = "Freddie's Jokes"

    def refusal(self, status: int) -> Response:
        titles = {401: "API Key Invalid", 403: "Forbidden"}
        return self.problem({**self.answer("refused"), "title": titles.get(status, "Internal Server Error")}, status)

    def problem(self, body: dict[str, Any], status: int) -> Response:
        return Response(orjson.dumps(body), status=status, mimetype="application/problem+json")

    def member(self, status: str) -> dict[str, Any]:
        return {**self.answer("member"), "status": status}

    def subscribe(self, **more: Any) -> Subscription:
        with self.client() as client:
            found: Subscription = client.subscribe(Subscriber(email=EMAIL, name="Urist McVankab", **more))
        return found

    def unsubscribe(self, audience: str = "") -> Subscription:
        with self.client() as client:
            found: Subscription = client.unsubscribe(EMAIL, audience=audience)
        return found

    def test_somebody_new_is_asked_to_confirm(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("member"))
        assert self.subscribe() == Subscription(
            email=EMAIL, state="pending", audience=LIST, id="62eeb292278cc15f5817cb78f7790b08"
        )
        (request,) = self.asked(httpserver)
        assert (request.method, request.path) == ("PUT", MEMBER)
        assert request.json == {
            "email_address": EMAIL,
            "status_if_new": "pending",
            "merge_fields": {"FNAME": "Urist", "LNAME": "McVankab"},
        }
        assert request.authorization is not None
        assert request.authorization.password == CREDENTIALS["api_key"]

    def test_without_double_opt_in_somebody_new_is_on_the_list_at_once(
        self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(type(self), "settings", {"double_optin": False})
        self.script(httpserver, self.member("subscribed"))
        with self.client() as client:
            found = client.subscribe(Subscriber(email=EMAIL), audience=LIST)
        assert found.state == "subscribed"
        body: Any = self.asked(httpserver)[0].json
        assert body == {"email_address": EMAIL, "status_if_new": "subscribed"}

    def test_somebody_on_the_list_stays_as_they_are(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.member("subscribed"))
        assert self.subscribe().state == "subscribed"
        assert len(self.asked(httpserver)) == 1

    @pytest.mark.parametrize("left", ["unsubscribed", "archived", "transactional"])
    def test_somebody_who_left_is_asked_again(self, httpserver: HTTPServer, left: str) -> None:
        self.script(httpserver, self.member(left), self.member("pending"))
        assert self.subscribe().state == "pending"
        again: Any = self.asked(httpserver)[1].json
        assert again["status"] == "pending"

    def test_a_compliance_state_says_who_can_end_it(self, httpserver: HTTPServer) -> None:
        compliance = self.problem(self.answer("compliance"), 400)
        self.script(httpserver, self.member("unsubscribed"), compliance)
        with pytest.raises(InComplianceState, match="cannot be subscribed"):
            self.subscribe()

    def test_tags_are_set_by_a_call_of_their_own(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.member("subscribed"), Response(status=204))
        self.subscribe(tags=("vip", "Zürich"))
        request = self.asked(httpserver)[1]
        assert (request.method, request.path) == ("POST", f"{MEMBER}/tags")
        assert request.json == {"tags": [{"name": "vip", "status": "active"}, {"name": "Zürich", "status": "active"}]}

    def test_a_field_that_is_wrong_is_named(self, httpserver: HTTPServer) -> None:
        faults = [{"field": "email_address", "message": "This value should be a valid email."}]
        body = {"title": "Invalid Resource", "status": 400, "detail": "The resource is invalid.", "errors": faults}
        self.script(httpserver, self.problem(body, 400))
        with pytest.raises(Refused, match="email_address This value should be a valid email"):
            self.subscribe()

    def test_somebody_is_taken_off(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.member("unsubscribed"))
        assert self.unsubscribe().state == "unsubscribed"
        (request,) = self.asked(httpserver)
        assert (request.method, request.path, request.json) == ("PATCH", MEMBER, {"status": "unsubscribed"})

    def test_somebody_who_is_not_on_the_list_is_no_error(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, (404, self.answer("missing")), {"id": LIST})
        assert self.unsubscribe().state == "unknown"
        assert self.asked(httpserver)[1].path == f"/3.0/lists/{LIST}"

    def test_a_list_that_is_not_there_is_one(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, (404, self.answer("missing")), (404, self.answer("missing")))
        with pytest.raises(Missing):
            self.unsubscribe()

    def test_without_a_list_nothing_is_asked(self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(self), "settings", {})
        with pytest.raises(Refused, match="no audience"):
            self.subscribe()
        assert self.asked(httpserver) == []

    @pytest.mark.parametrize("audience", ["../../ping", "a/b", "..", "a?b=c", "a#b", "//evil.example", "a\\b"])
    def test_the_name_of_a_list_stays_in_its_place(self, httpserver: HTTPServer, audience: str) -> None:
        self.script(httpserver, self.member("unsubscribed"))
        try:
            self.unsubscribe(audience)
        except BadRequest:
            assert audience == ".."
            return
        (request,) = self.asked(httpserver)
        raw = request.environ["REQUEST_URI"]
        assert raw.startswith("/3.0/lists/")
        assert raw.endswith(f"/members/{HASH}")
        assert raw.count("/") == 5

    @pytest.mark.parametrize(
        "prefix", ["evil.example/", "us21.evil.example#", "us21@evil.example", "US21", "us", "us2121", "..", "us21/x"]
    )
    def test_a_server_prefix_can_not_lead_elsewhere(self, settings: LazySettings, prefix: str) -> None:
        with pytest.raises(BadFields) as raised:
            self.definition.clean_credentials({**CREDENTIALS, "server_prefix": prefix})
        assert raised.value.errors.keys() == {"server_prefix"}
        settings.PROVIDER_URLS = {}
        with pytest.raises(BadRequest):
            self.definition.client_class(self.definition, {**CREDENTIALS, "server_prefix": prefix}, {})

    def test_the_server_prefix_is_the_host(self, settings: LazySettings) -> None:
        settings.PROVIDER_URLS = {}
        with self.client() as client:
            assert client.base_url() == "https://us21.api.mailchimp.com/3.0"


class TestMailchimpWebhook:
    SECRET = "a-long-secret-of-our-own"
    BODY = urlencode(
        {
            "type": "unsubscribe",
            "fired_at": "2009-03-26 21:40:57",
            "data[action]": "unsub",
            "data[id]": "8a25ff1d98",
            "data[list_id]": "a6b5da1054",
            "data[email]": "api+unsub@mailchimp.com",
            "data[merges][FNAME]": "Mailchimp",
        }
    ).encode()

    def receive(self, url: str, method: str = "POST", secret: str = SECRET, body: bytes = BODY) -> Received:
        return receive(Delivery(method, url, {}, body), {"webhook_secret": secret}, provider("mailchimp").defaults)

    def test_a_delivery_with_the_secret_in_its_address_is_taken(self) -> None:
        (event,) = self.receive(f"https://x.example/hook?a=b&secret={self.SECRET}").events
        assert (event.kind, len(event.id)) == ("unsubscribe", 64)
        assert event.payload["data"]["merges"] == {"FNAME": "Mailchimp"}
        assert event.at is not None
        assert event.at.isoformat() == "2009-03-26T21:40:57+00:00"

    def test_any_turned_bit_of_the_secret_is_refused(self) -> None:
        for place in range(len(self.SECRET)):
            for bit in range(7):
                turned = chr(ord(self.SECRET[place]) ^ (1 << bit))
                wrong = self.SECRET[:place] + turned + self.SECRET[place + 1 :]
                with pytest.raises(NotGenuine):
                    self.receive(f"https://x.example/hook?{urlencode({'secret': wrong})}")

    @pytest.mark.parametrize("query", ["", "?secret=", "?secret=a&secret=a-long-secret-of-our-own", "?other=x"])
    def test_a_delivery_without_it_is_refused(self, query: str) -> None:
        with pytest.raises(NotGenuine):
            self.receive(f"https://x.example/hook{query}")

    def test_without_a_secret_nothing_is_taken(self) -> None:
        with pytest.raises(NotGenuine):
            self.receive("https://x.example/hook?secret=", secret="")

    def test_the_question_whether_somebody_is_there_is_answered(self) -> None:
        address = f"https://x.example/hook?secret={self.SECRET}"
        assert self.receive(address, method="GET", body=b"") == Received()

    def test_nobody_else_learns_that_somebody_is_there(self) -> None:
        with pytest.raises(NotGenuine):
            self.receive("https://x.example/hook", method="GET", body=b"")

    def test_what_lies_in_each_other_is_read_as_deep_as_mailchimp_goes(self) -> None:
        body = urlencode({"type": "profile", "data[merges][GROUPINGS][0][name]": "Interests"}).encode()
        (event,) = self.receive(f"https://x.example/?secret={self.SECRET}", body=body).events
        assert event.payload["data"]["merges"]["GROUPINGS"]["0"]["name"] == "Interests"

    @pytest.mark.parametrize("depth", [9, 100, 100_000])
    def test_thousands_of_brackets_are_refused(self, depth: int) -> None:
        """As objects in objects they would be too deep to be written down, or even to be compared."""
        body = b"type=profile&a" + b"[b]" * depth + b"=x"
        with pytest.raises(NotGenuine, match="deeper"):
            self.receive(f"https://x.example/?secret={self.SECRET}", body=body)

    @pytest.mark.parametrize("body", [b"", b"\xff", b"type=", b"type[a]=b", b"&".join([b"a=b"] * 2000)])
    def test_nonsense_holds_no_event(self, body: bytes) -> None:
        with suppress(NotGenuine):
            assert self.receive(f"https://x.example/?secret={self.SECRET}", body=body).events == ()
