"""What outside services send: believed by signature alone, kept once, handed on until taken."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Account
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import current_account_id, tenant
from apps.integrations.models import Integration, ReceivedEvent
from apps.integrations.providers import provider, providers
from apps.integrations.services.connections import switch
from apps.integrations.signals import provider_event_received
from apps.integrations.webhooks import handing_on, refusals, retention, views
from apps.integrations.webhooks.address import delivery_address
from apps.vault.models import AuditEntry
from tests.api_client import by_key
from tests.factories import Cast
from tests.integrations.webhooks.conftest import Send, address, connected, stripe_event, stripe_headers
from tests.isolation.objects import owner
from tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.covers("I-09")]


def events(cast: Cast) -> list[ReceivedEvent]:
    with tenant(cast.account):
        return list(ReceivedEvent.objects.order_by("created_at", "id"))


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """What floors above were told, and in whose scope."""
    heard: list[Any] = []

    def hear(sender: Any, *, integration: Integration, event: ReceivedEvent, **_: Any) -> None:
        heard.append((integration.pk, event.kind, event.payload["id"], current_account_id()))

    provider_event_received.connect(hear)
    yield heard
    provider_event_received.disconnect(hear)


class TestAGenuineDelivery:
    def test_is_answered_at_once_and_kept(self, cast: Cast, stripe: Integration, send: Send) -> None:
        answer = send(stripe)
        assert (answer.status_code, answer.content) == (200, b"")
        (event,) = events(cast)
        assert (event.kind, event.integration_id, event.handed_on_at) == ("charge.succeeded", stripe.pk, None)
        assert event.occurred_at == datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def test_its_payload_is_encrypted_in_the_database(self, cast: Cast, stripe: Integration, send: Send) -> None:
        send(stripe, stripe_event(customer_email="ada@example.com"))
        (event,) = events(cast)
        with tenant(cast.account):
            assert event.payload["customer_email"] == "ada@example.com"
            with connection.cursor() as cursor:
                cursor.execute("SELECT row_to_json(e)::text, payload FROM integrations_receivedevent e")
                ((text, sealed),) = cursor.fetchall()
        assert b"ada@" not in bytes(sealed)
        assert "ada@" not in text
        assert "evt_1" not in text

    def test_is_kept_once_however_often_it_is_sent(self, cast: Cast, stripe: Integration, send: Send) -> None:
        assert [send(stripe).status_code for _ in range(3)] == [200, 200, 200]
        assert len(events(cast)) == 1
        send(stripe, stripe_event("evt_2"))
        assert len(events(cast)) == 2

    def test_of_one_account_is_seen_by_no_other(self, cast: Cast, stripe: Integration, send: Send) -> None:
        send(stripe)
        with tenant(cast.stranger_account):
            assert not ReceivedEvent.objects.exists()

    def test_the_same_event_of_another_connection_is_another(self, cast: Cast, stripe: Integration, send: Send) -> None:
        theirs = connected(
            cast.stranger_account,
            "stripe",
            "payment",
            {"secret_key": "sk_test_4eC39HqLyjWDarjtT1zdp7dc", "webhook_secret": "whsec_of_this_test"},
        )
        assert [send(stripe).status_code, send(theirs).status_code] == [200, 200]
        assert len(events(cast)) == 1
        with tenant(cast.stranger_account):
            assert ReceivedEvent.objects.count() == 1

    def test_goes_with_its_connection(self, cast: Cast, stripe: Integration, send: Send) -> None:
        send(stripe)
        with tenant(cast.account):
            stripe.delete()
        assert events(cast) == []


@pytest.mark.django_db(transaction=True)
def test_the_same_delivery_ten_times_at_once_is_kept_once(cast: Cast, stripe: Integration, send: Send) -> None:
    body = stripe_event()
    headers = stripe_headers(body)
    answers = at_once(*[lambda: send(stripe, body, headers=headers).status_code] * 10)
    assert answers == [200] * 10
    assert len(events(cast)) == 1


class TestTheAnswerToARefusedDelivery:
    """By bytes, headers and time the same, whatever the reason."""

    @pytest.fixture
    def refused(self, cast: Cast, stripe: Integration, send: Send) -> dict[str, Any]:
        body = stripe_event()
        off = connected(
            cast.stranger_account,
            "stripe",
            "payment",
            {"secret_key": "sk_test_4eC39HqLyjWDarjtT1zdp7dc", "webhook_secret": "whsec_of_this_test"},
        )
        with tenant(cast.stranger_account):
            switch(off, on=False, actor=owner(cast.stranger_account))
        silent = connected(cast.account, "salesforce", "crm", {})
        unready = connected(cast.account, "hubspot", "crm", {"api_key": "pat-eu1-11111111-2222-3333-4444-555555555555"})
        return {
            "nobody": lambda: send(uuid4()),
            "a wrong secret": lambda: send(stripe, headers=stripe_headers(body, "whsec_other")),
            "no signature": lambda: send(stripe, headers={"Accept": "*/*"}),
            "an old one": lambda: send(stripe, headers=stripe_headers(body, at=time.time() - 3600)),
            "not JSON": lambda: send(stripe, b"{"),
            "switched off": lambda: send(off),
            "a service that sends nothing": lambda: send(silent),
            "a connection without a secret": lambda: send(unready),
        }

    def test_does_not_tell_the_reason(self, cast: Cast, refused: dict[str, Any]) -> None:
        answers = {}
        for why, ask in refused.items():
            answer = ask()
            headers = {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}
            answers[why] = (answer.status_code, answer.content, headers)
        assert all(answer == answers["nobody"] for answer in answers.values()), answers
        assert answers["nobody"][0] == 400
        assert events(cast) == []

    def test_takes_the_same_time(self, refused: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever the work took, the answer waits for the same moment."""
        now, slept, work = [0.0], [], iter(range(1000))
        judge = views.take

        def slowly(*delivery: Any) -> Any:
            now[0] += next(work)
            return judge(*delivery)

        monkeypatch.setattr(views, "REFUSAL_SECONDS", 60.0)
        monkeypatch.setattr(views, "take", slowly)
        monkeypatch.setattr(views, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=slept.append))
        for ask in refused.values():
            ask()
        assert slept == [60.0 - seconds for seconds in range(len(refused))]


class TestLimits:
    def test_a_body_over_a_mebibyte_is_not_read(self, stripe: Integration, send: Send) -> None:
        body = b" " * (views.MAXIMUM_BODY + 1)
        assert send(stripe, body).status_code == 413
        assert send(uuid4(), body).status_code == 413

    def test_a_megabyte_that_is_genuine_is_taken(self, cast: Cast, stripe: Integration, send: Send) -> None:
        body = stripe_event(padding="x" * 1_000_000)
        assert send(stripe, body).status_code == 200

    def test_only_the_methods_that_services_use_are_answered(self, stripe: Integration) -> None:
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
            assert Client().generic(method, address(stripe.pk)).status_code == 405, method

    def test_who_is_refused_too_often_waits_and_others_do_not(
        self, stripe: Integration, send: Send, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(refusals, "REFUSALS", 3)
        for place in (stripe, uuid4()):
            wrong = {"Stripe-Signature": "t=1,v1=0"}
            answers = [send(place, headers=wrong, REMOTE_ADDR="203.0.113.9") for _ in range(4)]
            assert [answer.status_code for answer in answers] == [400, 400, 400, 429]
            assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
        assert send(stripe, REMOTE_ADDR="203.0.113.10").status_code == 200

    def test_more_deliveries_than_any_service_sends_wait(
        self, stripe: Integration, send: Send, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(refusals, "DELIVERIES", 2)
        assert [send(stripe).status_code for _ in range(3)] == [200, 200, 429]


class TestWhoeverAsks:
    def test_a_signed_in_person_gets_nothing_for_it(self, cast: Cast, stripe: Integration) -> None:
        person = Client()
        person.force_login(cast.alice)
        assert person.post(address(stripe.pk), b"{}", content_type="application/json").status_code == 400

    def test_the_host_header_is_not_believed(self, cast: Cast, send: Send, settings: Any) -> None:
        """HubSpot signs the address; who sends must not choose what we take it to be."""
        import base64
        import hashlib
        import hmac

        settings.BASE_URL = "https://strongroom.example"
        settings.ALLOWED_HOSTS = ["*"]
        row = connected(
            cast.account,
            "hubspot",
            "crm",
            {"api_key": "pat-eu1-11111111-2222-3333-4444-555555555555", "client_secret": "a-secret"},
        )
        body, moment = b'[{"eventId": 1, "subscriptionType": "contact.creation"}]', str(int(time.time() * 1000))

        def headers(base: str) -> dict[str, str]:
            text = b"POST" + f"{base}{address(row.pk)}".encode() + body + moment.encode()
            signature = base64.b64encode(hmac.new(b"a-secret", text, hashlib.sha256).digest()).decode()
            return {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": moment}

        elsewhere = headers("https://elsewhere.example")
        assert send(row, body, headers={**elsewhere, "Host": "elsewhere.example"}).status_code == 400
        assert send(row, body, headers=headers("https://strongroom.example")).status_code == 200
        assert delivery_address(row.pk) == f"https://strongroom.example{address(row.pk)}"

    def test_a_first_question_is_answered(self, cast: Cast) -> None:
        """WhatsApp asks for a word back before it sends anything."""
        credentials = {
            "access_token": "EAAG" + "x" * 60,
            "phone_number_id": "106540352242922",
            "app_secret": "0123456789abcdef0123456789abcdef",
            "verify_token": "our-own-word-1",
        }
        row = connected(cast.account, "whatsapp", "communication", credentials)
        question = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "our-own-word-1"}
        answer = Client().get(address(row.pk), question)
        assert (answer.status_code, answer.content) == (200, b"1158201444")
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert Client().get(address(row.pk), {**question, "hub.verify_token": "another"}).status_code == 400


def test_a_fault_in_a_providers_code_is_logged_and_not_shown(
    cast: Cast, stripe: Integration, send: Send, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise KeyError("evt")

    monkeypatch.setattr("apps.integrations.providers.stripe.webhook.receive", broken)
    assert send(stripe).status_code == 400
    assert "KeyError" in caplog.text


@pytest.mark.parametrize("name", [name for name, definition in providers().items() if definition.webhooks])
def test_nonsense_is_refused_by_every_service_and_breaks_nothing(
    cast: Cast, name: str, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    definition = provider(name)
    settings.PROVIDER_URLS = {name: "https://service.invalid"}
    with tenant(cast.account):
        credentials = {field.name: f"{field.name}-0123456789" for field in definition.credentials}
        row = Integration.objects.create(category=definition.category, provider=name, credentials=credentials)
    odd = dict.fromkeys(("Stripe-Signature", "X-Slack-Signature", "Authorization"), "t=\xe9,v1=;;=")
    for body, headers in ((b"", {}), (b'\xff{"token": 1, "events": [1]}', odd)):
        answer = Client().post(address(row.pk), body, content_type="application/json", headers=headers)
        assert answer.status_code == 400
    query = "?secret=%ff&hub.mode=subscribe&hub.verify_token=&hub.challenge=<script>"
    assert Client().get(address(row.pk) + query).status_code == 400
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert events(cast) == []


def test_a_provider_that_is_gone_takes_nothing(cast: Cast, send: Send) -> None:
    with tenant(cast.account):
        row = Integration.objects.create(category="payment", provider="gone", credentials={})
    assert send(row).status_code == 400


class TestRefusalsInTheTrail:
    def recorded(self, cast: Cast) -> list[AuditEntry]:
        with tenant(cast.account):
            return list(AuditEntry.objects.filter(action="integration.delivery_refused"))

    @pytest.fixture
    def at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What a worker does is done within the request."""
        from apps.integrations.tasks import record_refused_delivery

        monkeypatch.setattr(record_refused_delivery, "delay", record_refused_delivery)

    def test_the_first_of_an_hour_is_written_with_its_reason(
        self, cast: Cast, stripe: Integration, send: Send, at_once: None
    ) -> None:
        for _ in range(5):
            send(stripe, headers={"Stripe-Signature": "t=1,v1=zebra"})
        (entry,) = self.recorded(cast)
        assert entry.entity_id == str(stripe.pk)
        with tenant(cast.account):
            assert entry.payload["changes"]["reason"] == "The signature is wrong."

    def test_nothing_is_written_for_what_is_not_there(self, cast: Cast, send: Send, at_once: None) -> None:
        send(uuid4())
        assert self.recorded(cast) == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "evt_9", "type": "a\\u0000b"}',
        b'{"id": "evt_9", "type": "x", "deep": ' + b"[" * 900 + b"]" * 900 + b"}",
    ],
)
def test_what_is_signed_and_can_hardly_be_stored_is_no_fault_of_ours(
    cast: Cast, stripe: Integration, send: Send, body: bytes
) -> None:
    assert send(stripe, body).status_code in {200, 400}
    assert [event.kind for event in events(cast)] in ([], ["ab"], ["x"])


class TestHandingOn:
    def test_a_suspended_accounts_events_wait(
        self, cast: Cast, stripe: Integration, send: Send, told: list[Any]
    ) -> None:
        send(stripe)
        cast.account.status = Account.Status.SUSPENDED
        with tenant(cast.account):
            cast.account.save()
        assert handing_on.sweep() + handing_on.hand_on(cast.account.id) == 0
        cast.account.status = Account.Status.ACTIVE
        with tenant(cast.account):
            cast.account.save()
        assert handing_on.sweep() == 1
        assert len(told) == 1

    def test_floors_above_are_told_once_in_the_accounts_scope(
        self, cast: Cast, stripe: Integration, send: Send, told: list[Any]
    ) -> None:
        send(stripe)
        assert told == []
        assert handing_on.hand_on(cast.account.id) == 1
        assert told == [(stripe.pk, "charge.succeeded", "evt_1", cast.account.id)]
        assert handing_on.hand_on(cast.account.id) == 0
        (event,) = events(cast)
        assert event.handed_on_at is not None
        send(stripe)
        assert handing_on.sweep() == 0, "what was sent twice must be told once"

    def test_a_worker_is_asked_after_commit(
        self,
        stripe: Integration,
        send: Send,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        from apps.integrations.tasks import hand_on_events

        asked: list[str] = []
        monkeypatch.setattr(hand_on_events, "delay", asked.append)
        with django_capture_on_commit_callbacks(execute=True):
            send(stripe)
            assert asked == []
        assert asked == [str(stripe.account_id)]

    def test_one_that_nobody_could_take_is_told_again_later_and_holds_up_no_other(
        self, cast: Cast, stripe: Integration, send: Send, told: list[Any]
    ) -> None:
        def stumble(sender: Any, *, event: ReceivedEvent, **_: Any) -> None:
            event.integration.settings["touched"] = True
            event.integration.save()
            if event.payload["id"] == "evt_1":
                raise RuntimeError("not today")

        send(stripe, stripe_event("evt_1"))
        send(stripe, stripe_event("evt_2"))
        provider_event_received.connect(stumble)
        try:
            handing_on.hand_on(cast.account.id)
        finally:
            provider_event_received.disconnect(stumble)
        first, second = events(cast)
        assert (first.attempts, first.handed_on_at, first.last_error) == (1, None, "RuntimeError")
        assert second.handed_on_at is not None
        assert handing_on.hand_on(cast.account.id) == 0, "its time has not come"
        with tenant(cast.account):
            ReceivedEvent.objects.filter(pk=first.pk).update(next_attempt_at=timezone.now())
        assert handing_on.sweep() == 1
        assert [heard[2] for heard in told].count("evt_1") == 2
        assert events(cast)[0].last_error == ""

    def test_it_is_given_up_after_ten_attempts(self, cast: Cast, stripe: Integration, send: Send) -> None:
        def refuse(sender: Any, **_: Any) -> None:
            raise RuntimeError("never")

        send(stripe)
        provider_event_received.connect(refuse)
        try:
            for _ in range(12):
                with tenant(cast.account):
                    ReceivedEvent.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=timezone.now())
                handing_on.sweep()
        finally:
            provider_event_received.disconnect(refuse)
        (event,) = events(cast)
        assert (event.attempts, event.next_attempt_at, event.handed_on_at) == (10, None, None)


def test_old_payloads_are_emptied_and_very_old_events_removed(cast: Cast, stripe: Integration, send: Send) -> None:
    now = timezone.now()
    for number, age in enumerate((1, 31, 401)):
        send(stripe, stripe_event(f"evt_{number}"))
        with tenant(cast.account):
            newest = ReceivedEvent.objects.order_by("id").last()
            ReceivedEvent.objects.filter(pk=newest.pk).update(created_at=now - timedelta(days=age))
    assert retention.clear_old_events(now=now) == 2
    with tenant(cast.account):
        older, newer = events(cast)
        assert newer.payload["id"] == "evt_0"
        assert older.payload is None
    assert send(stripe, stripe_event("evt_1")).status_code == 200
    assert len(events(cast)) == 2, "an emptied event is still known"


def test_the_last_event_and_the_address_are_shown(cast: Cast, stripe: Integration, send: Send, settings: Any) -> None:
    settings.BASE_URL = "https://strongroom.example"
    api = by_key(cast.account, Role.ADMIN)
    place = f"integrations/{stripe.pk}/health"
    known = {"address": f"https://strongroom.example{address(stripe.pk)}", "last_at": None, "last_kind": ""}
    assert api.get(place).json["events"] == known
    send(stripe)
    told = api.get(place).json["events"]
    assert told["last_kind"] == "charge.succeeded"
    assert told["last_at"]
    page = Client()
    page.force_login(cast.alice)
    shown = page.get(f"/app/{cast.account.slug}/integrations/{stripe.pk}/").content.decode()
    assert known["address"] in shown
    assert "charge.succeeded" in shown
    silent = connected(cast.account, "salesforce", "crm", {})
    assert api.get(f"integrations/{silent.pk}/health").json["events"] is None
