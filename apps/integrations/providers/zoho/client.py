"""Calls to Zoho CRM, version 8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.integrations.contracts.crm import CrmContact, Person
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import (
    CredentialRefused,
    NotPermitted,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
)
from apps.integrations.providers.escaping import segment
from apps.integrations.providers.zoho.data_centres import api_host

_READ = "Email,First_Name,Last_Name,Phone"
_KINDS: dict[str, type[ProviderError]] = {
    "INVALID_TOKEN": CredentialRefused,
    "AUTHENTICATION_FAILURE": CredentialRefused,
    "OAUTH_SCOPE_MISMATCH": NotPermitted,  # with status 401
    "NO_PERMISSION": NotPermitted,
    "AUTHORIZATION_FAILED": NotPermitted,
    "TOO_MANY_REQUESTS": RateLimited,
    "LIMIT_EXCEEDED": QuotaUsedUp,
}


class Client(ProviderClient):
    """Zoho CRM with a grant."""

    def own_url(self) -> str:
        return f"{api_host(self.settings)}/crm/v8"

    def authentication(self) -> dict[str, str]:
        return {"Authorization": f"Zoho-oauthtoken {self.access_token()}"}

    def test(self) -> Tested:
        """Who the grant is of (it takes one of the day's API credits, and no money). Raises OutboundError."""
        users = self.ask_for("GET", "users", params={"type": "CurrentUser"}).get("users")
        if not isinstance(users, list) or not users:
            raise BadAnswer.about("Zoho CRM", "the answer names no user")
        return Tested(identity=str(users[0].get("email") or users[0].get("full_name") or ""))

    def upsert_contact(self, person: Person) -> CrmContact:
        """By e-mail address, in one call (Upsert Records). Empty values leave what is there. Raises OutboundError.

        A contact's company is a reference to another module, by its id: ``company`` is not written.
        Zoho wants a last name of everybody. For one whose name is not known, who may be there under their right one,
        the person is looked for first; a new one is called what stands before the @.
        """
        record = _record(person)
        if "Last_Name" not in record:
            known = self.find_contact(email=person.email)
            if known is not None:
                return self._written("PUT", f"Contacts/{segment(known.id)}", record, person)
            record["Last_Name"] = person.email.partition("@")[0]
        return self._written("POST", "Contacts/upsert", record, person)

    def _written(self, method: str, path: str, record: Mapping[str, str], person: Person) -> CrmContact:
        body: dict[str, Any] = {"data": [record]}
        if method == "POST":
            body["duplicate_check_fields"] = ["Email"]
        (result,) = self._results(self.ask_for(method, path, json=body, repeatable=True))
        if result.get("status") != "success":  # refused in an answer that says 200 or 202
            code, words = self.read_error({"data": [result]})
            raise self.kind_of(400, code)(f"Zoho CRM: {self.without_secrets(words)}")
        created = result.get("action") == "insert" if method == "POST" else False
        return CrmContact(
            id=str(result["details"]["id"]),
            email=person.email,
            name=" ".join(filter(None, (record.get("First_Name"), record.get("Last_Name")))),
            phone=person.phone,
            created=created,
        )

    def _results(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        results = body.get("data")
        if not isinstance(results, list) or len(results) != 1:
            raise BadAnswer.about("Zoho CRM", "the answer is not about one contact")
        return results

    def find_contact(self, *, email: str) -> CrmContact | None:
        """By any of the contact's addresses, the one with it as the first preferred. Raises OutboundError.

        Zoho's search learns of what was written within some seconds.
        """
        found = self.ask("GET", "Contacts/search", params={"email": email, "fields": _READ})
        contacts = (found or {}).get("data") or []  # nobody: 204, without a body
        contacts.sort(key=lambda contact: str(contact.get("Email") or "").lower() != email.lower())
        if not contacts:
            return None
        first = contacts[0]
        return CrmContact(
            id=str(first["id"]),
            email=first.get("Email") or "",
            name=" ".join(filter(None, (first.get("First_Name"), first.get("Last_Name")))),
            phone=first.get("Phone") or "",
        )

    def read_error(self, body: Any) -> tuple[str, str]:
        """``{"code", "message", "details"}``, alone or for each record in ``data``."""
        error = body
        if isinstance(body, dict) and isinstance(body.get("data"), list) and body["data"]:
            error = body["data"][0]
        if not isinstance(error, dict):
            return "", ""
        words = str(error.get("message") or "")
        field = (error.get("details") or {}).get("api_name")
        return str(error.get("code") or ""), f"{words} ({field})" if field else words

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        return _KINDS.get(code) or super().kind_of(status, code)


def _record(person: Person) -> dict[str, str]:
    first, last = person.first_and_last_name
    own = {"Email": person.email, "First_Name": first, "Last_Name": last, "Phone": person.phone}
    return {**person.attributes, **{name: value for name, value in own.items() if value}}
