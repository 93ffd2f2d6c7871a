"""As which application we speak to a service: the connection's own, or the platform's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings as django_settings

from apps.integrations.providers import Provider
from apps.integrations.providers.errors import NotSignedIn


class NoApplication(NotSignedIn):
    """Neither the connection nor the platform has an application registered at the service."""

    code = "no_application"
    todo = "Enter client ID and secret of an application of your own, or ask your operator for one."


@dataclass(frozen=True)
class Application:
    """A client of RFC 6749 section 2.3. ``own``: the connection brought it."""

    client_id: str
    client_secret: str = field(repr=False)
    own: bool


def application_for(provider: Provider, credentials: Mapping[str, str], *, own: bool = False) -> Application:
    """The connection's application if it brings one whole, else the platform's. Raises NoApplication.

    ``own``: only the connection's will do. Where an application acts by itself, the platform's would read whatever it
    may, at a server that the account names.
    """
    client_id, secret = credentials.get("client_id", ""), credentials.get("client_secret", "")
    if client_id and secret:
        return Application(client_id, secret, own=True)
    if own:
        raise NoApplication(f"{provider.label}: an application's own grant needs an application of your own.")
    assert provider.oauth is not None
    known: Mapping[str, tuple[str, str]] = django_settings.OAUTH_APPS
    client_id, secret = known.get(provider.oauth.app, ("", ""))
    if not client_id:
        raise NoApplication(f"No application is registered at {provider.label}.")
    return Application(client_id, secret, own=False)


def redirect_uri() -> str:
    """Where services send people back: what an application must be registered with."""
    return f"{django_settings.BASE_URL}/integrations/oauth/callback/"
