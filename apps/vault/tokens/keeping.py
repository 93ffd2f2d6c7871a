"""Storing, reading and giving back grants, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.vault.models import Token
from apps.vault.tokens.grant import Grant, NoToken, to_pair

GiveBack = Callable[[str, Grant], None]
"""Tells the service that a grant of this kind is given back (RFC 7009, or the service's own way)."""
Hold = Callable[[str], None]
"""Locks what a grant of this kind belongs to, until the transaction ends."""
_services: dict[str, tuple[GiveBack, Hold | None]] = {}


def declare_service(prefix: str, give_back: GiveBack, *, hold: Hold | None = None) -> None:
    """Say how grants of the kinds ``prefix:…`` are given back; floors above do this at start-up.

    ``hold`` is for those whose grants belong to a row of theirs: it is locked before the grant, here as there, since
    two that lock both in different order would wait for each other.
    """
    _services[prefix] = give_back, hold


def lock(kind: str) -> Token:
    """The row of the account in scope, held until the transaction ends, and what it belongs to. Raises NoToken."""
    _, hold = _service_of(kind)
    if hold is not None:
        hold(kind)
    return found(kind, lock=True)


def store(kind: str, grant: Grant, *, actor: Actor, label: str = "") -> Token:
    """Keep ``grant`` as the account's one of this ``kind``; what was there before is replaced in its row.

    ``label`` is what people call the kind, for the trail.
    """
    now = timezone.now()
    row = Token.objects.select_for_update().filter(kind=kind).first()
    action = "token.stored" if row is None else "token.replaced"
    if row is None:
        row = Token(kind=kind, generation=0)
    else:
        row.generation += 1
    row.pair, row.pair_before = to_pair(grant), None
    row.granted_at, row.expires_at, row.refreshed_at = grant.granted_at or now, grant.expires_at, now
    row.scopes, row.status = list(grant.scopes), Token.Status.ACTIVE
    row.refusals = row.failures = 0
    row.next_attempt_at, row.last_error, row.loss_told_at = None, "", None
    row.save()
    changes = {"scopes": list(grant.scopes), "expires_at": grant.expires_at.isoformat() if grant.expires_at else None}
    audit.record(action, actor=actor, entity=row, label=label or kind, changes=changes)
    return row


def adopt(kind: str, grant: Grant) -> None:
    """Keep a grant that the account has entered elsewhere, and the trail tells of, unless there is one.

    Writes nothing to the trail, so it may run beside a transaction that does.
    """
    now = timezone.now()
    row = Token(kind=kind, pair=to_pair(grant), granted_at=grant.granted_at or now, expires_at=grant.expires_at)
    row.scopes = list(grant.scopes)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        found(kind)  # somebody else was quicker; anything else raises


def lost_grants() -> list[Token]:
    """Those that somebody has to consent to anew, and the trail was not told of yet; of the account in scope."""
    return list(Token.objects.filter(status=Token.Status.REAUTH_REQUIRED, loss_told_at=None).order_by("id"))


def mark_loss_told(row: Token) -> bool:
    """Note that the trail was told. False: somebody else did, or it is lost no more; then it must not be told."""
    rows = Token.objects.filter(pk=row.pk, status=Token.Status.REAUTH_REQUIRED, loss_told_at=None)
    return rows.update(loss_told_at=timezone.now()) == 1


def retrieve(kind: str) -> Grant:
    """The grant as it is stored, fresh or not. Raises NoToken."""
    return grant_of(found(kind))


def revoke(kind: str, *, actor: Actor, label: str = "", tell: bool = True) -> None:
    """Forget the grant, then give it back to its service; if that fails, the row is gone all the same.

    Without ``tell`` the service is not told: another grant of the same application and person may depend on it.

    Raises NoToken, and whatever giving it back raises.
    """
    row = lock(kind)
    grant = grant_of(row)
    audit.record("token.revoked", actor=actor, entity=row, label=label or kind)
    row.delete()
    give_back, _ = _service_of(kind)
    if give_back is not None and tell:
        give_back(kind, grant)


def drop(kind: str) -> None:
    """Forget a grant that was adopted only to be tried. As ``adopt``: the trail told nothing of it, nor is told now."""
    Token.objects.filter(kind=kind).delete()


def _service_of(kind: str) -> tuple[GiveBack | None, Hold | None]:
    return _services.get(kind.partition(":")[0], (None, None))


def found(kind: str, *, lock: bool = False) -> Token:
    """The row of the account in scope. Raises NoToken."""
    rows = Token.objects.select_for_update() if lock else Token.objects.all()
    row: Token | None = rows.filter(kind=kind).first()
    if row is None:
        raise NoToken(f"{kind} is not connected.")
    return row


def grant_of(row: Token, *, before: bool = False) -> Grant:
    """The row's grant, or the one before."""
    pair: dict[str, Any] = (row.pair_before if before else row.pair) or {}
    return Grant(
        pair.get("access_token", ""),
        pair.get("refresh_token", ""),
        granted_at=row.granted_at,
        expires_at=row.expires_at,
        scopes=tuple(row.scopes),
        facts=pair.get("facts", {}),
    )
