"""Access tokens for the client of a connection, from the token vault, renewed by its rules.

A grant lies under ``integration:{id}``. A refresh token that somebody typed, and the grant of an application itself,
lie under a name of their own each (``integration:{id}:{mark}``): a credential that is only being tried can't touch the
one that serves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError
from django.utils import timezone

from apps.accounts.tenancy.apart import apart
from apps.accounts.tenancy.lock_waits import wait_at_most, waited_too_long
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration
from apps.integrations.oauth.applications import Application, application_for
from apps.integrations.oauth.endpoint import Endpoint
from apps.integrations.oauth.kinds import PREFIX
from apps.integrations.providers import Provider
from apps.integrations.providers.errors import CredentialRefused, NotRenewed, NotSignedIn, SignInAgain
from apps.integrations.providers.oauth import Access
from apps.integrations.selectors import opened_addresses
from apps.vault.models import Token
from apps.vault.tokens import Grant, GrantRefused, NotNow, NoToken, ReauthRequired, adopt, fresh, worked

_CHANGE_WAIT = 5.0
"""Seconds to wait for whoever changes the connection."""


def client_of(
    row: Integration,
    credentials: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    **options: Any,
) -> Any:
    """A client of the connection; with others than its own ``credentials`` and ``settings`` when they are being tried.

    Raises OutboundError when there is no access token for it.
    """
    definition = row.definition
    used = row.credentials if credentials is None else credentials
    if definition.oauth is not None and "source" not in options:
        options["source"] = VaultAccess(row, used)
    assert row.account_id is not None
    options.setdefault("allowed", opened_addresses(row.account_id))
    options.setdefault("account_id", row.account_id)
    return definition.client_class(definition, used, row.settings if settings is None else settings, **options)


def kind_of(row: Integration, credentials: Mapping[str, str] | None = None) -> str:
    """The vault's name for the grant that the connection calls with."""
    used = row.credentials if credentials is None else credentials
    oauth = row.definition.oauth
    assert oauth is not None
    typed = used.get("refresh_token", "")
    if typed:
        return f"{PREFIX}:{row.pk}:{_mark(used.get('client_id', ''), typed)}"
    if oauth.is_application(row.settings):
        return f"{PREFIX}:{row.pk}:{_mark(used.get('client_id', ''), used.get('client_secret', ''))}"
    return f"{PREFIX}:{row.pk}"


def needs_consent(row: Integration) -> bool:
    """Whether somebody must sign in at the service before the connection can be used: there is no grant."""
    oauth = row.definition.oauth
    if oauth is None or not oauth.needs_consent(row.credentials, row.settings):
        return False
    return not Token.objects.filter(kind=kind_of(row)).exists()


def has_consent(row: Integration) -> bool:
    """Whether there is a consent that can be taken back."""
    oauth = row.definition.oauth
    if oauth is None or not oauth.is_by_consent(row.credentials, row.settings):
        return False
    return bool(row.credential("refresh_token")) or Token.objects.filter(kind=kind_of(row)).exists()


def _mark(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


class VaultAccess:
    """The ``AccessSource`` of one connection. Needs no scope; opens its own."""

    def __init__(self, row: Integration, credentials: Mapping[str, str], *, held: bool = False) -> None:
        """``held``: the caller holds the connection's row, or it is not stored yet: nobody changes it meanwhile."""
        assert row.account_id is not None
        self._row_id, self._held = row.pk, held
        self.account_id: UUID = row.account_id
        self.kind = kind_of(row, credentials)
        self._provider: Provider = row.definition
        self._credentials = dict(credentials)
        self._settings = dict(row.settings)
        oauth = self._provider.oauth
        assert oauth is not None
        self._is_applications = not credentials.get("refresh_token") and oauth.is_application(self._settings)

    def access(self, *, refused: str = "") -> Access:
        """A token of the grant. Raises NotSignedIn, SignInAgain, NotRenewed, other OutboundErrors."""
        if self._is_applications:
            self._application()  # before a token is taken that another application may have got
        try:
            try:
                grant = self._fresh(refused)
            except NoToken:
                self._adopt()
                grant = self._fresh(refused)
        except ReauthRequired as error:
            raise SignInAgain(str(error)) from None
        except NotNow as error:
            raise NotRenewed(str(error), retry_after=error.retry_after) from None
        return Access(grant.access_token, grant.facts)

    def worked(self, token: str) -> None:
        """The service took ``token``."""
        worked(self.account_id, self.kind, token)

    def _fresh(self, refused: str) -> Grant:
        return fresh(self.account_id, self.kind, refresher=self._refresh, refused=refused)

    def _refresh(self, grant: Grant) -> Grant:
        """Ask the service, at the server that the grant came from."""
        settings = {**self._settings, **grant.facts}
        endpoint = Endpoint(self._provider, self._application(), settings)
        if not self._is_applications:
            return endpoint.by_refresh_token(grant)
        try:
            return endpoint.by_application()
        except GrantRefused as refusal:
            # There is nobody to consent anew: whoever corrects the application at the service is let in again.
            raise CredentialRefused(str(refusal)) from None

    def _application(self) -> Application:
        return application_for(self._provider, self._credentials, own=self._is_applications)

    def _adopt(self) -> None:
        """Take what somebody typed into the vault, due at once. Raises NotSignedIn when nobody typed anything."""
        typed = self._credentials.get("refresh_token", "")
        if not typed and not self._is_applications:
            raise NotSignedIn.about(self._provider.label)
        past = timezone.now() - timedelta(hours=1)
        grant = Grant("", typed, granted_at=past, expires_at=past)
        try:
            apart(lambda: self._keep(grant))
        except OperationalError as error:
            if not waited_too_long(error):
                raise
            raise NotRenewed(f"{self._provider.label} is being changed.", retry_after=_CHANGE_WAIT) from None

    def _keep(self, grant: Grant) -> None:
        with tenant(self.account_id):
            if not self._held:
                self._check_wanted()
            adopt(self.kind, grant)

    def _check_wanted(self) -> None:
        """Somebody may have disconnected it, or entered something else, since the client was made."""
        wait_at_most(_CHANGE_WAIT)
        row = Integration.objects.select_for_update(no_key=True).filter(pk=self._row_id).first()
        if row is None or kind_of(row) != self.kind:
            raise NotSignedIn(f"{self._provider.label} is not connected any more.")
