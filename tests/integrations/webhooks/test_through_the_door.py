"""Deliveries of services through the door: as each signs them, over HTTP, into the account's events."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client

from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import ReceivedEvent
from apps.integrations.providers import provider
from apps.integrations.webhooks.address import delivery_address
from tests.factories import Cast
from tests.integrations.webhooks.conftest import connected

pytestmark = [pytest.mark.django_db, pytest.mark.covers("I-09")]
BASE = "https://strongroom.example"


def kinds(cast: Cast) -> list[str]:
    with tenant(cast.account):
        return sorted(event.kind for event in ReceivedEvent.objects.all())


@pytest.mark.parametrize(
    ("name", "case", "content_type", "expected"),
    [
        ("slack", "TestSlackWebhook", "application/json", ["app_mention"]),
        ("twilio", "TestTwilioWebhook", "application/x-www-form-urlencoded", ["message.received"]),
        ("sendgrid", "TestSendGridWebhook", "application/json", ["bounce", "open"]),
        ("mailerlite", "TestMailerLiteWebhook", "application/json", ["subscriber.created"]),
        ("whatsapp", "TestWhatsAppWebhook", "application/json", ["message.delivered", "message.received"]),
    ],
)
def test_what_a_service_signed_is_kept_once(
    cast: Cast, settings: LazySettings, name: str, case: str, content_type: str, expected: list[str]
) -> None:
    settings.BASE_URL = BASE
    signing = getattr(import_module(f"tests.integrations.providers.test_{name}"), case)()
    row = connected(cast.account, name, provider(name).category, signing.credentials)
    signed_address = {"url": delivery_address(row.pk)} if "url" in inspect.signature(signing.signed).parameters else {}
    delivery = signing.signed(signing.body, signing.credentials, datetime.now(UTC), **signed_address)
    service, place = Client(enforce_csrf_checks=True), urlsplit(delivery_address(row.pk)).path

    def post(body: bytes) -> Any:
        headers = {key: value for key, value in delivery.headers.items() if key != "content-type"}
        return service.post(place, body, content_type=content_type, headers=headers)

    assert [post(delivery.body).status_code for _ in range(2)] == [200, 200]
    assert kinds(cast) == expected
    assert post(delivery.body.replace(b"e", b"f", 1)).status_code == 400


def test_mailchimp_is_known_by_the_secret_in_its_address(cast: Cast) -> None:
    credentials = {
        "api_key": "0123456789abcdef0123456789abcdef-us21",
        "server_prefix": "us21",
        "webhook_secret": "a-long-secret-of-our-own",
    }
    row = connected(cast.account, "mailchimp", "email_marketing", credentials)
    place = urlsplit(delivery_address(row.pk)).path
    mailchimp = Client(enforce_csrf_checks=True)
    assert mailchimp.get(f"{place}?secret=a-long-secret-of-our-own").status_code == 200
    assert kinds(cast) == []
    form = "type=unsubscribe&fired_at=2026-11-21+12%3A00%3A00&data%5Bemail%5D=a%40example.com"
    for query, status in (
        ("?secret=a-long-secret-of-our-own", 200),
        ("?secret=another-secret-of-ours", 400),
        ("", 400),
    ):
        answer = mailchimp.post(f"{place}{query}", form, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == status
    assert kinds(cast) == ["unsubscribe"]
