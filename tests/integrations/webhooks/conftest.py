"""A connection that services send to, and how they sign."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.test import Client

from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration
from apps.integrations.services.connections import connect
from apps.integrations.webhooks import views
from tests.factories import Cast
from tests.isolation.objects import owner

SECRET = "whsec_of_this_test"


def connected(account: Account, provider: str, category: str, credentials: dict[str, str]) -> Integration:
    with tenant(account):
        return connect(actor=owner(account), category=category, provider_name=provider, credentials=credentials)


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals are answered at once; the test of the wait sets it itself."""
    monkeypatch.setattr(views, "REFUSAL_SECONDS", 0.0)


@pytest.fixture
def stripe(cast: Cast) -> Integration:
    return connected(
        cast.account, "stripe", "payment", {"secret_key": "sk_test_4eC39HqLyjWDarjtT1zdp7dc", "webhook_secret": SECRET}
    )


def address(integration_id: Any) -> str:
    return f"/hooks/integrations/{integration_id}/"


def stripe_event(event_id: str = "evt_1", **more: Any) -> bytes:
    event = {"id": event_id, "object": "event", "type": "charge.succeeded", "created": 1795262400, **more}
    return orjson.dumps(event)


def stripe_headers(body: bytes, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    moment = str(int(time.time() if at is None else at))
    signature = hmac.new(secret.encode(), moment.encode() + b"." + body, "sha256").hexdigest()
    return {"Stripe-Signature": f"t={moment},v1={signature}"}


Send = Callable[..., Any]


@pytest.fixture
def send() -> Send:
    """A service sends ``body``, signed as Stripe does it; checks for forged forms are on, as for everybody."""
    outside = Client(enforce_csrf_checks=True)

    def send(where: Integration | Any, body: bytes | None = None, **options: Any) -> Any:
        content = stripe_event() if body is None else body
        headers = options.pop("headers", None) or stripe_headers(content)
        place = address(getattr(where, "pk", where))
        return outside.post(place, content, content_type="application/json", headers=headers, **options)

    return send
