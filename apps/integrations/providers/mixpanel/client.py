"""Calls to Mixpanel's /import, which says of every event whether it was taken, and counts an ``$insert_id`` once."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from apps.integrations.contracts.analytics import TrackedEvent
from apps.integrations.outbound.errors import BadRequest
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import ProviderError, Refused
from apps.integrations.providers.mixpanel.definition import HOSTS

_STRICT = {"strict": "1"}
_INSERT_ID = r"[A-Za-z0-9-]{1,36}"


class NotTaken(Refused):
    """Mixpanel looked at the event and found something wrong with it."""

    code = "not_taken"


class Client(ProviderClient):
    """One project of Mixpanel."""

    def own_url(self) -> str:
        host = HOSTS.get(str(self.settings["region"]))
        if host is None:
            raise BadRequest("There is no such region.")
        return host

    def authentication(self) -> dict[str, str]:
        pair = base64.b64encode(f"{self.credentials['project_token']}:".encode()).decode()
        return {"Authorization": f"Basic {pair}"}

    def test(self) -> Tested:
        """Offers an event that lacks what every event must have: a known token is told so, an unknown one is refused.

        Nothing is stored. Mixpanel has no call that only looks at a token, and does not say whose it is.
        """
        event = {"event": "Connection test", "properties": {}}
        try:
            self.ask_for("POST", "import", repeatable=True, params=_STRICT, json=[event])
        except NotTaken:
            return Tested(facts={"region": self.settings["region"]})
        raise Refused("Mixpanel took an event that it should not have.")

    def track(self, event: TrackedEvent) -> None:
        """Send the event; sent again it still counts once."""
        properties = {
            **{str(name): value for name, value in event.properties.items()},
            "time": int(event.at.timestamp() * 1000),
            "distinct_id": event.subject,
            "$insert_id": insert_id(event.id),
        }
        body = [{"event": event.name, "properties": properties}]
        self.ask_for("POST", "import", repeatable=True, params=_STRICT, json=body)

    def read_error(self, body: Any) -> tuple[str, str]:
        """Mixpanel's words, with what is wrong of the event."""
        faults = body.get("failed_records") if isinstance(body, dict) else None
        if not isinstance(faults, list) or not faults:
            return super().read_error(body)
        words = [str(fault.get("message", "")) for fault in faults if isinstance(fault, dict)]
        return NotTaken.code, " ".join(words)

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        return NotTaken if (status, code) == (400, NotTaken.code) else super().kind_of(status, code)


def insert_id(event_id: str) -> str:
    """The id as Mixpanel takes it: at most 36 letters, digits and dashes, else the beginning of its digest."""
    if re.fullmatch(_INSERT_ID, event_id):
        return event_id
    return hashlib.sha256(event_id.encode()).hexdigest()[:36]
