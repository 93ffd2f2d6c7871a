"""What a connection was used for and how it stands, on its page, through the API and as a file."""

from __future__ import annotations

import csv
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.models import DailyUsage
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration, IntegrationFailure
from apps.integrations.providers.errors import CredentialRefused, Refused
from apps.integrations.services.connections import connect
from apps.integrations.services.outcomes import record_error
from apps.integrations.usage import SOURCE
from apps.vault.tokens import Grant, store
from tests.accounts.pages.conftest import signed_in
from tests.api_client import ApiClient, by_key
from tests.factories import Cast

pytestmark = [pytest.mark.django_db]
ACTOR = Actor.system("tests")


@pytest.fixture
def row(cast: Cast) -> Integration:
    with tenant(cast.account):
        return connect(
            actor=ACTOR,
            category="payment",
            provider_name="stripe",
            credentials={"secret_key": "sk_test_4eC39HqLyjWDarjtT1zdp7dcwxyz"},
        )


@pytest.fixture
def api(cast: Cast) -> ApiClient:
    return by_key(cast.account, Role.ADMIN)


@pytest.fixture
def admin(cast: Cast) -> Client:
    return signed_in(cast.members[Role.ADMIN])


def used(cast: Cast, row: Integration, ago: int = 0, **values: Any) -> None:
    day = timezone.now().astimezone(UTC).date() - timedelta(days=ago)
    with tenant(cast.account):
        DailyUsage.objects.create(
            **{"day": day, "source": SOURCE, "subject": row.id, "unit": "calls", "quantity": 1, **values}
        )


@pytest.mark.covers("I-10", "X-03")
def test_usage_counts_calls_errors_time_and_cost_by_day(api: ApiClient, cast: Cast, row: Integration) -> None:
    used(cast, row, calls=40, errors=1, duration_ms=8000)
    used(cast, row, unit="messages", quantity=39, cost=Decimal("1.56"))
    used(cast, row, ago=3, calls=10, duration_ms=1000)
    used(cast, row, ago=40, calls=999, duration_ms=1)
    found = api.get(f"integrations/{row.id}/usage").json
    assert len(found["days"]) == 30
    assert found["total"] == {"calls": 50, "errors": 1, "average_ms": 180, "cost": "1.5600000000", "unpriced": 0}
    today, before = found["days"][-1], found["days"][-4]
    assert (today["calls"], today["average_ms"], before["calls"], before["cost"]) == (40, 200, 10, "0.0000000000")
    assert api.get(f"integrations/{row.id}/usage?days=90").json["total"]["calls"] == 1049
    assert api.get(f"integrations/{row.id}/usage?days=91").status == 400


def test_a_cost_that_nobody_knows_is_no_number(api: ApiClient, admin: Client, cast: Cast, row: Integration) -> None:
    used(cast, row, calls=4, unpriced=4, duration_ms=100)
    assert api.get(f"integrations/{row.id}/usage").json["total"]["cost"] is None
    assert "Unknown" in admin.get(f"/app/{cast.account.slug}/integrations/{row.id}/").content.decode()


def test_use_of_another_connection_is_not_counted(api: ApiClient, cast: Cast, row: Integration) -> None:
    used(cast, row, subject=None, calls=7)
    used(cast, row, source="workflows", calls=7)
    assert api.get(f"integrations/{row.id}/usage").json["total"]["calls"] == 0


def test_the_page_shows_figures_and_charts_and_hands_them_out_as_a_file(
    admin: Client, cast: Cast, row: Integration
) -> None:
    address = f"/app/{cast.account.slug}/integrations/{row.id}/"
    assert "data-chart" not in admin.get(address).content.decode(), "nothing to draw yet"
    used(cast, row, calls=1200, errors=3, duration_ms=1_800_000, cost=Decimal("2.5"))
    page = admin.get(address).content.decode()
    for words in ("1,200", "0.25 %", "1.5 s", "$2.50", 'data-source="usage-calls"', 'data-source="usage-cost"'):
        assert words in page
    rows = list(csv.DictReader(admin.get(f"{address}usage.csv?days=7").content.decode().splitlines()))
    assert len(rows) == 7 and rows[-1]["calls"] == "1200" and rows[0]["calls"] == "0"


@pytest.mark.covers("I-09", "V-04")
def test_health_tells_when_a_grant_is_renewed_and_when_it_ends(api: ApiClient, admin: Client, cast: Cast) -> None:
    application = {"client_id": "client", "client_secret": "the-client-secret"}
    with tenant(cast.account):
        row = connect(actor=ACTOR, category="crm", provider_name="hubspot", credentials=application)
    now = timezone.now()
    ends = now + timedelta(hours=2)
    grant = Grant("access-secret", "refresh-secret", granted_at=now, expires_at=ends, scopes=("contacts.read",))
    with tenant(cast.account):
        store(f"integration:{row.id}", grant, actor=ACTOR)
    found = api.get(f"integrations/{row.id}/health")
    assert found.json["scopes"] == ["contacts.read"]
    assert found.json["expires_at"].startswith(ends.strftime("%Y-%m-%dT%H:%M"))
    assert found.json["next_refresh_at"].startswith((ends - timedelta(minutes=15)).strftime("%Y-%m-%dT%H:%M"))
    page = admin.get(f"/app/{cast.account.slug}/integrations/{row.id}/").content
    assert b"Next renewal" in page
    assert all(secret not in page + found.content for secret in (b"access-secret", b"refresh-secret"))


@pytest.mark.covers("I-09")
def test_health_says_what_is_wrong_and_the_one_thing_to_do(
    api: ApiClient, admin: Client, cast: Cast, row: Integration
) -> None:
    with tenant(cast.account):
        record_error(row.id, CredentialRefused("Stripe: Invalid API Key"), job="payment.get_payment", who="Ann")
    found = api.get(f"integrations/{row.id}/health").json
    assert found["error"]["message"] == "Stripe: Invalid API Key"
    assert found["todo"] == "Enter a new credential."
    (failure,) = found["recent_errors"]
    assert (failure["code"], failure["job"], failure["who"]) == ("credential_refused", "payment.get_payment", "Ann")
    assert "Invalid API Key" in admin.get(f"/app/{cast.account.slug}/integrations/{row.id}/").content.decode()


def test_the_same_failure_is_counted_and_only_the_latest_twenty_are_kept(cast: Cast, row: Integration) -> None:
    with tenant(cast.account):
        for _ in range(3):
            record_error(row.id, Refused("Stripe: No such price"), job="payment.create_checkout")
        assert IntegrationFailure.objects.get().times == 3
        assert Integration.objects.get(pk=row.pk).status == "connected", "the request was wrong, not the connection"
        start = timezone.now()
        for number in range(30):
            with time_machine.travel(start + timedelta(hours=number + 1), tick=False):
                record_error(row.id, CredentialRefused(f"Failure {number}"))
        kept = list(IntegrationFailure.objects.order_by("-at").values_list("message", flat=True))
    assert kept == [f"Failure {number}" for number in range(29, 9, -1)]
