"""HubSpot."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from pytest_httpserver import HTTPServer

from apps.integrations.contracts.crm import CrmContact, Person
from apps.integrations.providers.errors import Missing, NotPermitted, QuotaUsedUp, Refused
from apps.integrations.providers.webhooks import Delivery
from tests.integrations.conformance import Conformance
from tests.integrations.webhook_battery import ADDRESS, NOW, SignedWebhook

pytestmark = pytest.mark.covers("I-04", "I-05", "I-10")

ADA = Person(email="ada@example.com", name="Ada Lovelace", phone="+442071234567", attributes={"jobtitle": "Countess"})


class TestHubSpot(Conformance):
    name = "hubspot"
    credentials = {"api_key": "pat-eu1-11111111-2222-3333-4444-555555555555"}
    settings = {"portal_id": "1234567"}
    asks = ("GET", "/account-info/v3/details")
    identity = "Hub 1234567"

    def test_a_token_of_another_hub_is_told(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, {**self.answer("test"), "portalId": 99})
        with self.client() as client, pytest.raises(Refused, match="belongs to hub 99"):
            client.test()

    def test_a_person_is_written_in_one_call_by_e_mail_address(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("upserted"))
        with self.client() as client:
            contact = client.upsert_contact(ADA)
        (request,) = self.asked(httpserver)
        assert (request.method, request.path) == ("POST", "/crm/v3/objects/contacts/batch/upsert")
        assert request.headers["Authorization"] == f"Bearer {self.credentials['api_key']}"
        assert request.get_json() == {
            "inputs": [
                {
                    "idProperty": "email",
                    "id": "ada@example.com",
                    "properties": {
                        "jobtitle": "Countess",
                        "email": "ada@example.com",
                        "firstname": "Ada",
                        "lastname": "Lovelace",
                        "phone": "+442071234567",
                    },
                }
            ]
        }
        assert contact == CrmContact(
            id="501",
            email="ada@example.com",
            name="Ada Lovelace",
            phone="+442071234567",
            url="https://app.hubspot.com/contacts/1234567/record/0-1/501",
            created=True,
        )

    def test_a_person_who_is_there_is_not_made_twice(self, httpserver: HTTPServer) -> None:
        told = self.answer("upserted")
        told["results"][0]["new"] = False
        self.script(httpserver, told)
        with self.client() as client:
            assert client.upsert_contact(ADA).created is False

    def test_a_write_whose_answer_was_lost_is_repeated(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, (502, {}), self.answer("upserted"))
        with self.client(attempts=2) as client:
            assert client.upsert_contact(ADA).id == "501"

    def test_a_refusal_inside_of_a_taken_batch_is_a_refusal(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, (207, self.answer("partly")))
        with self.client() as client, pytest.raises(Refused, match="Email address"):
            client.upsert_contact(ADA)

    def test_a_person_is_read_by_the_address(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("upserted")["results"][0])
        with self.client() as client:
            contact = client.find_contact(email="ada+x/y@example.com")
        (request,) = self.asked(httpserver)
        assert request.environ["REQUEST_URI"].partition("?")[0] == (
            "/crm/v3/objects/contacts/ada%2Bx%2Fy%40example.com"
        )
        assert request.args.to_dict() == {"idProperty": "email", "properties": "email,firstname,lastname,phone"}
        assert contact is not None
        assert (contact.id, contact.created) == ("501", None)

    def test_nobody_is_no_error(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, (404, {"status": "error", "message": "resource not found"}))
        with self.client() as client:
            assert client.find_contact(email="nobody@example.com") is None

    @pytest.mark.parametrize(
        ("status", "body", "kind"),
        [
            (403, {"category": "MISSING_SCOPES", "message": "scopes"}, NotPermitted),
            (429, {"policyName": "DAILY", "message": "You have reached your daily limit."}, QuotaUsedUp),
            (404, {"category": "OBJECT_NOT_FOUND", "message": "no"}, Missing),
            (400, {"category": "VALIDATION_ERROR", "message": "no"}, Refused),
        ],
    )
    def test_its_own_codes_are_understood(
        self, httpserver: HTTPServer, status: int, body: dict[str, str], kind: type[Exception]
    ) -> None:
        self.script(httpserver, (status, body))
        with self.client() as client, pytest.raises(kind):
            client.upsert_contact(ADA)


class TestHubSpotWebhook(SignedWebhook):
    name = "hubspot"
    credentials = {"api_key": "pat-eu1-1111", "client_secret": "a-client-secret"}
    secret = "client_secret"
    window = timedelta(minutes=5)
    headers = ("x-hubspot-signature-v3", "x-hubspot-request-timestamp")
    body = orjson.dumps(
        [
            {
                "eventId": 100,
                "subscriptionId": 7,
                "portalId": 1234567,
                "occurredAt": 1795262400000,
                "subscriptionType": "contact.creation",
                "attemptNumber": attempt,
                "objectId": person,
            }
            for attempt, person in ((0, 501), (0, 502))
        ]
    )

    def signed(self, body: bytes, credentials: Mapping[str, str], at: datetime) -> Delivery:
        return self.by(ADDRESS, ADDRESS, body, at, credentials.get("client_secret", ""))

    def by(self, url: str, as_signed: str, body: bytes, at: datetime, secret: str = "a-client-secret") -> Delivery:
        time = str(int(at.timestamp() * 1000))
        text = b"POST" + as_signed.encode() + body + time.encode()
        signature = base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()
        headers = {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": time}
        return Delivery("POST", url, headers, body)

    def test_every_event_of_a_batch_is_told_apart_although_their_ids_are_one(self) -> None:
        events = self.receive(self.genuine()).events
        assert [event.kind for event in events] == ["contact.creation"] * 2
        assert len({event.id for event in events}) == 2
        assert events[0].at == datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def test_an_event_sent_again_has_the_same_id(self) -> None:
        again = replace(
            self.by(ADDRESS, ADDRESS, self.body.replace(b'"attemptNumber":0', b'"attemptNumber":1'), NOW),
            received_at=NOW,
        )
        assert [event.id for event in self.receive(again).events] == [
            event.id for event in self.receive(self.genuine()).events
        ]

    def test_the_address_is_signed_with_its_escapes_undone(self) -> None:
        delivery = self.by(f"{ADDRESS}&d=%2Fx%3a", f"{ADDRESS}&d=/x:", self.body, NOW)
        assert self.receive(replace(delivery, received_at=NOW)).events
