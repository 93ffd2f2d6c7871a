"""Calls to MailerLite."""

from __future__ import annotations

import re
from typing import Any

from apps.integrations.contracts.email_marketing import State, Subscriber, Subscription
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import Missing, Refused
from apps.integrations.providers.escaping import segment

_STATES: dict[str, State] = {
    "active": "subscribed",
    "unconfirmed": "pending",
    **dict.fromkeys(("unsubscribed", "bounced", "junk"), "unsubscribed"),
}


class Left(Refused):
    """The person left, bounced, or took a mail for junk. MailerLite would take them back without asking them."""

    code = "left"
    todo = "Have the person sign up by a form of MailerLite's, or make them active there."


class Client(ProviderClient):
    """MailerLite with one API token. An audience is a group (its number); without one, all subscribers."""

    def authentication(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.credentials['api_key']}"}

    def test(self) -> Tested:
        """How many subscribers there are. MailerLite does not say whose token it is."""
        return Tested(
            facts={"subscribers": self.ask_for("GET", "subscribers", holds="total", params={"limit": "0"})["total"]}
        )

    def subscribe(self, subscriber: Subscriber, *, audience: str = "") -> Subscription:
        """Make or update the subscriber, in the group. Raises Left for one who left before."""
        if subscriber.tags:
            raise Refused("MailerLite: subscribers have no tags. Leave them out, or name a group.")
        group = self._group(audience)
        first, last = subscriber.first_and_last_name
        fields = {name: value for name, value in (("name", first), ("last_name", last)) if value}
        body: dict[str, Any] = {"email": subscriber.email}
        if fields:
            body["fields"] = fields
        if group:
            body["groups"] = [group]
        # Made or updated by its address: twice is the same as once.
        found = _data(self.ask_for("POST", "subscribers", repeatable=True, json=body))
        subscription = _subscription(subscriber.email, found, group)
        if subscription.state == "unsubscribed":
            raise Left(f"MailerLite: the person is {found.get('status')} there.")
        return subscription

    def unsubscribe(self, email: str, *, audience: str = "") -> Subscription:
        """Take the subscriber out of the group, or off everything when there is none."""
        group = self._group(audience)
        try:
            found = _data(self.ask_for("GET", f"subscribers/{segment(email)}"))
        except Missing:
            return Subscription(email=email, state="unknown", audience=group)
        path = f"subscribers/{segment(str(found.get('id', '')))}"
        if not group:
            left = _data(self.ask_for("PUT", path, json={"status": "unsubscribed"}))
            return _subscription(email, left, group)
        groups = {str(entry.get("id")) for entry in found.get("groups") or [] if isinstance(entry, dict)}
        if group not in groups:
            return Subscription(email=email, state="unknown", audience=group, id=str(found["id"]))
        self.ask("DELETE", f"{path}/groups/{group}")
        return Subscription(email=email, state="unsubscribed", audience=group, id=str(found["id"]))

    def read_error(self, body: Any) -> tuple[str, str]:
        """The message, with what is wrong of each field."""
        code, words = super().read_error(body)
        faults = body.get("errors") if isinstance(body, dict) else None
        if isinstance(faults, dict):
            told = [str(word) for value in faults.values() for word in (value if isinstance(value, list) else [value])]
            words = " ".join([words, *told])
        return code, words

    def _group(self, audience: str) -> str:
        group = audience or str(self.settings["group_id"])
        if group and not re.fullmatch("[0-9]{1,20}", group):
            raise Refused("MailerLite: a group is named by its ID, a number.")
        return group


def _data(answer: dict[str, Any]) -> dict[str, Any]:
    found = answer.get("data")
    if not isinstance(found, dict) or not found.get("id"):
        raise BadAnswer.about("MailerLite", "the answer holds no subscriber")
    return found


def _subscription(email: str, found: dict[str, Any], group: str) -> Subscription:
    state = _STATES.get(str(found.get("status", "")), "unknown")
    return Subscription(email=email, state=state, audience=group, id=str(found["id"]))
