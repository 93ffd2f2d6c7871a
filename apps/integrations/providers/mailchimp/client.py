"""Calls to Mailchimp: one host per data centre, people found by the MD5 of their address."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from apps.integrations.contracts.email_marketing import State, Subscriber, Subscription
from apps.integrations.outbound.errors import BadRequest
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import CredentialRefused, Missing, NotPermitted, ProviderError, Refused
from apps.integrations.providers.escaping import segment
from apps.integrations.providers.mailchimp.definition import SERVER_PREFIX


class InComplianceState(Refused):
    """The person left, bounced or was removed for good: only they can come back."""

    code = "member_in_compliance_state"
    todo = "Turn on double opt-in, so that Mailchimp asks the person, or have them use the audience's sign-up form."


_KINDS: dict[str, type[ProviderError]] = {
    "API Key Invalid": CredentialRefused,
    "API Key Missing": CredentialRefused,
    "User Disabled": NotPermitted,
    "Account Disabled": NotPermitted,
    "Member In Compliance State": InComplianceState,
    "Forgotten Email Not Subscribed": InComplianceState,
}
_STATES: dict[str, State] = {
    "subscribed": "subscribed",
    "pending": "pending",
    **dict.fromkeys(("unsubscribed", "cleaned", "archived", "transactional"), "unsubscribed"),
}


class Client(ProviderClient):
    """Mailchimp with one API key."""

    def own_url(self) -> str:
        prefix = self.credentials["server_prefix"]
        if not re.fullmatch(SERVER_PREFIX, prefix):  # it becomes a part of the host: stored values are judged again
            raise BadRequest("The server prefix can't be part of an address.")
        return f"https://{prefix}.api.mailchimp.com/3.0"

    def authentication(self) -> dict[str, str]:
        pair = base64.b64encode(f"strongroom:{self.credentials['api_key']}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}

    def test(self) -> Tested:
        """The API's root: it answers every key, and says whose account it is."""
        account = self.ask_for("GET", "", holds="account_id", params={"fields": "account_id,account_name,email,role"})
        facts = {name: str(account.get(name, "")) for name in ("account_id", "role")}
        return Tested(identity=str(account.get("account_name", "")), facts=facts)

    def subscribe(self, subscriber: Subscriber, *, audience: str = "") -> Subscription:
        """Put the person on the audience. One who left it is asked again, or put back where Mailchimp allows it."""
        where = self._audience(audience)
        path = f"{where}/members/{_hash(subscriber.email)}"
        wanted = "pending" if self.settings["double_optin"] else "subscribed"
        first, last = subscriber.first_and_last_name
        names = {name: value for name, value in (("FNAME", first), ("LNAME", last)) if value}
        person: dict[str, Any] = {"email_address": subscriber.email, "status_if_new": wanted}
        if names:
            person["merge_fields"] = names
        # Fields that the audience asks of people who fill in a form are not asked of us.
        lenient = {"skip_merge_validation": "true"}
        member = self.ask_for("PUT", path, params=lenient, json=person)
        if _state(member) == "unsubscribed":
            member = self.ask_for("PUT", path, params=lenient, json={**person, "status": wanted})
        if subscriber.tags:
            tags = [{"name": tag, "status": "active"} for tag in subscriber.tags]
            self.ask("POST", f"{path}/tags", repeatable=True, json={"tags": tags})
        return self._subscription(subscriber.email, member, audience)

    def unsubscribe(self, email: str, *, audience: str = "") -> Subscription:
        """Take the person off the audience; they stay in it as one who left. Missing when there is no such audience."""
        where = self._audience(audience)
        try:
            member = self.ask_for(
                "PATCH", f"{where}/members/{_hash(email)}", repeatable=True, json={"status": "unsubscribed"}
            )
        except Missing:
            # The same answer says that there is no such audience, which nobody should take for success.
            self.ask_for("GET", where, params={"fields": "id"})
            return Subscription(email=email, state="unknown", audience=self._list_id(audience))
        return self._subscription(email, member, audience)

    def read_error(self, body: Any) -> tuple[str, str]:
        """Problem details (RFC 7807), with what is wrong of each field."""
        if not isinstance(body, dict) or "title" not in body:
            return super().read_error(body)
        words = [str(body.get("detail") or body["title"])]
        for fault in body.get("errors") or []:
            if isinstance(fault, dict):
                words.append(f"{fault.get('field') or ''} {fault.get('message') or ''}".strip())
        return str(body["title"]), " ".join(words)

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        return _KINDS.get(code, super().kind_of(status, code)) if 400 <= status < 500 else super().kind_of(status, code)

    def _list_id(self, audience: str) -> str:
        found = audience or str(self.settings["default_list_id"])
        if not found:
            raise Refused("Mailchimp: no audience is named. Enter one in the connection's settings.")
        return found

    def _audience(self, audience: str) -> str:
        return f"lists/{segment(self._list_id(audience))}"

    def _subscription(self, email: str, member: dict[str, Any], audience: str) -> Subscription:
        return Subscription(
            email=email, state=_state(member), audience=self._list_id(audience), id=str(member.get("id", ""))
        )


def _state(member: dict[str, Any]) -> State:
    return _STATES.get(str(member.get("status", "")), "unknown")


def _hash(email: str) -> str:
    """What Mailchimp calls the subscriber hash: the MD5 of the address in lower case."""
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()
