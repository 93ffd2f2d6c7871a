"""Renewing grants that nobody calls with at the moment.

A grant that lies idle for weeks ends at many services, and nobody would know before the next call fails. So those that
are due are renewed by the same rules as by a call, as long as an enabled connection of an active account uses them.
Losses are told in the trail from here, whoever noticed them: a refresh runs apart, where nothing may be recorded, and
the call that needed it may undo all it has written.
"""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.models import Integration
from apps.integrations.oauth.access import VaultAccess, kind_of
from apps.integrations.oauth.kinds import belongs_to_one_of, connection_of
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.providers import UnknownProvider
from apps.integrations.providers.oauth import APPLICATION, GRANT_SETTING
from apps.integrations.services.outcomes import clear_error, record_error
from apps.vault.models import Token
from apps.vault.tokens import lost_grants, mark_loss_told
from apps.vault.tokens.grant import LONGEST_MARGIN
from apps.vault.tokens.keeping import grant_of

logger = logging.getLogger(__name__)

MOST = 100
"""Renewals that one sweep asks for: services and workers have other things to do too."""
_SEEN = 1000
_ASKED_FOR = 300
"""Seconds in which a renewal that was asked for is not asked for again."""
_ACTOR = Actor.system("renewal of grants")


def sweep() -> int:
    """Have workers renew what is due and tell of what is lost, in any account. Returns how many were asked to."""
    from apps.integrations.tasks import renew_grant

    asked = 0
    with platform("find grants to renew, or to tell of"):
        found = _due(timezone.now()) + _lost()
    for account_id, integration_id in found:
        if asked == MOST:
            break
        if not cache.add(f"grant-renewal:{integration_id}", 1, _ASKED_FOR):
            continue
        try:
            renew_grant.delay(str(account_id), str(integration_id))
        except (OperationalError, OSError) as error:
            logger.warning("The broker takes no renewals of grants now (%s); the next sweep asks again.", error)
            cache.delete(f"grant-renewal:{integration_id}")
            break
        asked += 1
    return asked


def renew(account_id: UUID, integration_id: UUID) -> None:
    """Renew the grant of a connection if it is due, and tell of it if it is lost. Opens its scopes."""
    with tenant(account_id):
        row = _in_use().filter(pk=integration_id).first()
        access = _access_of(row) if row is not None else None
    if row is None:
        return
    if access is not None:
        _renew(row, access)
    with tenant(account_id):
        _tell_losses(row)


def _renew(row: Integration, access: VaultAccess) -> None:
    try:
        access.access()
    except OutboundError as error:
        with tenant(access.account_id):
            record_error(row.pk, error, who=_ACTOR.label)
        return
    if row.condition == Integration.Status.BACKOFF:
        with tenant(access.account_id):
            clear_error(row.pk)


def _access_of(row: Integration) -> VaultAccess | None:
    """Access to the grant that it uses, if that is due."""
    token = Token.objects.filter(kind=_kind_of(row)).first()
    if token is None or token.status == Token.Status.REAUTH_REQUIRED or not grant_of(token).is_due(timezone.now()):
        return None
    return VaultAccess(row, row.credentials)


def _tell_losses(row: Integration) -> None:
    for token in lost_grants():
        if token.kind != _kind_of(row):
            continue
        with transaction.atomic():
            # First the trail, then the grant: who calls holds the end of the trail while they wait for a grant.
            changes = {"error": token.last_error}
            audit.record("integration.consent_lost", actor=_ACTOR, entity=row, label=row.label, changes=changes)
            if not mark_loss_told(token):
                transaction.set_rollback(True)


def _kind_of(row: Integration) -> str:
    """The vault's name for its grant; "" for a service that gives none, or is not known any more."""
    try:
        return kind_of(row) if row.definition.oauth is not None else ""
    except UnknownProvider:
        return ""


def _due(now: datetime) -> list[tuple[UUID, UUID]]:
    """Account and connection of grants whose time comes to an end. An application needs no grant until it calls."""
    waiting = Token.objects.filter(status__in=[Token.Status.ACTIVE, Token.Status.BACKOFF])
    waiting = waiting.filter(expires_at__lte=now + LONGEST_MARGIN)
    waiting = waiting.filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=now)).order_by("expires_at")
    return _connections(waiting, _in_use().exclude(settings__contains={GRANT_SETTING: APPLICATION}))


def _lost() -> list[tuple[UUID, UUID]]:
    """Account and connection of grants that are lost, which the trail does not tell yet."""
    lost = Token.objects.filter(status=Token.Status.REAUTH_REQUIRED, loss_told_at=None).order_by("updated_at")
    return _connections(lost, _in_use())


def _in_use() -> QuerySet[Integration]:
    return Integration.objects.filter(enabled=True, account__status=Account.Status.ACTIVE)


def _connections(tokens: QuerySet[Token], rows: QuerySet[Integration]) -> list[tuple[UUID, UUID]]:
    found = tokens.filter(belongs_to_one_of(rows)).values_list("account_id", "kind")[:_SEEN]
    return [(account_id, connection_of(kind)) for account_id, kind in found]
