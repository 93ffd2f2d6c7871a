"""Zoho CRM."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from apps.integrations.contracts.crm import Person
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.providers import provider
from apps.integrations.providers.errors import CredentialRefused, NotPermitted, QuotaUsedUp, RateLimited, Refused
from apps.integrations.providers.oauth import OneToken
from apps.integrations.providers.webhooks import Delivery
from apps.integrations.providers.zoho.data_centres import CENTRES, accounts_host
from tests.integrations.conformance import Conformance
from tests.integrations.webhook_battery import ADDRESS, SignedWebhook

pytestmark = pytest.mark.covers("I-04", "I-05", "I-10")

ADA = Person(email="ada@example.com", name="Ada Lovelace", phone="+442071234567", company="Engines Ltd")


class TestZoho(Conformance):
    name = "zoho"
    credentials = {
        "client_id": "1000.ABCDEFGHIJ",
        "client_secret": "0123456789abcdef0123",
        "refresh_token": "1000.3ee1cf2d.refresh",
    }
    asks = ("GET", "/users")
    identity = "patricia@example.com"

    def test_a_person_is_written_in_one_call_by_e_mail_address(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, (201, self.answer("upserted")))
        with self.client() as client:
            contact = client.upsert_contact(ADA)
        (request,) = self.asked(httpserver)
        assert (request.method, request.path) == ("POST", "/crm/v8/Contacts/upsert")
        assert request.headers["Authorization"] == f"Zoho-oauthtoken {self.access_token}"
        assert request.get_json() == {
            "data": [
                {
                    "Email": "ada@example.com",
                    "First_Name": "Ada",
                    "Last_Name": "Lovelace",
                    "Phone": "+442071234567",
                }
            ],
            "duplicate_check_fields": ["Email"],
        }
        assert (contact.id, contact.name, contact.created) == ("4150868000003194003", "Ada Lovelace", True)

    def test_a_person_who_is_there_is_not_made_twice(self, httpserver: HTTPServer) -> None:
        told = self.answer("upserted")
        told["data"][0] |= {"action": "update", "duplicate_field": "Email", "message": "record updated"}
        self.script(httpserver, told)
        with self.client() as client:
            assert client.upsert_contact(ADA).created is False

    def test_a_person_without_a_name_who_is_there_keeps_theirs(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("found"), self.answer("upserted"))
        with self.client() as client:
            contact = client.upsert_contact(Person(email="ada@example.com", phone="+4420"))
        searched, written = self.asked(httpserver)
        assert searched.method == "GET"
        assert (written.method, written.path) == ("PUT", "/crm/v8/Contacts/2")
        assert written.get_json() == {"data": [{"Email": "ada@example.com", "Phone": "+4420"}]}
        assert contact.created is False

    def test_a_new_person_without_a_name_is_called_by_the_address(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, Response(status=204), self.answer("upserted"))
        with self.client() as client:
            client.upsert_contact(Person(email="ada@example.com"))
        assert self.asked(httpserver)[1].get_json()["data"] == [{"Email": "ada@example.com", "Last_Name": "ada"}]

    def test_a_refusal_in_an_answer_that_says_accepted_is_a_refusal(self, httpserver: HTTPServer) -> None:
        refused = {
            "code": "INVALID_DATA",
            "details": {"api_name": "Phone", "expected_data_type": "phone"},
            "message": "invalid data",
            "status": "error",
        }
        self.script(httpserver, (202, {"data": [refused]}))
        with self.client() as client, pytest.raises(Refused, match=r"invalid data \(Phone\)"):
            client.upsert_contact(ADA)

    def test_of_several_found_the_one_with_the_address_as_its_first_is_taken(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("found"))
        with self.client() as client:
            contact = client.find_contact(email="ada@example.com")
        (request,) = self.asked(httpserver)
        assert request.path == "/crm/v8/Contacts/search"
        assert request.args.to_dict() == {"email": "ada@example.com", "fields": "Email,First_Name,Last_Name,Phone"}
        assert contact is not None
        assert (contact.id, contact.name, contact.created) == ("2", "Ada Lovelace", None)

    def test_nobody_is_no_error(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, Response(status=204))
        with self.client() as client:
            assert client.find_contact(email="nobody@example.com") is None

    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (401, "INVALID_TOKEN", CredentialRefused),
            (401, "OAUTH_SCOPE_MISMATCH", NotPermitted),
            (403, "NO_PERMISSION", NotPermitted),
            (429, "TOO_MANY_REQUESTS", RateLimited),
            (400, "LIMIT_EXCEEDED", QuotaUsedUp),
            (400, "MANDATORY_NOT_FOUND", Refused),
        ],
    )
    def test_its_own_codes_are_understood(
        self, httpserver: HTTPServer, status: int, code: str, kind: type[OutboundError]
    ) -> None:
        self.script(httpserver, (status, {"code": code, "details": {}, "message": "no", "status": "error"}))
        with self.client() as client, pytest.raises(OutboundError) as error:
            client.upsert_contact(ADA)
        assert type(error.value) is kind


@pytest.mark.parametrize("host", CENTRES)
def test_calls_go_to_the_data_centre_of_the_settings(host: str, settings: object) -> None:
    settings.PROVIDER_URLS = {}  # type: ignore[attr-defined]
    definition = provider("zoho")
    chosen = definition.clean_settings({"api_domain": host})
    with definition.client_class(definition, {}, chosen, source=OneToken("a-token")) as client:
        assert client.base_url() == f"{host}/crm/v8"
    assert accounts_host(chosen, {}) == CENTRES[host][1]


def test_zoho_may_name_its_own_servers_and_no_others(settings: object) -> None:
    settings.PROVIDER_URLS = {}  # type: ignore[attr-defined]
    assert accounts_host({}, {"accounts-server": "https://accounts.zoho.in"}) == "https://accounts.zoho.in"
    assert accounts_host({}, {"accounts-server": "https://evil.example"}) == "https://accounts.zoho.com"
    definition = provider("zoho")
    source = OneToken("a-token", {"api_domain": "https://www.zohoapis.com.evil.example"})
    with definition.client_class(definition, {}, {}, source=source) as client:
        assert client.base_url() == "https://www.zohoapis.com/crm/v8"


class TestZohoWebhook(SignedWebhook):
    name = "zoho"
    credentials = {"webhook_token": "Ver1fy-the-sender"}
    secret = "webhook_token"
    headers = ()
    body = orjson.dumps(
        {
            "server_time": 1795262400000,
            "query_params": {},
            "module": "Contacts",
            "resource_uri": "https://www.zohoapis.com/crm/v8/Contacts",
            "ids": ["4150868000003194003"],
            "affected_fields": [],
            "operation": "insert",
            "channel_id": "1000000068001",
            "token": "Ver1fy-the-sender",
        }
    )

    def signed(self, body: bytes, credentials: Mapping[str, str], at: datetime) -> Delivery:
        if credentials != self.credentials:
            body = body.replace(b"Ver1fy-the-sender", credentials.get("webhook_token", "").encode())
        return Delivery("POST", ADDRESS, {"content-type": "application/json"}, body)

    def meaning(self, body: bytes) -> object:
        """Zoho signs nothing; what it documents is the token, of which every bit counts."""
        try:
            return orjson.loads(body).get("token")
        except (orjson.JSONDecodeError, AttributeError):
            return None

    def test_the_verdict_takes_constant_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hmac, "compare_digest", lambda a, b: False)
        assert self.refused(self.genuine())

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"token": 7}', b'{"token": null}', b"\xff"])
    def test_what_holds_no_token_is_refused(self, body: bytes) -> None:
        assert self.refused(replace(self.genuine(), body=body))

    def test_the_event_does_not_carry_the_token(self) -> None:
        (event,) = self.receive(self.genuine()).events
        assert event.kind == "Contacts.insert"
        assert event.at == datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        assert "token" not in event.payload
