"""SendGrid."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pytest_httpserver import HTTPServer
from werkzeug import Response

from apps.integrations.contracts.email_marketing import Subscriber, Subscription
from apps.integrations.providers import provider
from apps.integrations.providers.errors import RateLimited, Refused
from apps.integrations.providers.sendgrid.client import Suppressed
from apps.integrations.providers.webhooks import Delivery
from tests.integrations.conformance import Conformance
from tests.integrations.webhook_battery import ADDRESS, NOW, SignedWebhook

pytestmark = pytest.mark.covers("I-04", "I-05")
EMAIL = "jane_doe@example.com"
LIST = "057204d4-755b-4364-a0d1-ad5d0e0d0b10"
KEY = "SG.aaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
ACCEPTED = (202, {"job_id": "5f2d9c1e-job"})


class TestSendGrid(Conformance):
    name = "sendgrid"
    credentials = {"api_key": KEY}
    asks = ("GET", "/scopes")
    identity = ""

    def subscribe(self, audience: str = LIST, **more: Any) -> Subscription:
        with self.client() as client:
            found: Subscription = client.subscribe(Subscriber(email=EMAIL, name="Jane Doe", **more), audience=audience)
        return found

    def unsubscribe(self, audience: str = "") -> Subscription:
        with self.client() as client:
            found: Subscription = client.unsubscribe(EMAIL, audience=audience)
        return found

    def test_a_person_is_put_on_a_list(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, {}, ACCEPTED)
        assert self.subscribe() == Subscription(email=EMAIL, state="subscribed", audience=LIST, id="5f2d9c1e-job")
        looked, put = self.asked(httpserver)
        assert (looked.method, looked.path) == ("GET", f"/v3/asm/suppressions/global/{EMAIL}")
        assert (put.method, put.path) == ("PUT", "/v3/marketing/contacts")
        assert put.headers["Authorization"] == f"Bearer {KEY}"
        assert put.json == {
            "list_ids": [LIST],
            "contacts": [{"email": EMAIL, "first_name": "Jane", "last_name": "Doe"}],
        }

    def test_a_person_is_in_no_log_line(
        self, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """SendGrid finds people by the address in a path, and calls are made again when it fails."""
        monkeypatch.setattr("apps.integrations.outbound.http.delay", lambda attempt: 0.0)
        self.script(httpserver, Response(status=503), {}, ACCEPTED)
        with caplog.at_level(logging.DEBUG), self.client(attempts=2) as client:
            client.subscribe(Subscriber(email=EMAIL))
        lines = [record.getMessage() for record in caplog.records if record.name != "werkzeug"]
        assert any("attempt 2 follows" in line for line in lines)
        assert not [line for line in lines if "jane" in line]

    def test_without_a_list_a_person_is_among_the_contacts(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, {}, ACCEPTED)
        self.subscribe(audience="")
        body: Any = self.asked(httpserver)[1].json
        assert "list_ids" not in body

    def test_a_person_who_left_everything_is_not_put_back(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, {"recipient_email": EMAIL})
        with pytest.raises(Suppressed):
            self.subscribe()
        assert len(self.asked(httpserver)) == 1

    def test_tags_are_refused_rather_than_lost(self, httpserver: HTTPServer) -> None:
        with pytest.raises(Refused, match="tags"):
            self.subscribe(tags=("vip",))
        assert self.asked(httpserver) == []

    @pytest.mark.parametrize("audience", ["newsletter", "../scopes", f"{LIST}/../x", "12a"])
    def test_a_list_is_named_by_its_id_alone(self, httpserver: HTTPServer, audience: str) -> None:
        for job in (self.subscribe, self.unsubscribe):
            with pytest.raises(Refused, match="UUID"):
                job(audience)
        assert self.asked(httpserver) == []

    def test_a_contact_that_is_wrong_is_named(self, httpserver: HTTPServer) -> None:
        fault = {"field": "contacts[0].email", "message": "email is invalid", "error_id": "x"}
        self.script(httpserver, {}, (400, {"errors": [fault, {"message": "and more"}]}))
        with pytest.raises(Refused, match=r"contacts\[0\]\.email email is invalid and more"):
            self.subscribe()

    @pytest.mark.parametrize(
        ("audience", "path"),
        [("", "/v3/asm/suppressions/global"), ("14588", "/v3/asm/groups/14588/suppressions")],
    )
    def test_a_person_leaves_everything_or_a_group(self, httpserver: HTTPServer, audience: str, path: str) -> None:
        self.script(httpserver, (201, {"recipient_emails": [EMAIL]}))
        assert self.unsubscribe(audience).state == "unsubscribed"
        (request,) = self.asked(httpserver)
        assert (request.method, request.path, request.json) == ("POST", path, {"recipient_emails": [EMAIL]})

    def test_a_person_is_taken_off_a_list(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("found"), ACCEPTED)
        assert self.unsubscribe(LIST).state == "unsubscribed"
        search, delete = self.asked(httpserver)
        assert (search.path, search.json) == ("/v3/marketing/contacts/search/emails", {"emails": [EMAIL]})
        assert (delete.method, delete.path) == ("DELETE", f"/v3/marketing/lists/{LIST}/contacts")
        assert delete.args.to_dict() == {"contact_ids": "asdf-Jkl-zxCvBNm"}

    @pytest.mark.parametrize(
        "missing", [(404, {"errors": [{"message": "not found"}]}), {"result": {}}, {"result": None}]
    )
    def test_a_person_nobody_knows_is_no_error(self, httpserver: HTTPServer, missing: Any) -> None:
        self.script(httpserver, missing)
        assert self.unsubscribe(LIST).state == "unknown"

    def test_a_person_on_other_lists_only_is_left_there(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("found"))
        assert self.unsubscribe(LIST.replace("0", "1")).state == "unknown"
        assert len(self.asked(httpserver)) == 1

    def test_the_moment_of_the_next_calls_is_a_wait(self, httpserver: HTTPServer) -> None:
        headers = {"X-RateLimit-Reset": str(int(time.time()) + 40)}
        self.script(httpserver, Response(b'{"errors": [{"message": "too many requests"}]}', 429, headers))
        with self.client() as client, pytest.raises(RateLimited) as raised:
            client.test()
        assert raised.value.retry_after is not None
        assert 37 < raised.value.retry_after <= 40


def _public(key: ec.EllipticCurvePrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


OURS = ec.generate_private_key(ec.SECP256R1())


class TestSendGridWebhook(SignedWebhook):
    name = "sendgrid"
    credentials = {"api_key": KEY, "webhook_public_key": _public(OURS)}
    secret = "webhook_public_key"
    other_secret = _public(ec.generate_private_key(ec.SECP256R1()))
    headers = ("x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp")
    keyed = False
    body = (
        b'[{"email":"a@example.com","event":"bounce","sg_event_id":"6g4ZI7SA-xmRDv57GoPIPw==","timestamp":1513299569},'
        b'{"email":"a@example.com","event":"open","sg_event_id":"FOTFFO0ecsBE-zxFXfs6WA==","timestamp":1513299570}]\r\n'
    )

    def signed(self, body: bytes, credentials: Mapping[str, str], at: datetime) -> Delivery:
        sent_at = str(int(at.timestamp()))
        signature = OURS.sign(sent_at.encode() + body, ec.ECDSA(SHA256()))
        signature_header, time_header = self.headers
        headers = {signature_header: base64.b64encode(signature).decode(), time_header: sent_at}
        return Delivery("POST", ADDRESS, headers, body)

    def test_events_keep_their_ids_and_times(self) -> None:
        bounce, opened = self.receive(self.genuine()).events
        assert (bounce.id, bounce.kind, opened.kind) == ("6g4ZI7SA-xmRDv57GoPIPw==", "bounce", "open")
        assert bounce.at is not None
        assert bounce.at.timestamp() == 1513299569

    @pytest.mark.parametrize("key", ["nonsense", "bm9uc2Vuc2U=", base64.b64encode(b"\x30\x03").decode()])
    def test_a_key_that_is_none_takes_nothing(self, key: str) -> None:
        assert self.refused(self.genuine(), {**self.credentials, "webhook_public_key": key})

    def test_the_example_of_sendgrids_own_library_is_taken(self) -> None:
        event = {
            "email": "hello@world.com",
            "event": "dropped",
            "reason": "Bounced Address",
            "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",
            "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
            "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>",
            "timestamp": 1600112492,
        }
        body = (json.dumps([event], sort_keys=True, separators=(",", ":")) + "\r\n").encode()
        public = (
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVp"
            "iglSI8eNEc6wEA3F+g=="
        )
        signature = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
        delivery = Delivery("POST", ADDRESS, dict(zip(self.headers, (signature, "1600112502"), strict=True)), body, NOW)
        credentials = {"webhook_public_key": public}
        taken = provider("sendgrid").clean_credentials({"api_key": KEY, **credentials})
        assert taken["webhook_public_key"] == public
        assert not self.refused(delivery, credentials)
        assert self.refused(replace(delivery, body=body.replace(b"dropped", b"deliver")), credentials)
