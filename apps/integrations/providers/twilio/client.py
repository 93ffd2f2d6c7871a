"""Calls to Twilio: form-encoded requests, JSON answers."""

from __future__ import annotations

import base64

from apps.integrations.contracts.communication import OutgoingMessage, Progress, SentMessage
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import NotPermitted, ProviderError, QuotaUsedUp, RateLimited, Refused
from apps.integrations.providers.escaping import segment


class Unsubscribed(Refused):
    """The recipient answered STOP."""

    code = "unsubscribed"
    todo = "Only the recipient can undo it, by writing START to the sender's number."


_KINDS: dict[str, type[ProviderError]] = {
    **dict.fromkeys(("10001", "20005", "20006", "90010"), NotPermitted),  # the account is closed or suspended
    **dict.fromkeys(("21408", "21606", "21608", "21612", "21659", "21660"), NotPermitted),  # this sender, there
    **dict.fromkeys(("14107", "20429", "21611"), RateLimited),
    "63038": QuotaUsedUp,
    "21610": Unsubscribed,
}
_PROGRESS: dict[str, Progress] = {
    "sent": "sent",
    **dict.fromkeys(("delivered", "read"), "delivered"),
    **dict.fromkeys(("failed", "undelivered", "canceled"), "failed"),
}


class Client(ProviderClient):
    """Twilio with an account's own token."""

    def authentication(self) -> dict[str, str]:
        pair = f"{self.credentials['account_sid']}:{self.credentials['auth_token']}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def test(self) -> Tested:
        """The account itself: reading it costs nothing. One that is suspended can't send."""
        account = self.ask_for("GET", f"{self._account}.json", holds="sid")
        state = str(account.get("status", ""))
        if state in {"suspended", "closed"}:
            raise NotPermitted(f"Twilio: the account is {state}.")
        return Tested(
            identity=str(account.get("friendly_name", "")), facts={"status": state, "type": account.get("type", "")}
        )

    def send_message(self, message: OutgoingMessage) -> SentMessage:
        """Send a text to a number (E.164)."""
        form = {"To": message.to, **self._sender(), "Body": message.text}
        sent = self.ask_for("POST", f"{self._account}/Messages.json", holds="sid", data=form)
        progress = _PROGRESS.get(str(sent.get("status", "")), "queued")
        return SentMessage(id=str(sent["sid"]), progress=progress, to=str(sent.get("to") or message.to))

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        return _KINDS.get(code) or super().kind_of(status, code)

    @property
    def _account(self) -> str:
        return f"Accounts/{segment(self.credentials['account_sid'])}"

    def _sender(self) -> dict[str, str]:
        if self.settings["messaging_service_sid"]:
            return {"MessagingServiceSid": self.settings["messaging_service_sid"]}
        if self.settings["from_number"]:
            return {"From": self.settings["from_number"]}
        raise Refused("Twilio: no sender is set. Enter a number or a messaging service in the connection's settings.")
