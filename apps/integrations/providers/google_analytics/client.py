"""Calls to the Measurement Protocol. It takes its key in the address and answers 204 to whatever it gets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from apps.integrations.contracts.analytics import TrackedEvent
from apps.integrations.outbound.errors import BadAnswer, BadRequest
from apps.integrations.providers.client import ProviderClient, Tested
from apps.integrations.providers.errors import Refused
from apps.integrations.providers.google_analytics.definition import HOSTS
from apps.integrations.providers.google_analytics.payload import OLDEST_HOURS, payload_of


class Client(ProviderClient):
    """One data stream of Google Analytics 4."""

    def own_url(self) -> str:
        host = HOSTS.get(str(self.settings["collection"]))
        if host is None:
            raise BadRequest("There is no such place of collection.")
        return host

    def authentication(self) -> dict[str, str]:
        return {}

    def test(self) -> Tested:
        """Google's validation server: it keeps nothing. It judges the form of an event, not whether the secret is
        the right one; Google offers no call that does.
        """
        event = TrackedEvent(id="test", name="connection_test", subject="strongroom", at=datetime.now(UTC))
        answer = self.ask_for(
            "POST", "debug/mp/collect", repeatable=True, params=self._stream(), json=payload_of(event)
        )
        faults = answer.get("validationMessages")
        if not isinstance(faults, list):
            raise BadAnswer.about("Google Analytics", "the answer is none of its validation server")
        if faults:
            words = [str(fault.get("description", "")) for fault in faults if isinstance(fault, dict)]
            raise Refused(self.without_secrets(f"Google Analytics: {' '.join(words)}"))
        return Tested(facts={"checked": "form"})

    def track(self, event: TrackedEvent) -> None:
        """Send the event. Not repeated: Google counts every event that it gets."""
        if datetime.now(UTC) - event.at > timedelta(hours=OLDEST_HOURS):
            raise Refused(f"Google Analytics takes events of the last {OLDEST_HOURS} hours only.")
        self.ask("POST", "mp/collect", params=self._stream(), json=payload_of(event))

    def _stream(self) -> dict[str, Any]:
        return {"measurement_id": self.credentials["measurement_id"], "api_secret": self.credentials["api_secret"]}
