"""Connections of the demo accounts. Their credentials are made up: no service knows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.demo.cast import Company
from apps.accounts.models import Account
from apps.integrations.demo.usage import add_usage
from apps.integrations.models import Integration, IntegrationFailure
from apps.integrations.providers import providers
from apps.integrations.services.connections import connect

Status = Integration.Status


@dataclass(frozen=True)
class Failure:
    """Why a connection does not work: for how many minutes, and how often it was tried in them."""

    message: str
    todo: str
    code: str
    job: str
    minutes: int
    times: int


@dataclass(frozen=True)
class Made:
    """One connection. ``used`` and ``tested`` are minutes ago."""

    provider: str
    credentials: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    enabled: bool = True
    condition: str = Status.CONNECTED
    identity: str = ""
    used: int | None = None
    tested: int | None = None
    failure: Failure | None = None


def _made_up(length: int, ending: str) -> str:
    """Looks like a secret in the masks of the pages, and is none."""
    return ("demo0" * length)[: length - len(ending)] + ending


_TOKEN = "d" * 28 + "71ce"
_TWILIO = Failure(
    message="Twilio: Authenticate",
    todo="Enter a new credential.",
    code="credential_refused",
    job="communication.send_message",
    minutes=95,
    times=12,
)

HARBOUR = (
    Made(
        "anthropic",
        {"api_key": f"sk-ant-api03-{_made_up(40, 'x4Kd')}"},
        identity="Harbour & Pine",
        used=2,
        tested=60 * 26,
        failure=Failure(
            message="Anthropic: Overloaded",
            todo="Nothing: it is tried again.",
            code="unavailable",
            job="ai.chat",
            minutes=60 * 24 * 3,
            times=54,
        ),
    ),
    Made(
        "openai", {"api_key": f"sk-proj-{_made_up(40, '9fQ2')}"}, enabled=False, used=60 * 24 * 38, tested=60 * 24 * 60
    ),
    Made(
        "stripe",
        {"secret_key": f"sk_test_{_made_up(40, 'u7Lm')}", "publishable_key": f"pk_test_{_made_up(20, 'q1Zs')}"},
        {"currency": "gbp"},
        identity="test mode",
        used=41,
        tested=60 * 5,
    ),
    Made(
        "twilio",
        {"account_sid": f"AC{'0' * 28}a1b2", "auth_token": _TOKEN},
        {"from_number": "+442079460142"},
        condition=Status.EXPIRED,
        identity="Harbour & Pine",
        used=3,
        tested=60 * 24 * 9,
        failure=_TWILIO,
    ),
    Made("google_maps", {"api_key": f"AIza{_made_up(35, 'Pmw8')}"}, used=60 * 3, tested=60 * 24 * 2),
    Made("hubspot", {}, condition=Status.NOT_CONFIGURED),
    Made(
        "salesforce",
        {"client_id": "3MVG9.harbour-pine.demo", "client_secret": _made_up(32, "c0Re")},
        condition=Status.REAUTH_REQUIRED,
        identity="maya@harbour-pine.example",
        used=60 * 24 * 3,
        tested=60 * 24 * 20,
        failure=Failure(
            message="Salesforce takes the grant no more: expired access/refresh token",
            todo="Connect it again: the service asks for your consent anew.",
            code="reauth_required",
            job="crm.upsert_contact",
            minutes=60 * 24 * 3,
            times=3,
        ),
    ),
    Made(
        "mailchimp",
        {"api_key": f"{_made_up(28, 'b2Yt')}-us21", "server_prefix": "us21"},
        {"default_list_id": "8f2c1d90ab"},
        identity="Harbour & Pine Lettings",
        used=60 * 24,
        tested=60 * 24 * 4,
    ),
)
ACME = (
    Made(
        "stripe",
        {"secret_key": f"sk_test_{_made_up(40, 'Ie22')}"},
        {"currency": "eur"},
        identity="test mode",
        used=12,
        tested=60 * 2,
    ),
    Made(
        "stripe",
        {"secret_key": f"sk_test_{_made_up(40, 'Us07')}"},
        {"currency": "usd"},
        name="United States",
        identity="test mode",
        used=60 * 20,
        tested=60 * 30,
    ),
    Made("slack", {"bot_token": f"xoxb-{_made_up(36, 'k8Vv')}"}, identity="acme-cloud", used=18, tested=60 * 24),
    Made("sendgrid", {"api_key": f"SG.{_made_up(40, 'hh3E')}"}),
)
CONNECTIONS = {"harbour-pine": HARBOUR, "acme-cloud": ACME}


def add_connections(account: Account, company: Company, actor: Actor, **_: Any) -> None:
    """Connect what the company would use, of the providers there are (in the account's scope)."""
    for made in CONNECTIONS.get(company.slug, ()):
        if made.provider in providers():
            add_usage(_add(made, actor))


def _add(made: Made, actor: Actor) -> Integration:
    now = timezone.now()
    row = connect(
        actor=actor,
        category=providers()[made.provider].category,
        provider_name=made.provider,
        credentials=made.credentials,
        settings=made.settings,
        name=made.name,
        enabled=made.enabled,
    )
    row.condition, row.identity = made.condition, made.identity
    row.last_used_at = now - timedelta(minutes=made.used) if made.used is not None else None
    row.last_tested_at = now - timedelta(minutes=made.tested) if made.tested is not None else None
    if made.failure is not None and made.condition != Status.CONNECTED:
        row.last_error_at = row.last_used_at or now
        row.last_error_message, row.last_error_todo = made.failure.message, made.failure.todo
    row.save()
    if made.failure is not None:
        IntegrationFailure.objects.create(
            integration=row,
            first_at=now - timedelta(minutes=made.failure.minutes),
            at=row.last_error_at or now - timedelta(minutes=made.failure.minutes - 14),
            times=made.failure.times,
            job=made.failure.job,
            who="Lettings enquiry, workflow",
            code=made.failure.code,
            message=made.failure.message,
        )
    return row
