"""Twilio."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from pytest_httpserver import HTTPServer

from apps.integrations.contracts.communication import OutgoingMessage, SentMessage
from apps.integrations.providers.errors import (
    Missing,
    NotPermitted,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
    Refused,
)
from apps.integrations.providers.twilio.client import Unsubscribed
from apps.integrations.providers.webhooks import Delivery
from tests.integrations.conformance import Conformance
from tests.integrations.webhook_battery import ADDRESS, NOW, SignedWebhook

pytestmark = pytest.mark.covers("I-04", "I-05")
ACCOUNT = "AC" + "a" * 32
TOKEN = "0123456789abcdef0123456789abcdef"
SERVICE = "MG" + "b" * 32


class TestTwilio(Conformance):
    name = "twilio"
    credentials = {"account_sid": ACCOUNT, "auth_token": TOKEN}
    settings = {"from_number": "+15557122661"}
    asks = ("GET", f"/Accounts/{ACCOUNT}.json")
    identity = "Owl Express"

    def send(self) -> SentMessage:
        with self.client() as client:
            sent: SentMessage = client.send_message(OutgoingMessage(to="+15558675310", text="Hi & bye"))
        return sent

    def test_a_message_is_sent_as_documented(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, (201, self.answer("sent")))
        assert self.send() == SentMessage(id="SM" + "a" * 32, progress="queued", to="+15558675310")
        (request,) = self.asked(httpserver)
        assert (request.method, request.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
        assert request.form.to_dict() == {"To": "+15558675310", "From": "+15557122661", "Body": "Hi & bye"}
        assert request.authorization is not None
        assert (request.authorization.username, request.authorization.password) == (ACCOUNT, TOKEN)

    def test_a_messaging_service_chooses_the_sender(
        self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(type(self), "settings", {**self.settings, "messaging_service_sid": SERVICE})
        self.script(httpserver, (201, self.answer("sent")))
        self.send()
        form = self.asked(httpserver)[0].form
        assert form["MessagingServiceSid"] == SERVICE
        assert "From" not in form

    def test_without_a_sender_nothing_is_asked(self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(self), "settings", {})
        with pytest.raises(Refused, match="no sender"):
            self.send()
        assert self.asked(httpserver) == []

    @pytest.mark.parametrize(
        ("state", "progress"),
        [("accepted", "queued"), ("sent", "sent"), ("delivered", "delivered"), ("undelivered", "failed")],
    )
    def test_progress_is_told_in_our_words(self, httpserver: HTTPServer, state: str, progress: str) -> None:
        self.script(httpserver, (201, {**self.answer("sent"), "status": state}))
        assert self.send().progress == progress

    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (400, 21211, Refused),
            (400, 21610, Unsubscribed),
            (400, 21608, NotPermitted),
            (403, 20005, NotPermitted),
            (400, 21611, RateLimited),
            (429, 63038, QuotaUsedUp),
            (404, 20404, Missing),
        ],
    )
    def test_a_refusal_is_told_by_its_code(
        self, httpserver: HTTPServer, status: int, code: int, kind: type[ProviderError]
    ) -> None:
        self.script(httpserver, (status, {"code": code, "message": "No.", "more_info": "", "status": status}))
        with pytest.raises(ProviderError, match=r"Twilio: No\.") as raised:
            self.send()
        assert type(raised.value) is kind

    def test_a_suspended_account_does_not_pass_the_test(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, {**self.answer("test"), "status": "suspended"})
        with self.client() as client, pytest.raises(NotPermitted, match="suspended"):
            client.test()


class TestTwilioWebhook(SignedWebhook):
    name = "twilio"
    credentials = {"account_sid": ACCOUNT, "auth_token": TOKEN}
    secret = "auth_token"
    headers = ("x-twilio-signature",)
    body = urlencode(
        {
            "MessageSid": "SM" + "c" * 32,
            "From": "+15558675310",
            "Body": "Grüße & more = less",
            "NumMedia": "0",
            "Empty": "",
        }
    ).encode()

    def signed(self, body: bytes, credentials: Mapping[str, str], at: datetime, url: str = ADDRESS) -> Delivery:
        fields = self.meaning(body) or []
        text = url + "".join(name + value for name, value in fields)
        digest = hmac.new(credentials["auth_token"].encode(), text.encode(), hashlib.sha1).digest()
        return Delivery("POST", url, {"x-twilio-signature": base64.b64encode(digest).decode()}, body)

    def meaning(self, body: bytes) -> Any:
        """Twilio signs the fields, not how they were written down: %c3 is %C3."""
        try:
            return sorted(set(parse_qsl(body.decode(), keep_blank_values=True, errors="strict")))
        except ValueError:
            return None

    def test_a_message_that_came_in_is_answered_with_nothing_to_say(self) -> None:
        received = self.receive(self.genuine())
        (event,) = received.events
        assert (event.id, event.kind) == (f"SM{'c' * 32}:received", "message.received")
        assert event.payload["Body"] == "Grüße & more = less"
        assert received.reply_type == "text/xml"
        assert "<Response></Response>" in received.reply

    def test_each_state_of_a_message_is_an_event_of_its_own(self) -> None:
        kinds = []
        for state in ("sent", "delivered"):
            body = urlencode({"MessageSid": "SM1", "MessageStatus": state}).encode()
            (event,) = self.receive(self.signed(body, self.credentials, NOW)).events
            kinds.append((event.id, event.kind))
        assert kinds == [("SM1:sent", "message.sent"), ("SM1:delivered", "message.delivered")]

    def test_the_address_is_signed_too(self) -> None:
        delivery = self.genuine()
        for place in range(len(delivery.url)):
            for bit in range(7):
                turned = chr(ord(delivery.url[place]) ^ (1 << bit))
                url = delivery.url[:place] + turned + delivery.url[place + 1 :]
                assert self.refused(replace(delivery, url=url)), url

    def test_the_usual_port_makes_no_difference(self) -> None:
        with_port = ADDRESS.replace("strongroom.example", "strongroom.example:443")
        for signed, seen in ((with_port, ADDRESS), (ADDRESS, with_port)):
            delivery = self.signed(self.body, self.credentials, NOW, signed)
            assert not self.refused(replace(delivery, url=seen))
        other = ADDRESS.replace("strongroom.example", "strongroom.example:8443")
        assert self.refused(replace(self.genuine(), url=other))

    def test_the_example_of_twilios_own_library_is_taken(self) -> None:
        url = "https://mycompany.com/myapp.php?foo=1&bar=2"
        fields = {
            "CallSid": "CA1234567890ABCDE",
            "Digits": "1234",
            "From": "+14158675309",
            "To": "+18005551212",
            "Caller": "+14158675309",
        }
        headers = {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
        delivery = Delivery("POST", url, headers, urlencode(fields).encode())
        assert not self.refused(delivery, {"auth_token": "12345", "account_sid": ACCOUNT})

    def test_a_json_body_is_held_to_the_digest_in_the_address(self) -> None:
        body = b'[{"id": "EZ1", "type": "com.twilio.messaging.message.delivered", "data": {}}]'
        url = f"{ADDRESS}&bodySHA256={hashlib.sha256(body).hexdigest()}"
        digest = hmac.new(TOKEN.encode(), url.encode(), hashlib.sha1).digest()
        delivery = Delivery("POST", url, {"x-twilio-signature": base64.b64encode(digest).decode()}, body)
        (event,) = self.receive(delivery).events
        assert (event.id, event.kind) == ("EZ1", "com.twilio.messaging.message.delivered")
        assert self.refused(replace(delivery, body=body.replace(b"EZ1", b"EZ2")))
