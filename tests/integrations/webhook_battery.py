"""What every verified webhook must do: take what the service signed, and nothing that differs by a single bit.

A provider's test inherits ``SignedWebhook`` and says how the service signs. Every bit of the body and of each header
that counts is turned once; deliveries of random bytes are tried too.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
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

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_HEADER = st.binary(max_size=80).map(lambda value: value.decode("latin-1"))
_NONSENSE = [b"", b"[]", b"{}", b"null", b"[1]", b'{"entry": 1}', b'{"events": [1]}', b'{"entry": [{"changes": [0]}]}']
_FEW = hypothesis_settings(max_examples=40, deadline=None)
ADDRESS = "https://strongroom.example/webhooks/4f1a/?of=a&b=c%20d"


class SignedWebhook:
    """Inherit as ``class TestSlackWebhook(SignedWebhook)`` and fill in the class variables and ``signed``."""

    name: ClassVar[str]
    credentials: ClassVar[Mapping[str, str]]
    secret: ClassVar[str]
    """The credential that deliveries are verified with."""
    body: ClassVar[bytes]
    headers: ClassVar[tuple[str, ...]]
    """Those that make a delivery genuine: a single turned bit in one of them refuses it."""
    other_secret: ClassVar[str] = "00000000000000000000000000000000"
    window: ClassVar[timedelta | None] = None
    """How far the signed time may be from now, where the service documents that."""
    keyed: ClassVar[bool] = True
    """Whether both sides hold one secret, so that digests are compared; else a public key verifies."""

    def signed(self, body: bytes, credentials: Mapping[str, str], at: datetime) -> Delivery:
        """A delivery as the service sends it."""
        raise NotImplementedError

    def meaning(self, body: bytes) -> Any:
        """What of the body is signed, where that is not its bytes."""
        return body

    def genuine(self, *, at: datetime = NOW) -> Delivery:
        return replace(self.signed(self.body, self.credentials, at), received_at=NOW)

    def receive(self, delivery: Delivery, credentials: Mapping[str, str] | None = None) -> Received:
        definition = provider(self.name)
        module = import_module(f"{definition.package}.webhook")
        given_credentials = self.credentials if credentials is None else credentials
        received: Received = module.receive(delivery, given_credentials, definition.defaults)
        return received

    def refused(self, delivery: Delivery, credentials: Mapping[str, str] | None = None) -> bool:
        try:
            self.receive(delivery, credentials)
        except NotGenuine:
            return True
        return False

    def test_what_the_service_signed_is_taken(self) -> None:
        received = self.receive(self.genuine())
        assert received.events
        assert all(event.id and event.kind for event in received.events)
        assert len({event.id for event in received.events}) == len(received.events)

    def test_the_same_delivery_has_the_same_ids(self) -> None:
        first, second = self.receive(self.genuine()), self.receive(self.genuine())
        assert [event.id for event in first.events] == [event.id for event in second.events]

    def test_any_turned_bit_of_the_body_is_refused(self) -> None:
        delivery = self.genuine()
        meant = self.meaning(delivery.body)
        taken = [
            body
            for body in _turned(delivery.body)
            if self.meaning(body) != meant and not self.refused(replace(delivery, body=body))
        ]
        assert taken == []

    def test_any_turned_bit_of_a_header_is_refused(self) -> None:
        delivery = self.genuine()
        taken = []
        for name in self.headers:
            for value in _turned(delivery.headers[name].encode()):
                headers = {**delivery.headers, name: value.decode("latin-1")}
                if not self.refused(replace(delivery, headers=headers)):
                    taken.append((name, value))
        assert taken == []

    def test_a_missing_header_is_refused(self) -> None:
        delivery = self.genuine()
        for name in self.headers:
            assert self.refused(replace(delivery, headers={k: v for k, v in delivery.headers.items() if k != name}))
            assert self.refused(replace(delivery, headers={**delivery.headers, name: ""}))

    def test_a_signature_by_another_secret_is_refused(self) -> None:
        assert self.refused(self.genuine(), {**self.credentials, self.secret: self.other_secret})

    def test_without_a_secret_nothing_is_taken(self) -> None:
        nobodys = {**self.credentials, self.secret: ""}
        assert self.refused(self.genuine(), nobodys)
        assert self.refused(self.genuine(), {})
        if self.keyed:
            assert self.refused(replace(self.signed(self.body, nobodys, NOW), received_at=NOW), nobodys)

    def test_what_was_overheard_is_refused_later(self) -> None:
        if self.window is None:
            later = replace(self.genuine(), received_at=NOW + timedelta(days=30))
            assert not self.refused(later), "The service documents no window: its repeats would be lost."
            return
        inside, outside = self.window - timedelta(seconds=1), self.window + timedelta(seconds=1)
        for way in (1, -1):
            assert not self.refused(self.genuine(at=NOW + way * inside))
            assert self.refused(self.genuine(at=NOW + way * outside))

    def test_the_verdict_takes_constant_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is that of ``hmac.compare_digest``, and of nothing that ends early."""
        if not self.keyed:
            return
        wrong = {name: "0" * len(value) for name, value in self.genuine().headers.items() if name in self.headers[:1]}
        forged = replace(self.genuine(), headers={**self.genuine().headers, **wrong})
        assert self.refused(forged)
        monkeypatch.setattr(hmac, "compare_digest", lambda a, b: True)
        assert not self.refused(forged)
        monkeypatch.setattr(hmac, "compare_digest", lambda a, b: False)
        assert self.refused(self.genuine())

    # Hypothesis keeps one property apart from the other by its function, so an inherited one is made per class.

    def test_random_deliveries_are_refused_and_nothing_worse(self) -> None:
        @_FEW
        @given(body=st.binary(max_size=200), values=st.lists(_HEADER, min_size=3, max_size=3))
        def refused(body: bytes, values: list[str]) -> None:
            headers = dict(zip(self.headers, values, strict=False))
            assert self.refused(Delivery("POST", ADDRESS, headers, body, NOW))

        refused()

    def test_signed_nonsense_is_refused_or_holds_no_event(self) -> None:
        @_FEW
        @given(body=st.one_of(st.binary(max_size=60), st.sampled_from(_NONSENSE)))
        def harmless(body: bytes) -> None:
            delivery = replace(self.signed(body, self.credentials, NOW), received_at=NOW)
            try:
                received = self.receive(delivery)
            except NotGenuine:
                return
            assert all(event.id for event in received.events)

        harmless()


def _turned(value: bytes) -> Iterator[bytes]:
    """``value`` with each of its bits turned once."""
    for place in range(len(value)):
        for bit in range(8):
            yield value[:place] + bytes([value[place] ^ (1 << bit)]) + value[place + 1 :]
