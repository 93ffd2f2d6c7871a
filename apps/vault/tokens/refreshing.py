"""Access tokens that work: refreshed early, by one caller at a time, the old grant kept until the new one works.

The refresh runs apart from the caller's transaction, and what the service gave is committed before anybody uses it
(``renewal``).
"""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from apps.accounts.tenancy.apart import apart
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Token
from apps.vault.tokens.grant import Grant
from apps.vault.tokens.keeping import found, grant_of
from apps.vault.tokens.renewal import Refresher, Renewal, Trial, is_due, may_try, serves


def access_token(account_id: UUID, kind: str, *, refresher: Refresher, refused: str = "") -> str:
    """``fresh``, of which callers mostly need only this."""
    return fresh(account_id, kind, refresher=refresher, refused=refused).access_token


def fresh(account_id: UUID, kind: str, *, refresher: Refresher, refused: str = "") -> Grant:
    """A grant whose access token lasts for a while. Raises NoToken, NotNow, ReauthRequired.

    ``refused`` is an access token that the service did not take although its time was not over: if it is still the one
    that is kept, it is refreshed. Not to be called by a transaction that has itself written this grant.
    """
    with tenant(account_id):
        row = found(kind)
        grant, now = grant_of(row), timezone.now()
        if not is_due(grant, now, refused):
            return grant
        if serves(grant, now, refused) and not may_try(row, now):
            return grant
    task = Renewal(account_id, kind, refresher, row.generation, refused)
    return apart(task.run)


def try_refresh(account_id: UUID, kind: str, *, refresher: Refresher) -> Grant:
    """A new grant now, although the old one may serve: for credentials that are being tried. No wait counts.

    Raises NoToken, NotNow, GrantRefused and whatever ``refresher`` raises; the grant is then as it was.
    """
    with tenant(account_id):
        generation = found(kind).generation
    return apart(Trial(account_id, kind, refresher, generation, refused="").run)


def worked(account_id: UUID, kind: str, token: str) -> None:
    """The service took ``token``: the pair before it is needed no more."""
    with tenant(account_id):
        row = Token.objects.filter(kind=kind, pair_before__isnull=False).first()
        if row is not None and row.pair["access_token"] == token:
            _forget_before(account_id, row.pk, row.generation)


def _forget_before(account_id: UUID, row_id: UUID, generation: int) -> None:
    row = Token.objects.select_for_update(skip_locked=True).filter(pk=row_id, generation=generation).first()
    if row is not None:
        row.pair_before = None
        row.save(update_fields=["pair_before", "updated_at"])
