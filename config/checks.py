"""Settings that contradict each other, found by `manage.py check` and before every command."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.http.request import validate_host

from config import database, environment


@register(Tags.database)
def roles_differ(**_: Any) -> list[CheckMessage]:
    """The role that serves must not be the one that owns the tables."""
    if not environment.is_set("MIGRATION_DATABASE_URL"):
        return []
    app, owner = database.from_url(settings.DATABASE_URL), database.from_url(settings.MIGRATION_DATABASE_URL)
    if app["USER"] != owner["USER"]:
        return []
    return [
        Error(
            f"DATABASE_URL and MIGRATION_DATABASE_URL both use the role {app['USER']}.",
            hint="A role that owns tables can switch their row security off. Let one role migrate and another serve.",
            id="config.E001",
        )
    ]


@register(Tags.urls)
def own_address_is_served(**_: Any) -> list[CheckMessage]:
    """Links in mails lead to BASE_URL: it must be answered, and a sign-in there must be kept."""
    address = urlsplit(settings.BASE_URL)
    faults: list[CheckMessage] = []
    if address.scheme not in {"http", "https"} or not address.hostname:
        faults.append(Error(f"BASE_URL must begin with https://, it is {settings.BASE_URL!r}.", id="config.E002"))
    elif not validate_host(address.hostname, settings.ALLOWED_HOSTS):
        faults.append(Error(f"ALLOWED_HOSTS does not name {address.hostname}, the host of BASE_URL.", id="config.E003"))
    if address.scheme == "http" and settings.SESSION_COOKIE_SECURE:
        faults.append(
            Error("BASE_URL is http:// but cookies are for https:// alone: nobody could sign in.", id="config.E004")
        )
    return faults


@register(Tags.security, deploy=True)
def proxy_is_known(**_: Any) -> list[CheckMessage]:
    """Who ends TLS in a proxy must say so, or every request is sent in circles."""
    if settings.SECURE_SSL_REDIRECT and settings.SECURE_PROXY_SSL_HEADER is None:
        return [
            Warning(
                "Requests are redirected to https://, and no proxy is trusted to say that they came that way.",
                hint="Set TRUSTED_PROXIES to the number of your proxies, or SECURE_SSL_REDIRECT=0.",
                id="config.W001",
            )
        ]
    return []
