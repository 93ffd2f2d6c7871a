"""Calls to Microsoft Graph."""

from __future__ import annotations

from uuid import uuid4

from apps.integrations.contracts.communication import OutgoingMessage, SentMessage
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import NotPermitted, ProviderError, QuotaUsedUp

_KINDS: dict[str, type[ProviderError]] = {
    "ErrorAccessDenied": NotPermitted,
    "ErrorExceededMessageLimit": QuotaUsedUp,
    "ErrorMessageSubmissionBlocked": NotPermitted,
}


class Client(ProviderClient):
    """Outlook with a grant."""

    def test(self) -> Tested:
        """Whose mailbox it is. Raises OutboundError."""
        me = self.ask_for("GET", "me", holds="userPrincipalName", params={"$select": "mail,userPrincipalName"})
        return Tested(identity=str(me.get("mail") or me.get("userPrincipalName") or ""))

    def send_message(self, message: OutgoingMessage) -> SentMessage:
        """Write an e-mail to the address ``to``. Raises OutboundError.

        Graph takes it into the outbox and gives no id of it (202): ours stands in its logs.
        """
        number = str(uuid4())
        mail = {
            "subject": str(self.settings["subject"]),
            "body": {"contentType": "Text", "content": message.text},
            "toRecipients": [{"emailAddress": {"address": message.to}}],
        }
        self.ask("POST", "me/sendMail", json={"message": mail}, headers={"client-request-id": number})
        return SentMessage(id=number, progress="queued", to=message.to)

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        return _KINDS.get(code) or super().kind_of(status, code)
