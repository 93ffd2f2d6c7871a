"""What calls of a connection came to, kept in its row: one file, so that tests, jobs and pages tell the same story."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from apps.integrations.models import Integration
from apps.integrations.outbound.errors import BadRequest, OutboundError
from apps.integrations.providers.errors import (
    CredentialRefused,
    NotRenewed,
    NotSignedIn,
    ProviderError,
    RateLimited,
    Refused,
    SignInAgain,
)

_FRESH = timedelta(seconds=30)
"""How exact ``last_used_at`` is: a row written by every call would make parallel calls wait for each other."""
_LONGEST = 1000


def record_usage(row_id: UUID) -> None:
    """A call went well: when it was used, and that nothing is wrong any more."""
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _FRESH)
    mended = ~Q(condition=Integration.Status.CONNECTED) | Q(last_error_at__isnull=False)
    rows = Integration.objects.filter(pk=row_id)
    if rows.filter(mended).update(last_used_at=now, updated_at=now, **_CLEAR) == 0:
        rows.filter(stale).update(last_used_at=now)


def record_error(row_id: UUID, error: OutboundError) -> None:
    """A call failed: why, in words, and what to do.

    A request that was wrong in itself says nothing of the connection.
    """
    if is_the_callers(error):
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


def todo_of(error: OutboundError) -> str:
    """The one thing to do about ``error``."""
    return str(getattr(error, "todo", ProviderError.todo))


def is_the_callers(error: OutboundError) -> bool:
    """Whether the request was wrong, and not the connection."""
    return isinstance(error, Refused | BadRequest)


_CLEAR = {
    "condition": Integration.Status.CONNECTED,
    "last_error_at": None,
    "last_error_message": "",
    "last_error_todo": "",
}
