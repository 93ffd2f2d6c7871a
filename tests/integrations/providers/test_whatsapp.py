"""WhatsApp Business."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from apps.integrations.contracts.communication import OutgoingMessage, SentMessage
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.providers.errors import (
    CredentialRefused,
    Missing,
    NotPermitted,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
    Refused,
    Unavailable,
)
from apps.integrations.providers.webhooks import Delivery, NotGenuine
from apps.integrations.providers.whatsapp.client import NotReachable, OutsideWindow
from tests.integrations.conformance import Conformance
from tests.integrations.webhook_battery import SignedWebhook

pytestmark = pytest.mark.covers("I-04", "I-05")
TOKEN = "EAAJB0123456789abcdefZBZA"
NUMBER = "1906385232743451"
APP_SECRET = "614fc2afde15eee07a26b2fe3eaee9b9"
CREDENTIALS = {
    "access_token": TOKEN,
    "phone_number_id": NUMBER,
    "app_secret": APP_SECRET,
    "verify_token": "a-word-of-our-own",
}
MESSAGE_ID = "wamid.HBgLMTY0NjcwNDM1OTUVAgARGBI1RjQyNUE3NEYxMzAzMzQ5MkEA"


class TestWhatsApp(Conformance):
    name = "whatsapp"
    credentials = CREDENTIALS
    asks = ("GET", f"/{NUMBER}")
    identity = "Jasper's Market +1 631-555-5555"

    def refusal(self, status: int) -> Response:
        """Meta's codes say more than its statuses, so each comes with one of its own."""
        body = self.answer("refused")
        body["error"]["code"] = {401: 190, 403: 10}.get(status, 2)
        return Response(orjson.dumps(body), status=status, mimetype="application/json")

    def send(self, text: str = "Hello") -> SentMessage:
        with self.client() as client:
            sent: SentMessage = client.send_message(OutgoingMessage(to="+16505551234", text=text))
        return sent

    def test_a_text_is_sent_as_documented(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("sent"))
        assert self.send() == SentMessage(id=MESSAGE_ID, progress="queued", to="+16505551234")
        (request,) = self.asked(httpserver)
        assert (request.method, request.path) == ("POST", f"/v24.0/{NUMBER}/messages")
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert request.json == {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "+16505551234",
            "type": "text",
            "text": {"preview_url": False, "body": "Hello"},
        }

    def test_with_a_template_the_text_becomes_its_variable(
        self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(type(self), "settings", {"template_name": "news", "template_language": "de"})
        self.script(httpserver, self.answer("sent"))
        self.send("Your order\n\tis     ready.")
        body: Any = self.asked(httpserver)[0].json
        assert body["type"] == "template"
        assert body["template"] == {
            "name": "news",
            "language": {"code": "de"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "Your order is ready."}]}],
        }

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            (0, CredentialRefused),
            (190, CredentialRefused),
            (10, NotPermitted),
            (294, NotPermitted),
            (368, NotPermitted),
            (130429, RateLimited),
            (131056, RateLimited),
            (131042, QuotaUsedUp),
            (131047, OutsideWindow),
            (131026, NotReachable),
            (132001, Missing),
            (132000, Refused),
            (100, Refused),
            (131016, Unavailable),
        ],
    )
    def test_a_refusal_is_told_by_its_code(self, httpserver: HTTPServer, code: int, kind: type[ProviderError]) -> None:
        error = {"message": f"(#{code}) Title", "type": "OAuthException", "code": code}
        data = {"messaging_product": "whatsapp", "details": "What is wrong."}
        self.script(httpserver, (400, {"error": {**error, "error_data": data, "fbtrace_id": "x"}}))
        with pytest.raises(ProviderError, match=r"Title: What is wrong\.") as raised:
            self.send()
        assert type(raised.value) is kind

    def test_an_answer_without_a_message_is_no_success(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, {"messaging_product": "whatsapp", "contacts": [], "messages": []})
        with pytest.raises(BadAnswer):
            self.send()


def _delivered(value: dict[str, Any], field: str = "messages") -> bytes:
    change = {"value": {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}, **value}}
    entry = {"id": "8856996819413533", "changes": [{**change, "field": field}]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


class TestWhatsAppWebhook(SignedWebhook):
    name = "whatsapp"
    credentials = CREDENTIALS
    secret = "app_secret"
    headers = ("x-hub-signature-256",)
    body = _delivered(
        {
            "messages": [
                {
                    "from": "16505551234",
                    "id": "wamid.A",
                    "timestamp": "1603059201",
                    "type": "text",
                    "text": {"body": "hé"},
                }
            ],
            "statuses": [{"id": "wamid.B", "status": "delivered", "timestamp": "1603059202"}],
        }
    )

    def signed(self, body: bytes, credentials: Mapping[str, str], at: datetime) -> Delivery:
        digest = hmac.new(credentials["app_secret"].encode(), body, hashlib.sha256).hexdigest()
        return Delivery("POST", "https://x.example/", {"x-hub-signature-256": f"sha256={digest}"}, body)

    def test_messages_and_their_states_are_events(self) -> None:
        came, state = self.receive(self.genuine()).events
        assert (came.id, came.kind, came.payload["message"]["text"]) == ("wamid.A", "message.received", {"body": "hé"})
        assert (state.id, state.kind) == ("wamid.B:delivered", "message.delivered")
        assert came.at is not None
        assert came.at.timestamp() == 1603059201

    def test_a_message_that_failed_says_why(self) -> None:
        errors = [{"code": 131047, "title": "Re-engagement message"}]
        body = _delivered({"statuses": [{"id": "wamid.C", "status": "failed", "timestamp": "1", "errors": errors}]})
        (event,) = self.receive(self.signed(body, CREDENTIALS, datetime.now())).events
        assert (event.kind, event.payload["status"]["errors"]) == ("message.failed", errors)

    def test_news_of_other_kinds_have_an_id_too(self) -> None:
        body = _delivered({"event": "APPROVED"}, field="message_template_status_update")
        (event,) = self.receive(self.signed(body, CREDENTIALS, datetime.now())).events
        assert event.kind == "message_template_status_update"
        assert len(event.id) == 64

    def asked_for_challenge(self, **query: str) -> Delivery:
        return Delivery("GET", f"https://x.example/hook?{urlencode(query)}", {})

    def test_the_challenge_goes_back_to_who_knows_the_verify_token(self) -> None:
        query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "a-word-of-our-own"}
        assert self.receive(self.asked_for_challenge(**query)).reply == "1158201444"

    @pytest.mark.parametrize(
        "wrong", [{"hub.verify_token": "a-word-of-our-owm"}, {"hub.verify_token": ""}, {"hub.mode": "unsubscribe"}]
    )
    def test_no_challenge_goes_to_anybody_else(self, wrong: dict[str, str]) -> None:
        query = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "a-word-of-our-own", **wrong}
        with pytest.raises(NotGenuine):
            self.receive(self.asked_for_challenge(**query))

    def test_without_a_verify_token_no_challenge_is_answered(self) -> None:
        query = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": ""}
        with pytest.raises(NotGenuine):
            self.receive(self.asked_for_challenge(**query), {**CREDENTIALS, "verify_token": ""})
