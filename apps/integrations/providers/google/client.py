"""Calls to Gmail."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from email.message import EmailMessage

import orjson

from apps.integrations.contracts.communication import OutgoingMessage, SentMessage
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import ProviderError, QuotaUsedUp, RateLimited

_IDENTITY = "https://openidconnect.googleapis.com"
_KINDS: dict[str, type[ProviderError]] = {
    "rateLimitExceeded": RateLimited,
    "userRateLimitExceeded": RateLimited,
    "dailyLimitExceeded": QuotaUsedUp,
}


class Client(ProviderClient):
    """Gmail with a grant."""

    def test(self) -> Tested:
        """Whose mailbox it is, which the right to send alone does not let Gmail itself say. Raises OutboundError."""
        with self.elsewhere(_IDENTITY, self.authentication()) as http:
            answer = http.call("GET", "v1/userinfo", repeatable=True)
        try:
            return Tested(identity=str(orjson.loads(answer.content)["email"]))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise BadAnswer.about("Gmail", "the answer names no e-mail address") from None

    def send_message(self, message: OutgoingMessage) -> SentMessage:
        """Write an e-mail to the address ``to`` (RFC 5322, as base64url). Raises OutboundError."""
        mail = EmailMessage()
        mail["To"], mail["Subject"] = message.to, str(self.settings["subject"])
        mail.set_content(message.text)
        raw = urlsafe_b64encode(mail.as_bytes()).decode()
        sent = self.ask_for("POST", "gmail/v1/users/me/messages/send", json={"raw": raw})
        return SentMessage(id=str(sent.get("id", "")), progress="sent", to=message.to)

    def read_error(self, body: object) -> tuple[str, str]:
        """``{"error": {"code", "message", "errors": [{"reason"}]}}``."""
        code, words = super().read_error(body)
        error = body.get("error") if isinstance(body, dict) else None
        details = error.get("errors") if isinstance(error, dict) else None
        reason = details[0].get("reason") if isinstance(details, list) and details else None
        return str(reason or code), words

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        return _KINDS.get(code) or super().kind_of(status, code)
