"""Access tokens for credentials that are being tried: asked for at the service, never taken from what is kept.

An access token that lies in the vault says nothing about a new client secret. What the service gives in a trial is
kept, since it may have ended what it gave before; what it refuses leaves the grant that serves as it was.
"""

from __future__ import annotations

from collections.abc import Mapping

from apps.accounts.tenancy.apart import apart
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration
from apps.integrations.oauth.access import VaultAccess, kind_of
from apps.integrations.oauth.applications import NoApplication, application_for
from apps.integrations.oauth.kinds import PREFIX
from apps.integrations.providers.errors import CredentialRefused, NotRenewed, NotSignedIn, SignInAgain
from apps.integrations.providers.oauth import Access
from apps.vault.models import Token
from apps.vault.tokens import Grant, GrantRefused, NotNow, NoToken, drop, try_refresh

_OF_GRANTS = ("client_id", "client_secret", "refresh_token")


class ConsentNeeded(NotSignedIn):
    """Consent was given to another application (RFC 6749 section 6: a refresh token is bound to its client)."""

    code = "consent_needed"
    todo = "Change it under “Configure” without a test, then connect it again: you are asked for your consent anew."

    def __init__(self, label: str) -> None:
        super().__init__(f"{label}: consent was given to another client ID, and does not count for this one.")


def source_for(row: Integration, credentials: Mapping[str, str], instead_of: Mapping[str, str] | None) -> VaultAccess:
    """Where a client that tries ``credentials`` gets its tokens. ``row`` is held, or not stored yet.

    ``instead_of`` are those that serve now, {} for none; None: it is they that are tried.
    """
    if instead_of is None or all(credentials.get(name) == instead_of.get(name) for name in _OF_GRANTS):
        return VaultAccess(row, credentials, held=True)
    return TriedAccess(row, credentials, instead_of)


class TriedAccess(VaultAccess):
    """The ``AccessSource`` of one trial."""

    def __init__(self, row: Integration, credentials: Mapping[str, str], instead_of: Mapping[str, str]) -> None:
        super().__init__(row, credentials, held=True)
        self._typed = bool(credentials.get("refresh_token"))
        self._lost = loses_consent(row, credentials, instead_of)
        self._got: Grant | None = None

    def access(self, *, refused: str = "") -> Access:
        """A token that was given just now. Raises ConsentNeeded, NotSignedIn, NotRenewed, other OutboundErrors."""
        if self._got is None or refused:
            self._got = self._ask()
        return Access(self._got.access_token, self._got.facts)

    def _ask(self) -> Grant:
        if self._lost:
            raise ConsentNeeded(self._provider.label)
        self._application()
        try:
            try:
                return try_refresh(self.account_id, self.kind, refresher=self._refresh)
            except NoToken:
                self._adopt()
                return try_refresh(self.account_id, self.kind, refresher=self._refresh)
        except GrantRefused as refusal:
            raise (CredentialRefused if self._typed else SignInAgain)(str(refusal)) from None
        except NotNow as error:
            raise NotRenewed(str(error), retry_after=error.retry_after) from None


def loses_consent(row: Integration, credentials: Mapping[str, str], before: Mapping[str, str]) -> bool:
    """Whether ``credentials`` are of another application than the one somebody consented to when ``before`` served."""
    kind = f"{PREFIX}:{row.pk}"
    if row.definition.oauth is None or kind_of(row, credentials) != kind:
        return False
    other = _client_id(row, credentials) != _client_id(row, before)
    return other and Token.objects.filter(kind=kind).exists()


def drop_tried(row: Integration) -> None:
    """Forget the grants of credentials that did not take the place of those that are stored.

    Apart, as they were adopted: whoever answers that it does not work may undo all that the request did.
    """
    account_id = row.account_id
    if row.definition.oauth is None or account_id is None:
        return

    def forget() -> None:
        with tenant(account_id):
            stored = Integration.objects.filter(pk=row.pk).first()
            tried = Token.objects.filter(kind__startswith=f"{PREFIX}:{row.pk}")
            if stored is not None:
                tried = tried.exclude(kind=kind_of(stored))
            for kind in tried.values_list("kind", flat=True):
                drop(kind)

    apart(forget)


def _client_id(row: Integration, credentials: Mapping[str, str]) -> str:
    try:
        return application_for(row.definition, credentials).client_id
    except NoApplication:
        return ""
