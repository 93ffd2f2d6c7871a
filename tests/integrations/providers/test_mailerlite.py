"""MailerLite."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from apps.integrations.contracts.email_marketing import Subscriber, Subscription
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.providers.errors import Refused
from apps.integrations.providers.mailerlite.client import Left
from apps.integrations.providers.webhooks import Delivery
from tests.integrations.conformance import Conformance
from tests.integrations.webhook_battery import ADDRESS, NOW, SignedWebhook

pytestmark = pytest.mark.covers("I-04", "I-05")
EMAIL = "dummy@example.com"
GROUP = "86243178420241125"
ID = "31897397363737859"
TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.abc.def"


class TestMailerLite(Conformance):
    name = "mailerlite"
    credentials = {"api_key": TOKEN}
    settings = {"group_id": GROUP}
    asks = ("GET", "/subscribers")
    identity = ""

    def subscriber(self, **more: Any) -> dict[str, Any]:
        return {"data": {**self.answer("subscriber")["data"], **more}}

    def subscribe(self, **more: Any) -> Subscription:
        with self.client() as client:
            found: Subscription = client.subscribe(Subscriber(email=EMAIL, name="Dummy Testerson", **more))
        return found

    def unsubscribe(self, audience: str = "") -> Subscription:
        with self.client() as client:
            found: Subscription = client.unsubscribe(EMAIL, audience=audience)
        return found

    @pytest.mark.parametrize("status", [200, 201])
    def test_a_person_is_made_or_updated_in_the_group(self, httpserver: HTTPServer, status: int) -> None:
        self.script(httpserver, (status, self.subscriber()))
        assert self.subscribe() == Subscription(email=EMAIL, state="subscribed", audience=GROUP, id=ID)
        (request,) = self.asked(httpserver)
        assert (request.method, request.path) == ("POST", "/api/subscribers")
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert request.json == {
            "email": EMAIL,
            "fields": {"name": "Dummy", "last_name": "Testerson"},
            "groups": [GROUP],
        }

    def test_a_person_who_has_yet_to_confirm_is_pending(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, (201, self.subscriber(status="unconfirmed")))
        assert self.subscribe().state == "pending"

    @pytest.mark.parametrize("status", ["unsubscribed", "bounced", "junk"])
    def test_a_person_who_left_is_not_taken_for_subscribed(self, httpserver: HTTPServer, status: str) -> None:
        self.script(httpserver, self.subscriber(status=status))
        with pytest.raises(Left, match=status):
            self.subscribe()

    def test_a_field_that_is_wrong_is_named(self, httpserver: HTTPServer) -> None:
        faults = {"email": ["The email must be a valid email address."], "groups.0": ["No such group."]}
        self.script(httpserver, (422, {"message": "The given data was invalid.", "errors": faults}))
        with pytest.raises(Refused, match=r"invalid\. The email must be a valid email address\. No such group\."):
            self.subscribe()

    def test_tags_are_refused_rather_than_lost(self, httpserver: HTTPServer) -> None:
        with pytest.raises(Refused, match="tags"):
            self.subscribe(tags=("vip",))
        assert self.asked(httpserver) == []

    def test_a_person_is_taken_out_of_the_group(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.subscriber(), Response(status=204))
        assert self.unsubscribe().state == "unsubscribed"
        found, removed = self.asked(httpserver)
        assert (found.method, found.path) == ("GET", f"/api/subscribers/{EMAIL}")
        assert (removed.method, removed.path) == ("DELETE", f"/api/subscribers/{ID}/groups/{GROUP}")

    def test_without_a_group_a_person_leaves_everything(
        self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(type(self), "settings", {})
        self.script(httpserver, self.subscriber(), self.subscriber(status="unsubscribed"))
        assert self.unsubscribe().state == "unsubscribed"
        put = self.asked(httpserver)[1]
        assert (put.method, put.path, put.json) == ("PUT", f"/api/subscribers/{ID}", {"status": "unsubscribed"})

    def test_a_person_nobody_knows_is_no_error(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, (404, {"message": "Resource not found."}))
        assert self.unsubscribe().state == "unknown"

    def test_a_person_in_other_groups_only_is_left_there(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.subscriber())
        assert self.unsubscribe("111").state == "unknown"
        assert len(self.asked(httpserver)) == 1

    @pytest.mark.parametrize("audience", ["newsletter", "../groups", "1/2"])
    def test_a_group_is_named_by_its_number_alone(self, httpserver: HTTPServer, audience: str) -> None:
        with pytest.raises(Refused, match="number"):
            self.unsubscribe(audience)
        assert self.asked(httpserver) == []

    @pytest.mark.parametrize("answer", [{}, {"data": []}, {"data": {}}])
    def test_an_answer_without_a_subscriber_is_no_success(self, httpserver: HTTPServer, answer: Any) -> None:
        self.script(httpserver, answer)
        with pytest.raises(BadAnswer):
            self.subscribe()


class TestMailerLiteWebhook(SignedWebhook):
    name = "mailerlite"
    credentials = {"api_key": TOKEN, "webhook_secret": "ybmcD7PQ9R"}
    secret = "webhook_secret"
    headers = ("signature",)
    body = orjson.dumps(
        {"event": "subscriber.created", "id": ID, "email": EMAIL, "status": "active", "fields": {"name": "Dümmy"}}
    )

    def signed(self, body: bytes, credentials: Mapping[str, str], at: datetime) -> Delivery:
        digest = hmac.new(credentials["webhook_secret"].encode(), body, hashlib.sha256).hexdigest()
        return Delivery("POST", ADDRESS, {"signature": digest}, body)

    def test_a_batch_is_taken_apart(self) -> None:
        events = [
            {"event": "campaign.click", "subscriber": {"id": "1"}},
            {"event": "campaign.open", "subscriber": {"id": "1"}},
        ]
        body = orjson.dumps({"total": 2, "events": events})
        received = self.receive(replace(self.signed(body, self.credentials, NOW), received_at=NOW))
        assert [event.kind for event in received.events] == ["campaign.click", "campaign.open"]
        assert len({event.id for event in received.events}) == 2
