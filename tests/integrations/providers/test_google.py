"""Gmail."""

from __future__ import annotations

import email
from base64 import urlsafe_b64decode

import pytest
from pytest_httpserver import HTTPServer

from apps.integrations.contracts.communication import OutgoingMessage, SentMessage
from apps.integrations.providers.errors import RateLimited
from tests.integrations.conformance import Conformance

pytestmark = pytest.mark.covers("I-05", "I-09")


class TestGoogle(Conformance):
    name = "google"
    credentials = {"client_id": "1.apps.googleusercontent.com", "client_secret": "GOCSPX-client-secret"}
    asks = ("GET", "/v1/userinfo")
    identity = "zoe@people.example"

    def test_a_message_is_an_e_mail(self, httpserver: HTTPServer) -> None:
        httpserver.expect_request("/gmail/v1/users/me/messages/send", method="POST").respond_with_json(
            self.answer("sent")
        )
        with self.client() as client:
            sent = client.send_message(OutgoingMessage(to="max@people.example", text="Grüße"))  # type: ignore[attr-defined]
        assert sent == SentMessage(id="18c1f0e9a7b2d3c4", progress="sent", to="max@people.example")
        ((request, _),) = httpserver.log
        assert request.headers["Authorization"] == f"Bearer {self.access_token}"
        mail = email.message_from_bytes(urlsafe_b64decode(request.get_json()["raw"]))
        assert (mail["To"], mail["Subject"]) == ("max@people.example", "A message for you")
        body = mail.get_payload(decode=True)
        assert isinstance(body, bytes) and body.decode().strip() == "Grüße"

    def test_an_address_can_not_add_headers(self) -> None:
        with self.client() as client, pytest.raises(ValueError):
            client.send_message(OutgoingMessage(to="a@b.example\nBcc: c@d.example", text=""))  # type: ignore[attr-defined]

    def test_a_limit_that_is_told_by_a_reason_says_wait(self, httpserver: HTTPServer) -> None:
        limited = {"error": {"code": 403, "message": "Limit", "errors": [{"reason": "userRateLimitExceeded"}]}}
        httpserver.expect_request("/gmail/v1/users/me/messages/send").respond_with_json(limited, status=403)
        with self.client() as client, pytest.raises(RateLimited):
            client.send_message(OutgoingMessage(to="max@people.example", text="x"))  # type: ignore[attr-defined]
