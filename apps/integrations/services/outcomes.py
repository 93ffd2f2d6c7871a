"""What calls of a connection came to, kept in its row: one file, so that tests, jobs and pages tell the same story."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from apps.integrations.models import Integration, IntegrationFailure
from apps.integrations.outbound.errors import BadRequest, OutboundError
from apps.integrations.providers.errors import (
    CredentialRefused,
    NotRenewed,
    NotSignedIn,
    RateLimited,
    Refused,
    SignInAgain,
)

logger = logging.getLogger(__name__)

_FRESH = timedelta(seconds=30)
"""How exact ``last_used_at`` is: a row written by every call would make parallel calls wait for each other."""
_LONGEST = 1000
_KEPT = 20
"""Failures of a connection that are kept: to see what is wrong, not to count (the ledger counts)."""
_SAME = timedelta(minutes=10)


def record_usage(row_id: UUID) -> None:
    """A call went well: when it was used, and that nothing is wrong any more.

    Nothing is written while somebody else holds the row (a test, a change): a call does not wait for that.
    """
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _FRESH)
    mended = ~Q(condition=Integration.Status.CONNECTED) | Q(last_error_at__isnull=False)
    rows = Integration.objects.filter(pk=row_id)
    if not rows.filter(mended | stale).exists() or not _free(row_id):
        return
    if rows.filter(mended).update(last_used_at=now, updated_at=now, **_CLEAR) == 0:
        rows.filter(stale).update(last_used_at=now)


def record_error(row_id: UUID, error: OutboundError, *, job: str = "", who: str = "") -> None:
    """A call failed: why, in words, and what to do.

    A request that was wrong in itself says nothing of the connection; it is kept among its latest failures only. So is
    any while somebody else holds the row: what they find comes later.
    """
    keep_failure(row_id, error, job=job, who=who)
    if is_the_callers(error) or not _free(row_id):
        return
    now = timezone.now()
    row = Integration.objects.filter(pk=row_id)
    known = row.values_list("identity", flat=True).first()
    row.update(
        condition=condition_after(error, known=bool(known)),
        last_used_at=now,
        last_error_at=now,
        last_error_message=str(error)[:_LONGEST],
        last_error_todo=todo_of(error),
        updated_at=now,
    )


def keep_failure(row_id: UUID, error: OutboundError, *, job: str = "", who: str = "") -> None:
    """Put ``error`` among the connection's latest failures; the same again within minutes is counted there."""
    logger.info("The connection %s failed: %s (%s).", row_id, code_of(error), error.technically)
    now = timezone.now()
    what = {"job": job, "who": who[:200], "code": code_of(error), "message": str(error)[:_LONGEST]}
    rows = IntegrationFailure.objects.filter(integration_id=row_id).order_by("-at")
    latest = rows.first()
    if latest is not None and latest.at > now - _SAME and all(getattr(latest, key) == what[key] for key in what):
        free = rows.filter(pk=latest.pk).select_for_update(skip_locked=True).values_list("pk", flat=True)
        rows.filter(pk__in=list(free)).update(at=now, times=F("times") + 1, updated_at=now)
        return
    # Nothing is kept of a connection that was removed meanwhile.
    if Integration.objects.filter(pk=row_id).exists():
        IntegrationFailure.objects.create(integration_id=row_id, first_at=now, at=now, **what)
        old = rows.filter(pk__in=list(rows.values_list("pk", flat=True)[_KEPT:]))
        free = old.select_for_update(skip_locked=True).values_list("pk", flat=True)
        IntegrationFailure.objects.filter(pk__in=list(free)).delete()


def _free(row_id: UUID) -> bool:
    """Whether nobody else holds the connection; then we do."""
    row = Integration.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=row_id)
    return row.values_list("pk", flat=True).first() is not None


def clear_error(row_id: UUID) -> None:
    """Put a known error aside, by a person's word."""
    Integration.objects.filter(pk=row_id).update(updated_at=timezone.now(), **_CLEAR)


def condition_after(error: OutboundError, *, known: bool) -> Integration.Status:
    """How a connection stands after ``error``. ``known``: its credential has worked before."""
    if isinstance(error, CredentialRefused):
        return Integration.Status.EXPIRED if known else Integration.Status.ERROR
    if isinstance(error, NotSignedIn):
        return Integration.Status.NOT_CONFIGURED
    if isinstance(error, SignInAgain):
        return Integration.Status.REAUTH_REQUIRED
    return Integration.Status.BACKOFF if isinstance(error, RateLimited | NotRenewed) else Integration.Status.ERROR


def code_of(error: OutboundError) -> str:
    """What programs know ``error`` by."""
    return error.code


def todo_of(error: OutboundError) -> str:
    """The one thing to do about ``error``."""
    return error.todo


def is_the_callers(error: OutboundError) -> bool:
    """Whether the request was wrong, and not the connection."""
    return isinstance(error, Refused | BadRequest)


_CLEAR = {
    "condition": Integration.Status.CONNECTED,
    "last_error_at": None,
    "last_error_message": "",
    "last_error_todo": "",
}
