"""Calls to HubSpot's CRM API, version 3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.integrations.contracts.crm import CrmContact, Person
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import (
    CredentialRefused,
    Missing,
    NotPermitted,
    ProviderError,
    QuotaUsedUp,
    Refused,
)
from apps.integrations.providers.escaping import segment

_READ = "email,firstname,lastname,phone"
_KINDS: dict[str, type[ProviderError]] = {
    "INVALID_AUTHENTICATION": CredentialRefused,
    "EXPIRED_AUTHENTICATION": CredentialRefused,
    "MISSING_SCOPES": NotPermitted,
    "DAILY": QuotaUsedUp,
}


class Client(ProviderClient):
    """HubSpot with the token of a private app, or with a grant."""

    def authentication(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.credentials.get('api_key') or self.access_token()}"}

    def test(self) -> Tested:
        """Whose account the token is for. Raises OutboundError; Refused for another than the settings name."""
        details = self.ask_for("GET", "account-info/v3/details")
        portal, wanted = str(details.get("portalId", "")), str(self.settings["portal_id"])
        if wanted and portal != wanted:
            raise Refused(f"HubSpot: the token belongs to hub {portal}, and the settings say {wanted}.")
        return Tested(identity=f"Hub {portal}", facts={"portal_id": portal, "domain": details.get("uiDomain", "")})

    def upsert_contact(self, person: Person) -> CrmContact:
        """By e-mail address, in one call that HubSpot keeps whole. Empty values leave what is there.

        Raises OutboundError.
        """
        first, last = person.first_and_last_name
        own = {
            "email": person.email,
            "firstname": first,
            "lastname": last,
            "phone": person.phone,
            "company": person.company,
        }
        properties = {**person.attributes, **{name: value for name, value in own.items() if value}}
        entry = {"idProperty": "email", "id": person.email, "properties": properties}
        body = self.ask_for("POST", "crm/v3/objects/contacts/batch/upsert", json={"inputs": [entry]}, repeatable=True)
        if body.get("errors"):  # 207: taken as a whole, refused in part
            raise Refused(f"HubSpot: {self.without_secrets(str(body['errors'][0].get('message', 'refused')))}")
        results = body.get("results")
        if not isinstance(results, list) or len(results) != 1:
            raise BadAnswer.about("HubSpot", "the answer names no contact")
        return self._contact(results[0], created=bool(results[0].get("new")))

    def find_contact(self, *, email: str) -> CrmContact | None:
        """Read by the address itself: a search finds what was written seconds ago only later. Raises OutboundError."""
        params = {"idProperty": "email", "properties": _READ}
        try:
            found = self.ask_for("GET", f"crm/v3/objects/contacts/{segment(email)}", params=params)
        except Missing:
            return None
        return self._contact(found)

    def _contact(self, found: Mapping[str, Any], *, created: bool | None = None) -> CrmContact:
        properties: Mapping[str, Any] = found.get("properties") or {}
        portal = self.settings["portal_id"]
        return CrmContact(
            id=str(found["id"]),
            email=properties.get("email") or "",
            name=" ".join(filter(None, (properties.get("firstname"), properties.get("lastname")))),
            phone=properties.get("phone") or "",
            url=f"https://app.hubspot.com/contacts/{portal}/record/0-1/{found['id']}" if portal else "",
            created=created,
        )

    def read_error(self, body: Any) -> tuple[str, str]:
        if not isinstance(body, dict):
            return "", ""
        return str(body.get("policyName") or body.get("category") or ""), str(body.get("message") or "")

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        return _KINDS.get(code) or super().kind_of(status, code)
