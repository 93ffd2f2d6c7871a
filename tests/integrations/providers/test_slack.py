"""Slack."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from pytest_httpserver import HTTPServer

from apps.integrations.contracts.communication import OutgoingMessage, SentMessage
from apps.integrations.providers.errors import (
    CredentialRefused,
    Missing,
    NotPermitted,
    ProviderError,
    RateLimited,
    Refused,
    Unavailable,
)
from apps.integrations.providers.slack.client import NotInChannel
from apps.integrations.providers.webhooks import Delivery
from tests.integrations.conformance import Conformance
from tests.integrations.webhook_battery import ADDRESS, NOW, SignedWebhook

pytestmark = pytest.mark.covers("I-04", "I-05")
TOKEN = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcBrzbqgy"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5".translate(str.maketrans("yz", "01"))


class TestSlack(Conformance):
    name = "slack"
    credentials = {"bot_token": TOKEN, "signing_secret": SIGNING_SECRET}
    asks = ("POST", "/auth.test")
    identity = "bot in Subarachnoid Workspace"

    def send(self, text: str = "Hello", to: str = "C123456") -> SentMessage:
        with self.client() as client:
            sent: SentMessage = client.send_message(OutgoingMessage(to=to, text=text))  # type: ignore[attr-defined]
        return sent

    def test_a_message_is_posted_as_documented(self, httpserver: HTTPServer) -> None:
        httpserver.expect_oneshot_request(
            "/api/chat.postMessage",
            method="POST",
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json; charset=utf-8"},
            json={"channel": "C123456", "text": "Here's a message for you"},
        ).respond_with_json(self.answer("sent"))
        assert self.send("Here's a message for you") == SentMessage(
            id="1503435956.000247", progress="sent", to="C123456"
        )

    def test_a_text_can_not_call_everybody(self, httpserver: HTTPServer) -> None:
        httpserver.expect_oneshot_request(
            "/api/chat.postMessage", json={"channel": "C123456", "text": "&lt;!channel&gt; R&amp;D"}
        ).respond_with_json(self.answer("sent"))
        self.send("<!channel> R&D")

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("invalid_auth", CredentialRefused),
            ("token_revoked", CredentialRefused),
            ("account_inactive", CredentialRefused),
            ("missing_scope", NotPermitted),
            ("restricted_action", NotPermitted),
            ("not_in_channel", NotInChannel),
            ("channel_not_found", Missing),
            ("is_archived", Refused),
            ("msg_too_long", Refused),
            ("a_code_of_tomorrow", Refused),
            ("ratelimited", RateLimited),
            ("internal_error", Unavailable),
        ],
    )
    def test_a_refusal_inside_of_a_200_is_no_success(
        self, httpserver: HTTPServer, code: str, kind: type[ProviderError]
    ) -> None:
        httpserver.expect_request("/api/chat.postMessage").respond_with_json({"ok": False, "error": code})
        with pytest.raises(ProviderError) as raised:
            self.send()
        assert type(raised.value) is kind
        assert str(raised.value).startswith("Slack: ")

    def test_a_missing_scope_is_named(self, httpserver: HTTPServer) -> None:
        refusal = {"ok": False, "error": "missing_scope", "needed": "chat:write", "provided": "identify"}
        httpserver.expect_request("/api/chat.postMessage").respond_with_json(refusal)
        with pytest.raises(NotPermitted, match="chat:write"):
            self.send()

    def test_a_message_is_never_sent_twice_when_slack_fails(self, httpserver: HTTPServer) -> None:
        httpserver.expect_request("/api/chat.postMessage").respond_with_json({"ok": False, "error": "fatal_error"})
        definition = self.definition
        client = definition.client_class(definition, self.credentials, self.settings, attempts=3)
        with client, pytest.raises(Unavailable):
            client.send_message(OutgoingMessage(to="C1", text="Hello"))
        assert len(httpserver.log) == 1


class TestSlackWebhook(SignedWebhook):
    name = "slack"
    credentials = {"bot_token": TOKEN, "signing_secret": SIGNING_SECRET}
    secret = "signing_secret"
    headers = ("x-slack-signature", "x-slack-request-timestamp")
    window = timedelta(minutes=5)
    body = orjson.dumps(
        {
            "token": "one-long-verification-token",
            "team_id": "T123ABC456",
            "event": {"type": "app_mention", "user": "U1", "text": "<@U0> hi", "channel": "C1", "ts": "1.2"},
            "type": "event_callback",
            "event_id": "Ev123ABC456",
            "event_time": 1234567890,
        }
    )

    def signed(
        self, body: bytes, credentials: Mapping[str, str], at: datetime, content_type: str = "application/json"
    ) -> Delivery:
        sent_at = str(int(at.timestamp()))
        digest = hmac.new(credentials["signing_secret"].encode(), f"v0:{sent_at}:".encode() + body, hashlib.sha256)
        headers = {
            "x-slack-signature": f"v0={digest.hexdigest()}",
            "x-slack-request-timestamp": sent_at,
            "content-type": content_type,
        }
        return Delivery("POST", ADDRESS, headers, body)

    def test_an_event_keeps_its_id_kind_and_time(self) -> None:
        (event,) = self.receive(self.genuine()).events
        assert (event.id, event.kind) == ("Ev123ABC456", "app_mention")
        assert event.at is not None
        assert event.at.timestamp() == 1234567890

    def test_the_example_of_the_documentation_is_taken(self) -> None:
        body = (
            b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
            b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
            b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
            b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
        )
        at = datetime.fromtimestamp(1531420618, NOW.tzinfo)
        headers = {
            "x-slack-request-timestamp": "1531420618",
            "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
            "content-type": "application/x-www-form-urlencoded",
        }
        secret = {"signing_secret": "8f742231b10e8888abcd99yyyzzz85a5"}
        (event,) = self.receive(Delivery("POST", ADDRESS, headers, body, at), secret).events
        assert (event.kind, event.payload["command"]) == ("command", "/webhook-collect")
        assert "token" not in event.payload

    def test_the_first_request_gets_its_challenge_back_when_it_is_genuine(self) -> None:
        challenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
        body = orjson.dumps({"token": "x", "challenge": challenge, "type": "url_verification"})
        delivery = replace(self.signed(body, self.credentials, NOW), received_at=NOW)
        received = self.receive(delivery)
        assert received.reply == challenge
        assert received.events == ()
        assert self.refused(replace(delivery, headers={}))

    def test_a_pressed_button_is_an_event(self) -> None:
        payload: dict[str, Any] = {"type": "block_actions", "trigger_id": "1.2.abc", "token": "x", "actions": []}
        body = urlencode({"payload": orjson.dumps(payload).decode()}).encode()
        delivery = self.signed(body, self.credentials, NOW, "application/x-www-form-urlencoded")
        (event,) = self.receive(replace(delivery, received_at=NOW)).events
        assert (event.id, event.kind) == ("1.2.abc", "block_actions")
