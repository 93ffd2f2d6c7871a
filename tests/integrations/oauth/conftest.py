"""A certified OpenID provider in the place of Salesforce, and a connection that waits for consent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings
from pytest_httpserver import HTTPServer

from apps.accounts.actors import Actor
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration
from apps.integrations.outbound.breaker import close_all
from apps.integrations.services import connections
from tests.factories import Cast
from tests.integrations.oauth.zoho import Zoho
from tests.stand_ins.oidc import CLIENT_ID, CLIENT_SECRET, OpenIdProvider, openid_provider


@pytest.fixture(scope="package")
def certified() -> Iterator[OpenIdProvider]:
    with openid_provider(f"{django_settings.BASE_URL}/integrations/oauth/callback/") as running:
        yield running


def live_at(settings: LazySettings, provider: OpenIdProvider) -> None:
    """Salesforce is where ``provider`` runs."""
    close_all()
    settings.OAUTH_ORIGINS = {"salesforce": provider.origin}
    settings.PROVIDER_URLS = {"salesforce": f"{provider.origin}/services"}
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]


@pytest.fixture
def service(certified: OpenIdProvider, settings: LazySettings) -> OpenIdProvider:
    live_at(settings, certified)
    return certified


OWN = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def connection_of(cast: Cast, application: dict[str, str]) -> Integration:
    """A connection of Alice's account that is not connected yet."""
    with tenant(cast.account):
        return connections.connect(
            actor=Actor.system("tests"), category="crm", provider_name="salesforce", credentials=application
        )


@pytest.fixture
def row(cast: Cast) -> Integration:
    return connection_of(cast, OWN)


@pytest.fixture
def zoho(httpserver: HTTPServer, settings: LazySettings) -> Zoho:
    close_all()
    settings.PROVIDER_URLS = {"zoho": httpserver.url_for("/crm/v8")}
    settings.OAUTH_ORIGINS = {"zoho": httpserver.url_for("")}
    settings.OUTBOUND_ALLOW = ["localhost", "127.0.0.1"]
    return Zoho(httpserver)
