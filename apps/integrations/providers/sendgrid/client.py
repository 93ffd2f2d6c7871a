"""Calls to SendGrid. Contacts are written in the background there: an answer of 202 says that it will be done."""

from __future__ import annotations

import re
from typing import Any

from apps.integrations.contracts.email_marketing import Subscriber, Subscription
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import Missing, Refused
from apps.integrations.providers.escaping import segment

_LIST_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_GROUP_ID = r"[0-9]{1,12}"


class Suppressed(Refused):
    """The person unsubscribed from everything: SendGrid keeps every mail of marketing from them."""

    code = "suppressed"
    todo = "If the person asks for mails again, take them off the global unsubscribes at SendGrid."


class Client(ProviderClient):
    """SendGrid with one API key.

    An audience is a list (its UUID), or, to leave, a group of unsubscribes (its number). Without one, people are
    among all contacts, and leave everything.
    """

    def authentication(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.credentials['api_key']}"}

    def test(self) -> Tested:
        """What the key may do: every key may ask that. SendGrid does not say whose it is."""
        scopes = self.ask_for("GET", "scopes", holds="scopes")["scopes"]
        return Tested(facts={"scopes": len(scopes) if isinstance(scopes, list) else 0})

    def subscribe(self, subscriber: Subscriber, *, audience: str = "") -> Subscription:
        """Put the person among the contacts, and on the list. Raises Suppressed for one who left everything."""
        if subscriber.tags:
            raise Refused("SendGrid: contacts have no tags. Leave them out, or name a list.")
        lists = [self._list(audience)] if audience else []
        found = self.ask_for("GET", f"asm/suppressions/global/{segment(subscriber.email)}")
        if found.get("recipient_email"):
            raise Suppressed("SendGrid: the person unsubscribed from everything.")
        first, last = subscriber.first_and_last_name
        contact = {"email": subscriber.email, "first_name": first, "last_name": last}
        body: dict[str, Any] = {"contacts": [{name: value for name, value in contact.items() if value}]}
        if lists:
            body["list_ids"] = lists
        answer = self.ask_for("PUT", "marketing/contacts", json=body)
        return Subscription(
            email=subscriber.email, state="subscribed", audience=audience, id=str(answer.get("job_id", ""))
        )

    def unsubscribe(self, email: str, *, audience: str = "") -> Subscription:
        """Take the person off the list, or keep mails of the group, or of every kind, from them."""
        if re.fullmatch(_GROUP_ID, audience) or not audience:
            path = f"asm/groups/{audience}/suppressions" if audience else "asm/suppressions/global"
            self.ask_for("POST", path, repeatable=True, json={"recipient_emails": [email]})
            return Subscription(email=email, state="unsubscribed", audience=audience)
        list_id = self._list(audience)
        contact = self._find(email)
        if contact is None or list_id not in (contact.get("list_ids") or []):
            return Subscription(email=email, state="unknown", audience=audience)
        contact_id = str(contact.get("id", ""))
        self.ask("DELETE", f"marketing/lists/{list_id}/contacts", params={"contact_ids": contact_id})
        return Subscription(email=email, state="unsubscribed", audience=audience, id=contact_id)

    def read_error(self, body: Any) -> tuple[str, str]:
        """SendGrid's list of what is wrong."""
        faults = body.get("errors") if isinstance(body, dict) else None
        if not isinstance(faults, list):
            return super().read_error(body)
        words = [
            f"{fault.get('field') or ''} {fault.get('message') or ''}".strip()
            for fault in faults
            if isinstance(fault, dict)
        ]
        return "", " ".join(words)

    def _find(self, email: str) -> dict[str, Any] | None:
        try:
            answer = self.ask_for(
                "POST", "marketing/contacts/search/emails", repeatable=True, json={"emails": [email.lower()]}
            )
        except Missing:
            return None
        found = (answer.get("result") or {}).get(email.lower()) or {}
        contact = found.get("contact")
        return contact if isinstance(contact, dict) else None

    def _list(self, audience: str) -> str:
        if not re.fullmatch(_LIST_ID, audience):
            raise Refused("SendGrid: a list is named by its ID, a UUID.")
        return audience
