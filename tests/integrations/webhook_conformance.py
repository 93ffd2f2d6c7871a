"""What every provider's ``webhook.py`` must refuse: whatever is not, byte for byte, what the service signed, just now.

A test class inherits ``WebhookConformance`` beside its own tests, and says how the service signs a delivery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.integrations.providers import provider
from apps.integrations.providers.webhooks import Delivery, NotGenuine, Received

URL = "https://strongroom.example/hooks/integrations/01890000-0000-7000-8000-000000000001/"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class WebhookConformance:
    """Inherit, fill in, and write ``delivery``."""

    name: ClassVar[str]
    webhook_credentials: ClassVar[Mapping[str, str]]
    webhook_settings: ClassVar[Mapping[str, Any]] = {}
    secret_fields: ClassVar[tuple[str, ...]]
    """The fields without which nothing can be verified."""
    signed_headers: ClassVar[tuple[str, ...]]
    """Headers (lower case) of which no byte may change."""
    body: ClassVar[bytes]
    signs_body: ClassVar[bool] = True
    signs_time: ClassVar[bool] = True

    def delivery(self, body: bytes, at: datetime) -> Delivery:
        """What the service sends at ``at``, signed with the secret of ``webhook_credentials``."""
        raise NotImplementedError

    def receive(self, delivery: Delivery, credentials: Mapping[str, str] | None = None) -> Received:
        module = import_module(f"{provider(self.name).package}.webhook")
        known = self.webhook_credentials if credentials is None else credentials
        found: Received = module.receive(delivery, known, {**provider(self.name).defaults, **self.webhook_settings})
        return found

    def now(self) -> Delivery:
        return replace(self.delivery(self.body, NOW), received_at=NOW)

    def test_a_genuine_delivery_tells_an_event_with_an_id_and_a_kind(self) -> None:
        events = self.receive(self.now()).events
        assert events
        assert all(event.id and event.kind for event in events)
        assert self.receive(self.now()) == self.receive(self.now()), "the same delivery must tell the same events"

    def test_any_flipped_byte_is_refused(self) -> None:
        genuine = self.now()

        @hypothesis_settings(max_examples=60, deadline=None, database=None)
        @given(st.data())
        def flipped(data: st.DataObject) -> None:
            places = [*self.signed_headers, *([""] if self.signs_body else [])]
            place = data.draw(st.sampled_from(places))
            value = bytearray(genuine.headers[place].encode() if place else genuine.body)
            at = data.draw(st.integers(0, len(value) - 1))
            value[at] ^= data.draw(st.sampled_from([1, 2, 4, 8, 16]))
            if place:
                changed = replace(genuine, headers={**genuine.headers, place: value.decode("latin-1")})
            else:
                changed = replace(genuine, body=bytes(value))
            with pytest.raises(NotGenuine):
                self.receive(changed)

        flipped()

    def test_a_delivery_without_a_signature_is_refused(self) -> None:
        for name in self.signed_headers:
            kept = {key: value for key, value in self.now().headers.items() if key != name}
            with pytest.raises(NotGenuine):
                self.receive(replace(self.now(), headers=kept))
            with pytest.raises(NotGenuine):
                self.receive(replace(self.now(), headers={**kept, name: ""}))

    def test_a_delivery_with_a_signature_that_is_not_ascii_is_refused(self) -> None:
        for name in self.signed_headers:
            with pytest.raises(NotGenuine):
                self.receive(replace(self.now(), headers={**self.now().headers, name: "t=1,v1=é\x80☃"}))

    def test_nothing_is_believed_without_a_secret(self) -> None:
        for name in self.secret_fields:
            known = {key: value for key, value in self.webhook_credentials.items() if key != name}
            with pytest.raises(NotGenuine):
                self.receive(self.now(), known)
            with pytest.raises(NotGenuine):
                self.receive(self.now(), {**known, name: self.webhook_credentials[name] + "x"})

    @pytest.mark.parametrize("minutes", [-6, 6])
    def test_a_delivery_from_another_time_is_refused(self, minutes: int) -> None:
        if not self.signs_time:
            return  # the service signs no time: the receiver's memory of event ids stands alone
        with pytest.raises(NotGenuine):
            self.receive(replace(self.now(), received_at=NOW + timedelta(minutes=minutes)))

    def test_a_refusal_says_nothing_of_what_was_sent(self) -> None:
        with pytest.raises(NotGenuine) as refusal:
            self.receive(replace(self.now(), body=b"", headers={**self.now().headers, self.signed_headers[0]: "zebra"}))
        assert "zebra" not in str(refusal.value)
        assert all(value not in str(refusal.value) for value in self.webhook_credentials.values())
