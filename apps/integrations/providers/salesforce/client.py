"""Calls to Salesforce's REST API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.integrations.contracts.crm import CrmContact, Person
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.outbound.http import Answer
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import (
    CredentialRefused,
    Missing,
    NotPermitted,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
    Refused,
)
from apps.integrations.providers.escaping import segment
from apps.integrations.providers.salesforce.hosts import instance
from apps.integrations.providers.salesforce.soql import literal

_KINDS: dict[str, type[ProviderError]] = {
    "INVALID_SESSION_ID": CredentialRefused,
    "INVALID_AUTH_HEADER": CredentialRefused,
    "Bad_OAuth_Token": CredentialRefused,
    "Missing_OAuth_Token": CredentialRefused,
    "REQUEST_LIMIT_EXCEEDED": QuotaUsedUp,  # the calls of 24 hours, with status 403
    "STORAGE_LIMIT_EXCEEDED": QuotaUsedUp,
    "API_DISABLED_FOR_ORG": NotPermitted,
    "API_CURRENTLY_DISABLED": NotPermitted,
    "INSUFFICIENT_ACCESS_OR_READONLY": NotPermitted,
    "INSUFFICIENT_ACCESS": NotPermitted,
    "INVALID_FIELD_FOR_INSERT_UPDATE": NotPermitted,
    "UNABLE_TO_LOCK_ROW": RateLimited,
}
_WORDS = {"Bad_OAuth_Token", "Missing_OAuth_Token"}


class Duplicate(Refused):
    """A duplicate rule of the organisation found the person: somebody else made them meanwhile."""

    code = "duplicate"


class Client(ProviderClient):
    """Salesforce with a grant."""

    def own_url(self) -> str:
        return f"{instance(self.settings)}/services"

    @property
    def _data(self) -> str:
        return f"data/v{self.settings['api_version']}"

    def test(self) -> Tested:
        """Who the grant is of. Raises OutboundError."""
        user = self.ask_for("GET", "oauth2/userinfo", holds="organization_id")
        who = str(user.get("preferred_username") or user.get("email") or "")
        return Tested(identity=who, facts={"organization_id": user.get("organization_id", "")})

    def upsert_contact(self, person: Person) -> CrmContact:
        """By e-mail address. Empty values leave what is there. Raises OutboundError.

        The person is looked for, and then changed or made; with an external ID field in a call that makes nobody twice.
        A contact's company is a reference to an Account, by its id: ``company`` is not written.
        """
        field = self.settings["external_id_field"]
        if field:
            return self._by_external_id(field, person)
        known = self.find_contact(email=person.email)
        if known is None:
            try:
                return self._made(person)
            except Duplicate:  # another call was quicker, and the organisation minds
                known = self.find_contact(email=person.email)
                if known is None:
                    raise
        return self._changed(known.id, person, _record(person))

    def _by_external_id(self, field: str, person: Person) -> CrmContact:
        """By the field, which who is known by the address alone is given. New ones have a last name in any case."""
        path = f"{self._data}/sobjects/Contact/{segment(field)}/{segment(person.email)}"
        record = _record(person)
        try:
            found = self.ask_for("GET", path, holds="Id")
            return self._changed(str(found["Id"]), person, record)
        except Missing:
            known = self.find_contact(email=person.email)
        if known is not None:
            return self._changed(known.id, person, {**record, field: person.email})
        record = {"LastName": _stand_in(person), **record}
        body = self.ask_for("PATCH", path, json=record, params={"updateOnly": "false"}, repeatable=True)
        return self._contact(str(body["id"]), person, created=bool(body.get("created")))

    def _changed(self, contact_id: str, person: Person, record: Mapping[str, str]) -> CrmContact:
        self.ask("PATCH", f"{self._data}/sobjects/Contact/{segment(contact_id)}", json=record, repeatable=True)
        return self._contact(contact_id, person, created=False)

    def _made(self, person: Person) -> CrmContact:
        record = {"LastName": _stand_in(person), **_record(person)}
        body = self.ask_for("POST", f"{self._data}/sobjects/Contact", json=record)
        if not body.get("success", True):
            raise BadAnswer.about("Salesforce", "the contact was not made")
        return self._contact(str(body["id"]), person, created=True)

    def find_contact(self, *, email: str) -> CrmContact | None:
        """The oldest contact with the address. Raises OutboundError."""
        query = (
            f"SELECT Id, Name, Email, Phone FROM Contact WHERE Email = {literal(email)} "  # noqa: S608 - escaped SOQL
            "ORDER BY CreatedDate LIMIT 1"
        )
        records = self.ask_for("GET", f"{self._data}/query", params={"q": query}).get("records")
        if not records:
            return None
        found: Mapping[str, Any] = records[0]
        return CrmContact(
            id=found["Id"],
            email=found.get("Email") or "",
            name=found.get("Name") or "",
            phone=found.get("Phone") or "",
            url=self._page(found["Id"]),
        )

    def _contact(self, contact_id: str, person: Person, *, created: bool) -> CrmContact:
        return CrmContact(
            id=contact_id,
            email=person.email,
            name=person.name.strip(),
            phone=person.phone,
            url=self._page(contact_id),
            created=created,
        )

    def _page(self, contact_id: str) -> str:
        return f"{instance(self.settings)}/lightning/r/Contact/{contact_id}/view"

    def error_in(self, answer: Answer) -> tuple[str, str]:
        """As of any client; who the grant is of is refused in one bare word, with status 403."""
        word = answer.content.strip().decode("ascii", "replace")
        return (word, "The session is not valid.") if word in _WORDS else super().error_in(answer)

    def read_error(self, body: Any) -> tuple[str, str]:
        """``[{"errorCode", "message", "fields"}]``; signing in answers as OAuth does."""
        if not isinstance(body, list):
            return super().read_error(body)
        errors = [error for error in body if isinstance(error, dict)]
        if not errors:
            return "", ""
        return str(errors[0].get("errorCode") or ""), "; ".join(str(error.get("message") or "") for error in errors)

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        if status == 300:  # several records have this external ID
            return Refused
        if code in {"DUPLICATES_DETECTED", "DUPLICATE_VALUE"}:
            return Duplicate
        if code == "NOT_FOUND":
            return Missing
        return _KINDS.get(code) or super().kind_of(status, code)


def _record(person: Person) -> dict[str, str]:
    first, last = person.first_and_last_name
    own = {"Email": person.email, "FirstName": first, "LastName": last, "Phone": person.phone}
    return {**person.attributes, **{name: value for name, value in own.items() if value}}


def _stand_in(person: Person) -> str:
    """Salesforce wants a last name of everybody who is made."""
    return person.email.partition("@")[0]
