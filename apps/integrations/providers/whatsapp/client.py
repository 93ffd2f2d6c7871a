"""Calls to the WhatsApp Cloud API. Its errors go by their codes; the status is often 400 whatever the cause."""

from __future__ import annotations

from typing import Any

from apps.integrations.contracts.communication import OutgoingMessage, SentMessage
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import (
    CredentialRefused,
    Missing,
    NotPermitted,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
    Refused,
    Unavailable,
)
from apps.integrations.providers.escaping import segment


class OutsideWindow(Refused):
    """More than 24 hours since the person last wrote: only a template reaches them."""

    code = "outside_window"
    todo = "Set an approved template in the connection's settings, or wait until the person writes."


class NotReachable(Refused):
    """The number does not take the message: not on WhatsApp, or it opted out."""

    code = "not_reachable"
    todo = "Check the number, or reach the person another way."


# developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
_KINDS: dict[str, type[ProviderError]] = {
    **dict.fromkeys(("0", "190"), CredentialRefused),
    **dict.fromkeys(("3", "10", "131005", "131031", "131045", "130497", "133010", "368"), NotPermitted),
    **dict.fromkeys((str(code) for code in range(200, 300)), NotPermitted),
    **dict.fromkeys(("4", "80007", "130429", "131048", "131056", "133016"), RateLimited),
    **dict.fromkeys(("1", "2", "131000", "131016", "131057", "133004"), Unavailable),
    **dict.fromkeys(("33", "132001"), Missing),
    "131042": QuotaUsedUp,
    "131047": OutsideWindow,
    **dict.fromkeys(("131026", "131030", "131050", "131049"), NotReachable),
}


class Client(ProviderClient):
    """WhatsApp from one phone number."""

    def authentication(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.credentials['access_token']}"}

    def test(self) -> Tested:
        """The phone number: reading it sends nothing and costs nothing."""
        fields = "display_phone_number,verified_name,quality_rating"
        number = self.ask_for("GET", self._number, holds="id", params={"fields": fields})
        identity = f"{number.get('verified_name', '')} {number.get('display_phone_number', '')}".strip()
        return Tested(identity=identity, facts={"quality": str(number.get("quality_rating", ""))})

    def send_message(self, message: OutgoingMessage) -> SentMessage:
        """Send a message to a number (E.164), as a template's variable if the settings name one."""
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": message.to,
            **self._content(message.text),
        }
        answer = self.ask_for("POST", f"{self._number}/messages", json=body)
        try:
            return SentMessage(id=str(answer["messages"][0]["id"]), progress="queued", to=message.to)
        except (KeyError, IndexError, TypeError):
            raise BadAnswer.about("WhatsApp Business", "the answer names no message") from None

    def read_error(self, body: Any) -> tuple[str, str]:
        code, words = super().read_error(body)
        error = body.get("error") if isinstance(body, dict) else None
        if isinstance(error, dict):
            code = str(error.get("code", code))  # 0 is one of them
            data = error.get("error_data")
            if isinstance(data, dict) and data.get("details"):
                words = f"{words}: {data['details']}"
        return code, words

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        return _KINDS.get(code) or super().kind_of(status, code)

    @property
    def _number(self) -> str:
        return segment(self.credentials["phone_number_id"])

    def _content(self, text: str) -> dict[str, Any]:
        name = self.settings["template_name"]
        if not name:
            return {"type": "text", "text": {"preview_url": False, "body": text}}
        # Variables of templates may hold no line breaks, tabs or rows of spaces.
        variable = {"type": "text", "text": " ".join(text.split())}
        template = {
            "name": name,
            "language": {"code": self.settings["template_language"]},
            "components": [{"type": "body", "parameters": [variable]}],
        }
        return {"type": "template", "template": template}
