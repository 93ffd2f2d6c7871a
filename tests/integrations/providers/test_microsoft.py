"""Outlook."""

from __future__ import annotations

import pytest
from pytest_httpserver import HTTPServer

from apps.integrations.contracts.communication import OutgoingMessage
from tests.integrations.conformance import Conformance

pytestmark = pytest.mark.covers("I-05", "I-09")


class TestMicrosoft(Conformance):
    name = "microsoft"
    credentials = {"client_id": "6731de76-14a6-49ae-97bc-6eba6914391e", "client_secret": "the-client-secret"}
    asks = ("GET", "/me")
    identity = "zoe@people.example"

    def test_a_message_is_an_e_mail(self, httpserver: HTTPServer) -> None:
        httpserver.expect_request("/v1.0/me/sendMail", method="POST").respond_with_data(status=202)
        with self.client() as client:
            sent = client.send_message(OutgoingMessage(to="max@people.example", text="Hello"))  # type: ignore[attr-defined]
        ((request, _),) = httpserver.log
        assert request.headers["client-request-id"] == sent.id
        assert (sent.progress, sent.to) == ("queued", "max@people.example")
        assert request.get_json()["message"] == {
            "subject": "A message for you",
            "body": {"contentType": "Text", "content": "Hello"},
            "toRecipients": [{"emailAddress": {"address": "max@people.example"}}],
        }
