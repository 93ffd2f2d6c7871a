"""Salesforce."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.integrations.contracts.crm import CrmContact, Person
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.providers import provider
from apps.integrations.providers.definition import BadFields
from apps.integrations.providers.errors import CredentialRefused, Missing, NotPermitted, QuotaUsedUp, Refused
from apps.integrations.providers.oauth import OneToken
from apps.integrations.providers.salesforce.hosts import sign_in_host
from apps.integrations.providers.salesforce.soql import literal
from tests.integrations.conformance import Conformance

pytestmark = pytest.mark.covers("I-04", "I-05", "I-10")

ADA = Person(email="ada@example.com", name="Ada Lovelace", phone="+442071234567", attributes={"Title": "Countess"})
NOBODY = {"totalSize": 0, "done": True, "records": []}
UNKNOWN = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]


class TestSalesforce(Conformance):
    name = "salesforce"
    credentials = {"client_id": "3MVG9.key", "client_secret": "0123456789ABCDEF", "refresh_token": "5Aep861.refresh"}
    settings = {"instance_url": "https://example.my.salesforce.com"}
    asks = ("GET", "/oauth2/userinfo")
    identity = "ada@example.com"

    def test_a_person_is_found_by_a_query(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("found"))
        with self.client() as client:
            contact = client.find_contact(email="o'neil\\@example.com")
        (request,) = self.asked(httpserver)
        assert (request.method, request.path) == ("GET", "/services/data/v62.0/query")
        assert request.headers["Authorization"] == f"Bearer {self.access_token}"
        assert request.args["q"] == (
            "SELECT Id, Name, Email, Phone FROM Contact WHERE Email = 'o\\'neil\\\\@example.com' "
            "ORDER BY CreatedDate LIMIT 1"
        )
        assert contact is not None
        assert (contact.id, contact.name, contact.created) == ("003x000000000001AAA", "Ada Lovelace", None)
        assert contact.url == "https://example.my.salesforce.com/lightning/r/Contact/003x000000000001AAA/view"

    def test_nobody_is_no_error(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, NOBODY)
        with self.client() as client:
            assert client.find_contact(email="nobody@example.com") is None

    def test_a_new_person_is_made_as_documented(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, NOBODY, (201, self.answer("created")))
        with self.client() as client:
            contact = client.upsert_contact(ADA)
        _, made = self.asked(httpserver)
        assert (made.method, made.path) == ("POST", "/services/data/v62.0/sobjects/Contact")
        assert made.get_json() == {
            "Title": "Countess",
            "Email": "ada@example.com",
            "FirstName": "Ada",
            "LastName": "Lovelace",
            "Phone": "+442071234567",
        }
        assert (contact.id, contact.created) == ("003x000000000002AAA", True)

    def test_a_person_who_is_there_is_changed_and_not_made_twice(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, self.answer("found"), Response(status=204))
        with self.client() as client:
            contact = client.upsert_contact(Person(email="ada@example.com", phone="+4420"))
        _, changed = self.asked(httpserver)
        assert changed.method == "PATCH"
        assert changed.path == "/services/data/v62.0/sobjects/Contact/003x000000000001AAA"
        assert changed.get_json() == {"Email": "ada@example.com", "Phone": "+4420"}
        assert (contact.id, contact.created) == ("003x000000000001AAA", False)

    def test_a_person_whom_another_call_made_meanwhile_is_changed(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, NOBODY, (400, self.answer("duplicate")), self.answer("found"), Response(status=204))
        with self.client() as client:
            assert client.upsert_contact(ADA).created is False
        assert [request.method for request in self.asked(httpserver)] == ["GET", "POST", "GET", "PATCH"]

    def test_a_new_person_whose_answer_was_lost_is_not_made_again_blindly(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, NOBODY, (503, []))
        with self.client(attempts=3) as client, pytest.raises(OutboundError):
            client.upsert_contact(ADA)
        assert [request.method for request in self.asked(httpserver)] == ["GET", "POST"]

    def test_a_person_without_a_name_is_called_by_the_address(self, httpserver: HTTPServer) -> None:
        self.script(httpserver, NOBODY, (201, self.answer("created")))
        with self.client() as client:
            client.upsert_contact(Person(email="ada@example.com"))
        assert self.asked(httpserver)[1].get_json() == {"Email": "ada@example.com", "LastName": "ada"}

    def by_external_id(self, httpserver: HTTPServer, person: Person, *answers: Any) -> tuple[CrmContact, list[Request]]:
        self.script(httpserver, *answers)
        settings = {**self.definition.clean_settings(self.settings), "external_id_field": "Email_Key__c"}
        source = OneToken(self.access_token)
        with self.definition.client_class(self.definition, self.credentials, settings, source=source) as client:
            return client.upsert_contact(person), self.asked(httpserver)

    def test_with_an_external_id_a_new_person_is_made_by_it(self, httpserver: HTTPServer) -> None:
        person = Person(email="a/b?c@example.com", name="Ada Lovelace")
        made = (201, self.answer("upserted"))
        contact, asked = self.by_external_id(httpserver, person, (404, UNKNOWN), NOBODY, made)
        assert [request.method for request in asked] == ["GET", "GET", "PATCH"]
        for request in (asked[0], asked[2]):
            assert request.environ["REQUEST_URI"].partition("?")[0] == (
                "/services/data/v62.0/sobjects/Contact/Email_Key__c/a%2Fb%3Fc%40example.com"
            )
        assert (contact.id, contact.created) == ("003x000000000002AAA", True)

    def test_with_an_external_id_a_new_person_has_a_last_name_in_any_case(self, httpserver: HTTPServer) -> None:
        person, made = Person(email="ada@example.com", phone="+4420"), (201, self.answer("upserted"))
        _, asked = self.by_external_id(httpserver, person, (404, UNKNOWN), NOBODY, made)
        assert asked[2].get_json() == {"Email": "ada@example.com", "LastName": "ada", "Phone": "+4420"}

    def test_who_has_the_external_id_keeps_the_last_name(self, httpserver: HTTPServer) -> None:
        known = {"attributes": {"type": "Contact"}, "Id": "003x000000000001AAA", "LastName": "Lovelace"}
        person = Person(email="ada@example.com", phone="+4420")
        contact, asked = self.by_external_id(httpserver, person, known, Response(status=204))
        assert (asked[1].method, asked[1].path) == (
            "PATCH",
            "/services/data/v62.0/sobjects/Contact/003x000000000001AAA",
        )
        assert asked[1].get_json() == {"Email": "ada@example.com", "Phone": "+4420"}
        assert (contact.id, contact.created) == ("003x000000000001AAA", False)

    @pytest.mark.parametrize("name", ["", "Ada Lovelace"])
    def test_who_is_known_by_the_address_alone_gets_the_external_id(self, httpserver: HTTPServer, name: str) -> None:
        """And is not made a second time."""
        person = Person(email="ada@example.com", name=name)
        answers = ((404, UNKNOWN), self.answer("found"), Response(status=204))
        contact, asked = self.by_external_id(httpserver, person, *answers)
        assert (asked[2].method, asked[2].path) == (
            "PATCH",
            "/services/data/v62.0/sobjects/Contact/003x000000000001AAA",
        )
        names = {"FirstName": "Ada", "LastName": "Lovelace"} if name else {}
        assert asked[2].get_json() == {"Email": "ada@example.com", "Email_Key__c": "ada@example.com", **names}
        assert (contact.id, contact.created) == ("003x000000000001AAA", False)

    def test_an_external_id_that_several_have_changes_nobody(self, httpserver: HTTPServer) -> None:
        with pytest.raises(Refused):
            self.by_external_id(httpserver, ADA, (300, ["/services/data/v62.0/sobjects/Contact/003x000000000001AAA"]))
        assert [request.method for request in self.asked(httpserver)] == ["GET"]

    def test_an_application_is_made_where_salesforce_makes_new_ones(self) -> None:
        """Since spring 2026 no new connected apps are made."""
        fields = {entry.name: entry for entry in self.definition.credentials}
        assert "External Client App Manager" in self.definition.key_help
        assert "external client app" in fields["client_id"].help

    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (401, "INVALID_SESSION_ID", CredentialRefused),
            (403, "REQUEST_LIMIT_EXCEEDED", QuotaUsedUp),
            (403, "API_DISABLED_FOR_ORG", NotPermitted),
            (400, "REQUIRED_FIELD_MISSING", Refused),
            (404, "NOT_FOUND", Missing),
        ],
    )
    def test_its_own_codes_are_understood(
        self, httpserver: HTTPServer, status: int, code: str, kind: type[OutboundError]
    ) -> None:
        self.script(httpserver, (status, [{"errorCode": code, "message": "no"}]))
        with self.client() as client, pytest.raises(OutboundError) as error:
            client.find_contact(email="ada@example.com")
        assert type(error.value) is kind

    def test_a_session_that_is_over_is_told_from_a_right_that_is_missing(self, httpserver: HTTPServer) -> None:
        """Both with status 403; one in a bare word."""
        self.script(httpserver, Response("Bad_OAuth_Token", status=403), Response("Wrong_Org", status=403))
        with self.client() as client:
            with pytest.raises(CredentialRefused, match="session"):
                client.test()
            with pytest.raises(NotPermitted):
                client.test()


@given(st.text(max_size=40))
@hypothesis_settings(max_examples=200, deadline=None, database=None)
def test_no_value_ends_its_string_in_a_query(value: str) -> None:
    text = literal(value)
    assert re.fullmatch(r"'(?:[^'\\\n\r]|\\['\"\\nrtbf])*'", text)
    back = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
    assert re.sub(r"\\(.)", lambda found: back.get(found[1], found[1]), text[1:-1]) == value


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example",
        "https://salesforce.com.evil.example",
        "https://evilsalesforce.com",
        "https://evil.example/.my.salesforce.com",
        "https://evil.example?.salesforce.com",
        "https://evil.example#.salesforce.com",
        "https://a.salesforce.com:8443",
        "https://a.salesforce.com/path",
        "http://a.my.salesforce.com",
        "https://user@a.my.salesforce.com",
    ],
)
def test_the_instance_must_be_salesforces(address: str, settings: object) -> None:
    settings.PROVIDER_URLS = {}  # type: ignore[attr-defined]
    definition = provider("salesforce")
    with pytest.raises(BadFields):
        definition.clean_settings({"instance_url": address})
    # And where a grant's answer names it, it is not believed either.
    with definition.client_class(definition, {}, {}, source=OneToken("t", {"instance_url": address})) as client:
        assert client.base_url() == "https://login.salesforce.com/services"


def test_people_sign_in_and_are_called_at_their_own_organisation(settings: object) -> None:
    settings.PROVIDER_URLS = {}  # type: ignore[attr-defined]
    definition = provider("salesforce")
    chosen = definition.clean_settings({"instance_url": "https://acme--test.sandbox.my.salesforce.com/"})
    assert sign_in_host(chosen, {}) == "https://acme--test.sandbox.my.salesforce.com"
    with definition.client_class(definition, {}, chosen, source=OneToken("t")) as client:
        assert client.base_url() == "https://acme--test.sandbox.my.salesforce.com/services"
